/** The worker's entry: an engine of its own, behind the protocol. A file of its own in every build, `worker.js`. */
import { createLocalEngine } from './local-engine';
import { type Port, serve } from './protocol';

serve(createLocalEngine(), globalThis as unknown as Port);
