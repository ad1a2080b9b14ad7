/** A worker thread of `aisle train --threads`. */
import { parentPort, workerData } from 'node:worker_threads';
import { startFirst } from '../pipeline/files/backend';
import { shareTraining, type ThreadTask } from '../pipeline/threads';
import { tameLibraries } from './libraries';

tameLibraries(false);
const { backend, ...task } = workerData as ThreadTask;
void shareTraining(
  task,
  (slice) => startFirst(slice, backend, {}),
  (message) => parentPort!.postMessage(message),
);
