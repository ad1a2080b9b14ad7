import { beforeAll, expect, test } from 'vitest';
import { caser } from '../../src/models/caser';
import { caserTraining } from '../../src/models/caser-training';
import { configure } from '../../src/models/configuration';
import { random } from '../../src/session/random';
import { fitModel } from '../../src/train/fit';
import type { Sessions } from '../../src/types';
import { start } from '../compute/backends/start';
import { logOf, supportOf } from '../train/helpers';

const COLOURS = 3;
const THINGS = 4;
const ITEMS = THINGS * (1 + COLOURS);
const VISITORS = 30;

beforeAll(() => start('wasm'));

/** Each visitor reads about a thing and then looks at it in a colour of his or her own. */
function visits(count: number, seed: number, from: number): Sessions {
  const { integer } = random(seed, 'visits');
  const visitors = Int32Array.from({ length: count }, () => integer(VISITORS));
  const log = logOf(
    Array.from(visitors, (visitor) => {
      const thing = 1 + integer(THINGS);
      return [thing, thing + THINGS * (1 + (visitor % COLOURS))];
    }),
  );
  return { ...log, times: log.times.map((time) => from + time), visitors };
}

const train = visits(240, 1, 0);
const valid = visits(60, 2, 10_000);

async function recall(profile: string, validation: Sessions): Promise<number> {
  const config = configure(caser, {
    d: 12,
    L: 1,
    T: 1,
    nv: 1,
    nh: 8,
    windows: 'all',
    negFrom: 'all',
    negSamples: 8,
    drop: 0,
    l2: 0,
    batchSize: 24,
    learningRate: 0.02,
    profile,
  });
  const { epochs } = await fitModel({
    training: caserTraining,
    config,
    catalogue: { items: ITEMS, support: supportOf(train, ITEMS) },
    sessions: train,
    valid: validation,
    seed: 3,
    epochs: 20,
    patience: 20,
  });
  return epochs.at(-1)!.valid!['recall@1']!;
}

test('a device’s past tells what its next session will be, in training and in validation', async () => {
  expect(await recall('device', valid)).toBeGreaterThanOrEqual(0.95);
  const { visitors: _, ...nobody } = valid;
  expect(await recall('device', nobody)).toBeLessThan(0.7);
  expect(await recall('session', valid)).toBeLessThan(0.7);
});
