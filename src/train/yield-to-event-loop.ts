/** Lets timers, messages and signals through between steps of a long computation. */

/** Milliseconds of work between two pauses: short enough for a signal to feel instant. */
const INTERVAL = 40;

let last = 0;

/**
 * Waits for one turn of the event loop if the last turn was so long ago, else returns at once.
 *
 * @param interval Milliseconds of work between two pauses. Default 40.
 */
export async function yieldToEventLoop(interval = INTERVAL): Promise<void> {
  // Absolute: a clock that ran ahead may have been put back, as the stubbed ones of tests are.
  if (Math.abs(performance.now() - last) < interval) return;
  await new Promise(turn);
  last = performance.now();
}

/** Browsers let a timer wait for 4 ms: a page draws meanwhile, and its scripts may have replaced channels; a worker has nothing else to do. */
const turn: (resolve: (value?: unknown) => void) => void =
  'document' in globalThis
    ? (resolve) => setTimeout(resolve)
    : (resolve) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => {
          port1.close();
          resolve();
        };
        port2.postMessage(0);
      };
