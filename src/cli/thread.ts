/** A worker thread of `aisle train --threads`. */
import { parentPort, workerData } from 'node:worker_threads';
import { startFirst } from '../pipeline/files/backend';
import { serveThread } from '../pipeline/threads';
import { tameLibraries } from './libraries';

tameLibraries(false);
void serveThread(
  workerData,
  (slice, backend) => startFirst(slice, backend, {}),
  (message) => parentPort!.postMessage(message),
);
