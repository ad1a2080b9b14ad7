/** Yields to the page: the code after it runs in a new task. */
export function nextTask(): Promise<void> {
  return new Promise((next) => setTimeout(next, 0));
}
