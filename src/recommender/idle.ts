/** Resolves one second later, or earlier when the page is idle. */
export function whenIdle(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 1000);
    try {
      requestIdleCallback(() => resolve());
    } catch {
      // the pause it is
    }
  });
}
