/** Lets timers, messages and signals through between steps of a long computation. */

/** Milliseconds of work between two breaths: short enough for a signal to feel instant. */
const INTERVAL = 40;

let last = 0;

/** Waits for one turn of the event loop if the last turn was more than 40 ms ago, else returns at once. */
export async function breathe(): Promise<void> {
  const now = performance.now();
  if (now - last < INTERVAL) return;
  await new Promise((resolve) => setTimeout(resolve));
  last = performance.now();
}
