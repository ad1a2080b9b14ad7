/** The worker's entry: an engine of its own, behind the protocol. In every build a script without imports, `worker.js`. */

import { wasmFiles } from '../compute/backends/wasm-files';
import type { Parts } from './parts';
import { type Port, serve } from './protocol';
import { createServedEngine } from './served-engine';

serve(
  ({ worker, urls, artifact }) => {
    const urlOf = (file: string): string => new URL(urls[file] ?? file, worker).href;
    const { aisleParts } = globalThis as { aisleParts?: Parts }; // there is none in development
    aisleParts?.locate(urlOf);
    return createServedEngine({ simd: urlOf(wasmFiles.simd), plain: urlOf(wasmFiles.plain) }, artifact);
  },
  globalThis as unknown as Port,
);

// The first formatted number makes a browser load its tables, which would block the page's own thread for too long. The page and
// its worker share the tables, and the worker is idle here while the model is fetched.
setTimeout(() => {
  try {
    // Not in `navigator.language`, which need not be one: Chromium in the locale POSIX says "en-US@posix".
    new Intl.NumberFormat(undefined, { style: 'currency', currency: 'EUR' }).format(0);
  } catch {} // an optimisation must not fail the worker
}, 0);
