/** Looks at what a page has put into its globals, which tells nobody: often at first, then when something happens. */

/** Milliseconds between two looks at first, and how many there are: a minute. */
const EVERY = 500;
const TIMES = 120;

/**
 * Calls `look` every half second of the first minute and, from the start on, after what may bring a consent platform or an
 * answer to it: a script that was loaded, a click, and the page that is shown or gets the focus. It never polls for longer.
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
  (timer as { unref?: () => void }).unref?.(); // Node would wait for it
  /** The page's own listeners first. */
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
