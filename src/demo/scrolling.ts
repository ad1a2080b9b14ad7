/** Shows the page of the address when it changes, at the place where the visitor would expect it. */

/**
 * @param main Where pages are shown.
 * @param show Shows the page of the address.
 */
export function followAddress(main: HTMLElement, show: () => void): void {
  const scrolled = new Map<string, number>();
  let shown = location.hash;

  window.addEventListener('hashchange', () => {
    // The browser keeps a state with each step of its history: a step that has one is gone back to.
    const isReturn = history.state !== null;
    show();
    if (isReturn) {
      window.scrollTo(0, scrolled.get(location.hash) ?? 0);
    } else {
      window.scrollTo(0, 0);
      const heading = main.querySelector('h1');
      heading?.setAttribute('tabindex', '-1');
      heading?.focus({ preventScroll: true });
    }
    history.replaceState({ seen: true }, '');
    shown = location.hash;
  });
  history.scrollRestoration = 'manual';
  history.replaceState({ seen: true }, '');
  window.addEventListener('scroll', () => scrolled.set(shown, window.scrollY), { passive: true });
}
