/** Resolves after a pause, when the page is idle. Browsers without idle callbacks, and pages that are never idle, get the pause. */
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
