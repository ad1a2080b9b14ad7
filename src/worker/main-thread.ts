/** The engine in the page's own thread. Loaded only if no worker can start. */
import { wasmFiles } from '../compute/backends/wasm-files';
import { createServedEngine } from './served-engine';
import type { EngineHost } from './types';

export function startHere(): EngineHost {
  const engine = createServedEngine(wasmFiles);
  const close = () => void engine.dispose().catch(() => {}); // nothing is left to report to
  return {
    thread: 'main',
    lost: false,
    onLost() {},
    // A copy, as from a worker: the page must not change the engine's data.
    call: async (method, args, control) =>
      structuredClone(await (engine[method] as (...args: unknown[]) => Promise<never>).call(engine, ...args, control)),
    close,
    retire: close, // waits for the running slice
  };
}
