/** What the official implementations recommend, compiled plans recommend, by the limits of every backend. */
import { beforeAll, expect, test } from 'vitest';
import { startBackend } from '../../../src/compute/backends/start';
import { goldenFiles, runPlan } from '../../reference/golden/run';
import { GOLDEN } from '../../shared';

/** Losses alone, trainings and neighbours recommend nothing, and one file by an order that it gives. */
const OTHERS = /^(knn|gru4rec-fit|cl4srec-ntxent|t4r-sampled-softmax|t4r-xlnet-plm)/;

beforeAll(() => startBackend('cpu'));

test.each(goldenFiles(GOLDEN).filter((name) => !OTHERS.test(name)))('%s', async (name) => {
  expect(await runPlan(GOLDEN, name)).toMatchObject({ state: 'ok', compared: 1 });
});

test('other files are left out', async () => {
  for (const name of goldenFiles(GOLDEN).filter((other) => OTHERS.test(other))) {
    expect(await runPlan(GOLDEN, name)).toBe(undefined);
  }
});
