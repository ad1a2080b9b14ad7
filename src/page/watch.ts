/** Notices when a page says something else of itself. */

/** Milliseconds in which changes are gathered: a page that changes all the time is read five times a second. */
const GATHERED = 200;
/** Attributes in which markup says it. */
const ATTRIBUTES = ['content', 'href', 'value', 'itemprop', 'itemscope', 'itemtype', 'type'];

/**
 * Calls `changed` after changes of the document and of the address.
 *
 * @returns Stops.
 */
export function watchPage(changed: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  function read(): void {
    clearTimeout(timer);
    timer = undefined;
    changed();
  }
  const observer = new MutationObserver(() => {
    timer ??= setTimeout(read, GATHERED);
  });
  observer.observe(document, {
    subtree: true,
    childList: true,
    characterData: true,
    attributes: true,
    attributeFilter: ATTRIBUTES,
  });
  // An application shows another of its pages; its own listeners draw first.
  const moved = () => void setTimeout(read, 0);
  const { navigation } = globalThis as { navigation?: EventTarget };
  navigation?.addEventListener('navigatesuccess', moved);
  for (const type of MOVES) addEventListener(type, moved);
  return () => {
    clearTimeout(timer);
    observer.disconnect();
    navigation?.removeEventListener('navigatesuccess', moved);
    for (const type of MOVES) removeEventListener(type, moved);
  };
}

const MOVES = ['popstate', 'hashchange'];
