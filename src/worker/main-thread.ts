/** The same engine in the page's own thread. Loaded only where no worker can start. */
import { wasmFiles } from '../compute/backends/wasm-files';
import { createServedEngine } from './served-engine';
import type { EngineHost } from './types';

export function startHere(): EngineHost {
  const engine = createServedEngine(wasmFiles);
  const close = () => void engine.dispose().catch(() => {}); // nobody is left who could be told
  return {
    thread: 'main',
    lost: false,
    onLost() {},
    // A copy, as from a worker: what a page changes in an answer must not change what the engine knows.
    call: async (method, args, control) =>
      structuredClone(await (engine[method] as (...args: unknown[]) => Promise<never>).call(engine, ...args, control)),
    close,
    retire: close, // which waits for the slice that runs
  };
}
