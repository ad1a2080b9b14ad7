/** The worker's entry: an engine of its own, behind the protocol. In every build a script without imports, `worker.js`. */

import type { Parts } from './parts';
import { type Port, serve } from './protocol';
import { createServedEngine } from './served-engine';

serve(
  (setup) => {
    const { aisleParts } = globalThis as { aisleParts?: Parts }; // there is none in development
    aisleParts?.locate((file) => setup.urls[file] ?? new URL(file, setup.worker).href);
    return createServedEngine(setup);
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
