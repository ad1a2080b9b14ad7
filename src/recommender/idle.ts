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

/** Whether there is a page, and it is hidden. */
export function isHidden(): boolean {
  return (globalThis as { document?: { visibilityState: string } }).document?.visibilityState === 'hidden';
}
