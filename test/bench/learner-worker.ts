/** Training steps in a page's worker: `{ work }` starts them, every number after that asks for so many. */
import { pageBackend } from '../../src/pipeline/page-backend';
import { learnerSteps, type TrainingWorkload } from './learner-steps';

let step: (() => number) | undefined;

addEventListener('message', async ({ data }: MessageEvent<TrainingWorkload | number>) => {
  if (typeof data !== 'number') {
    try {
      step = await learnerSteps(data, pageBackend);
      postMessage([]);
    } catch (error) {
      reportError(error); // the page hears of errors, not of rejections
    }
    return;
  }
  const ms = Array.from({ length: data }, () => {
    const start = performance.now();
    step!();
    return performance.now() - start;
  });
  postMessage(ms);
});
