import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { commands } from 'vitest/browser';
import { createRecommender, type Recommender } from '../../src/index';
import { BACKENDS, differences, K, PARITY_MODELS, type Parity, timed } from '../engine/parity';

let parity: Parity;
let folder: string;
beforeAll(async () => {
  folder = `/${await commands.makeParity()}/`;
  parity = await (await fetch(`${folder}parity.json`)).json();
});

let recommender: Recommender | undefined;
afterEach(() => recommender?.dispose());

describe.each(PARITY_MODELS)('%s in a page', (model) => {
  test.each(BACKENDS)('answers 50 real sessions and the odd ones as Node does, on %s', async (backend) => {
    let time = 0;
    const modelUrl = `${folder}${model}/`;
    recommender = await createRecommender({ modelUrl, backend, now: () => time * 1000 });
    const wrong: Record<string, string[]> = {};
    for (const [n, [name, ids]] of Object.entries(parity.sessions).entries()) {
      const { session, now } = timed(ids, n);
      for (const { itemId, time } of session) recommender.track({ itemId, time: time * 1000 });
      time = now;
      const items = await recommender.recommend({ k: K });
      // Node on the same backend, and on the other one.
      for (const other of BACKENDS) {
        const found = differences(parity.answers[model][other][name]!, items);
        if (found.length > 0) wrong[`${name}, Node on ${other}`] = found;
      }
    }
    expect(wrong).toEqual({});
    expect(Object.keys(parity.sessions)).toHaveLength(56);
    expect(recommender.status).toMatchObject({ engine: { backend, thread: 'worker' }, degraded: [] });
  });
});
