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

// The first number that a process formats makes a browser read its tables, longer than a page's own thread may be held up.
// The page and its worker share them, and here nobody waits: by now the model is being fetched.
setTimeout(() => {
  try {
    // Not in `navigator.language`, which need not be one: Chromium in the locale POSIX says "en-US@posix".
    new Intl.NumberFormat(undefined, { style: 'currency', currency: 'EUR' }).format(0);
  } catch {} // what only saves time must not cost the worker
}, 0);
