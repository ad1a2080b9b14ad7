/** Lets the page have its turn: what follows runs in a task of its own. */
export function nextTask(): Promise<void> {
  return new Promise((next) => setTimeout(next, 0));
}
