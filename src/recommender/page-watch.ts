/** Watches the globals of a page, which send no events: often at first, then after what may have changed them. */

/** Milliseconds between two calls at first, and their number: one minute. */
const EVERY = 500;
const TIMES = 120;

/**
 * Calls `look` every half second during the first minute. It also calls `look` after anything that may bring a consent platform
 * or an answer: a loaded script, a click, and a page that is shown or gets the focus.
 *
 * @returns Stops.
 */
export function watchPage(look: () => void): () => void {
  const end = new AbortController();
  let times = 0;
  const timer = setInterval(() => {
    if (++times === TIMES) clearInterval(timer);
    look();
  }, EVERY);
  (timer as { unref?: () => void }).unref?.(); // so that Node can exit
  /** After the page's own listeners. */
  const soon = ({ type, target }: Event): void => {
    const isScript = (target as { nodeName?: unknown } | null)?.nodeName === 'SCRIPT';
    if (type !== 'load' || isScript) setTimeout(look, 0);
  };
  const { document } = globalThis as { document?: EventTarget };
  const { signal } = end;
  // The load of a script does not bubble, and does not reach the window.
  for (const type of ['load', 'click', 'visibilitychange']) {
    document?.addEventListener(type, soon, { capture: true, signal });
  }
  for (const type of ['focus', 'pageshow']) globalThis.addEventListener?.(type, soon, { signal });
  return () => {
    clearInterval(timer);
    end.abort();
  };
}
