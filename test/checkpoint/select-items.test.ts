import { beforeAll, describe, expect, test } from 'vitest';
import type { Artifact } from '../../src/checkpoint/artifact';
import { mostSupported, selectItems } from '../../src/checkpoint/select-items';
import { startBackend } from '../../src/compute/backends/start';
import { configure } from '../../src/models/configuration';
import { initialise } from '../../src/models/initialise';
import { loadScorer, NAMELESS } from '../../src/ranking/load-scorer';
import { random } from '../../src/session/random';
import { forms, trainings } from '../models/forms';

const N = 12;
const KEPT = [2, 3, 5, 8, 9, 12];

/** Item k has the id `k`. */
function artifactOf(architecture: string, given: Readonly<Record<string, unknown>>): Artifact {
  const { network } = trainings[architecture]!;
  const config = configure(network, given) as Record<string, unknown>;
  const support = Int32Array.from({ length: N + 1 }, (_, k) => k);
  const tensors = initialise(network.parameters(config, { items: N, support }), 3);
  // What starts at 0, such as a bias, tells nothing.
  const draw = random(3, 'zeros');
  for (const { data } of Object.values(tensors))
    if (data.every((x) => x === 0)) for (let i = 0; i < data.length; i++) data[i] = 0.1 * draw.normal();
  return {
    info: { ...NAMELESS, architecture, config, items: N },
    itemIds: Array.from({ length: N }, (_, k) => `${k + 1}`),
    tensors: { ...tensors, 'catalogue.support': { data: support, shape: [N + 1] } },
  };
}

async function scoresOf(artifact: Artifact, items: readonly number[]): Promise<Float32Array> {
  const scorer = await loadScorer(artifact);
  try {
    return await scorer.score([{ items, times: items.map((_, t) => 1e9 + 3600 * t) }]);
  } finally {
    scorer.dispose();
  }
}

beforeAll(() => startBackend('cpu'));

test.each(forms)('%s scores the items that are kept as before', async (_, name, given) => {
  const artifact = artifactOf(name, given);
  const { network } = trainings[name]!;
  const { config } = artifact.info;
  const selected = selectItems(artifact, KEPT, network.parameters(config as never, { items: N }));
  const session = [3, 9, 2, 12, 3];
  const before = await scoresOf(artifact, session);
  const after = await scoresOf(
    selected,
    session.map((item) => KEPT.indexOf(item) + 1),
  );
  expect(after).toHaveLength(KEPT.length);
  KEPT.forEach((old, k) => {
    expect(Math.abs(after[k]! - before[old - 1]!)).toBeLessThan(1e-6);
  });
  expect(selected.itemIds).toEqual(KEPT.map(String));
});

test('rows of special tokens stay behind those of the items', () => {
  const artifact = artifactOf('cl4srec', {});
  const specs = trainings['cl4srec']!.network.parameters(artifact.info.config as never, { items: N });
  const { data, shape } = artifact.tensors['items']!;
  const width = shape[1]!;
  expect(shape[0]).toBeGreaterThan(N + 1);
  const { tensors } = selectItems(artifact, KEPT, specs);
  expect(tensors['items']!.shape).toEqual([shape[0]! - N + KEPT.length, width]);
  expect(tensors['items']!.data.subarray(width * (KEPT.length + 1))).toEqual(data.subarray(width * (N + 1)));
});

describe('beside the weights', () => {
  const int32 = (...data: number[]) => ({ data: Int32Array.from(data), shape: [data.length] });
  const float32 = (...data: number[]) => ({ data: Float32Array.from(data), shape: [data.length] });
  const artifact: Artifact = {
    info: { ...NAMELESS, architecture: 'pop', config: {}, items: 4 },
    itemIds: ['a', 'b', 'c', '__proto__'],
    tensors: {
      'catalogue.support': int32(0, 5, 9, 1, 5),
      'catalogue.births': int32(0, 10, 20, 30, 40),
      'catalogue.features.brand': int32(0, 1, 2, 3, 1),
      'catalogue.features.price': float32(0, 0.1, 0.2, 0.3, 0.4),
      'catalogue.users': { data: Int32Array.of(1, 2, 3, 4), shape: [1, 4] },
      'catalogue.replay': int32(1, 3, 4, 3, 2, 1, 2),
      'catalogue.replay-offsets': int32(0, 3, 5, 7),
    },
    catalogue: [{ id: 'a', title: 'A' }, { id: 'c' }, { id: 'new' }, { id: '__proto__' }],
    aliases: new Map([
      ['c', { also: ['see'] }],
      ['__proto__', { group: 'g' }],
    ]),
    strategies: {
      boughtTogether: { of: 'cart', baskets: 9, pairs: { 1: [3, 0.5, 4, 0.25], 2: [3, 0.5], 3: [1, 1], 4: [1, 0.75] } },
      trending: { until: 99, items: [3, 7, 4, 2, 1, 1] },
    },
    rules: [{ do: 'bury', id: 'c' }],
  };

  test('everything follows the items that are kept', () => {
    const kept = mostSupported(artifact.tensors['catalogue.support']!.data, 3);
    expect(kept).toEqual([1, 2, 4]);
    expect(selectItems(artifact, kept, {})).toEqual({
      info: { ...artifact.info, items: 3 },
      itemIds: ['a', 'b', '__proto__'],
      tensors: {
        'catalogue.support': int32(0, 5, 9, 5),
        'catalogue.births': int32(0, 10, 20, 40),
        // The third brand is of no item any more, but its parameters are there.
        'catalogue.features.brand': int32(3, 1, 2, 1),
        'catalogue.features.price': float32(0, 0.1, 0.2, 0.4),
        'catalogue.users': artifact.tensors['catalogue.users'],
        'catalogue.replay': int32(1, 3, 1, 2),
        'catalogue.replay-offsets': int32(0, 2, 4),
      },
      catalogue: [{ id: 'a', title: 'A' }, { id: 'new' }, { id: '__proto__' }],
      aliases: new Map([['__proto__', { group: 'g' }]]),
      strategies: {
        boughtTogether: { of: 'cart', baskets: 9, pairs: { 1: [3, 0.25], 3: [1, 0.75] } },
        trending: { until: 99, items: [3, 2, 1, 1] },
      },
      rules: artifact.rules,
    });
  });

  test('what is left of nothing is absent', () => {
    const { tensors, strategies } = selectItems(artifact, [2], {});
    expect(Object.keys(tensors).filter((name) => name.includes('replay'))).toEqual([]);
    expect(strategies).toEqual({ trending: { until: 99, items: [] } });
  });

  test('of items of equal support the first are kept', () => {
    expect(mostSupported([0, 2, 7, 2, 2], 2)).toEqual([1, 2]);
    expect(mostSupported([0, 2, 7], 5)).toEqual([1, 2]);
  });
});
