/** The page around `learner-worker.ts`: what `fine-tuning.ts` calls in the browser. */
import type { TrainingWorkload } from './learner-steps';

const worker = new Worker(new URL('./learner-worker.ts', import.meta.url), { type: 'module' });

/** @returns The milliseconds of each step; none where a training was started. */
async function ask(message: TrainingWorkload | number): Promise<number[]> {
  worker.postMessage(message);
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<number[]>) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
  });
}

export type Ask = typeof ask;
Object.assign(globalThis, { ask });
