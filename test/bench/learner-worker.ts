/** Training steps in a page's worker: `{ work }` starts them, every number after that asks for so many. */
import { learnerSteps, type TrainingWorkload } from './learner-steps';

let step: (() => number) | undefined;

addEventListener('message', async ({ data }: MessageEvent<TrainingWorkload | number>) => {
  if (typeof data !== 'number') {
    step = await learnerSteps(data);
    postMessage([]);
    return;
  }
  const ms = Array.from({ length: data }, () => {
    const start = performance.now();
    step!();
    return performance.now() - start;
  });
  postMessage(ms);
});
