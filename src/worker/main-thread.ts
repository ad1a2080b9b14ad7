/** The same engine in the page's own thread. Loaded only where no worker can start. */
import { wasmFiles } from '../compute/backends/wasm-files';
import type { EngineHost } from './host';
import { createServedEngine } from './served-engine';

export function startHere(): EngineHost {
  const engine = createServedEngine(wasmFiles);
  return {
    thread: 'main',
    lost: false,
    onLost() {},
    call: (method, args, control) =>
      (engine[method] as (...args: unknown[]) => Promise<never>).call(engine, ...args, control),
    close: () => void engine.dispose(),
    retire: () => void engine.dispose(), // which waits for the turn that runs
  };
}
