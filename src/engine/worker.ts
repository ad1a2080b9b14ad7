/** The worker's entry: an engine of its own, behind the protocol. A file of its own in every build, `worker.js`. */
import { createLocalEngine } from './local-engine';
import { type Port, serve } from './protocol';

serve(createLocalEngine(), globalThis as unknown as Port);

// The first number that a process formats makes a browser read its tables, longer than a page's own thread may be held up.
// The page and its worker share them, and here nobody waits: by now the model is being fetched.
setTimeout(() => new Intl.NumberFormat(navigator.language, { style: 'currency', currency: 'EUR' }).format(0), 0);
