import { beforeAll, describe, expect, test } from 'vitest';
import type { Artifact, CatalogueItem } from '../../src/checkpoint/artifact';
import { packArtifact } from '../../src/checkpoint/pack';
import { loadScorer } from '../../src/ranking/load-scorer';
import { trainFromLog } from '../../src/train/train-from-log';
import { start } from '../compute/backends/start';
import { logOf, supportOf } from './helpers';

beforeAll(() => start('cpu'));

const IDS = ['a', 'b', 'c', 'd', 'e', 'f'];
const PRODUCTS: CatalogueItem[] = IDS.map((id, k) => ({
  id,
  price: 10 * k,
  ...(k !== 2 && { category: [k % 2 === 0 ? 'even' : 'odd'] }),
}));
const log = logOf([
  [1, 2, 3],
  [4, 5, 6, 1],
  [2, 4, 6],
  [3, 1, 5, 2],
]);
const options = {
  model: 'transformers4rec',
  config: {
    features: 'category,price:soft,hour,weekday:categorical',
    dModel: 8,
    itemEmbeddingDim: 8,
    nHead: 2,
    nLayer: 1,
    batchSize: 4,
  },
  log: { sessions: log },
  itemIds: IDS,
  support: supportOf(log, IDS.length),
  seed: 1,
  epochs: 2,
};
const artifactOf = ({ architecture, config, tensors, golden }: Awaited<ReturnType<typeof trainFromLog>>): Artifact => ({
  info: {
    name: 'side',
    version: '1',
    architecture,
    config,
    items: IDS.length,
    golden,
    training: {},
    licence: 'MIT',
    modelCard: '',
  },
  itemIds: IDS,
  tensors,
});

test.each(['hour', 'weekday:categorical', 'age'])('%s of a log without times is refused', async (features) => {
  const untimed = { ...log, times: new Float64Array(log.items.length) };
  const training = trainFromLog({ ...options, log: { sessions: untimed }, config: { ...options.config, features } });
  await expect(training).rejects.toThrow(`The feature "${features.split(':')[0]}" needs times, and the log has none`);
});

test('what a model reads of items and clicks goes from the catalogue and the times into its answers', async () => {
  const artifact = artifactOf(await trainFromLog({ ...options, products: PRODUCTS }));
  expect(Array.from(artifact.tensors['catalogue.features.category']!.data)).toEqual([0, 1, 2, 0, 2, 1, 2]);
  expect((await packArtifact(artifact)).size).toBeGreaterThan(0); // an artifact may hold them

  const scorer = await loadScorer(artifact);
  const session = { items: [1, 2], times: [0, 3600] };
  const before = await scorer.score([session]);
  expect(await scorer.score([{ ...session, times: [7 * 3600, 8 * 3600] }])).not.toEqual(before); // another hour
  scorer.dispose();

  const category = artifact.tensors['catalogue.features.category']!;
  const moved = { ...category, data: category.data.map((value) => (value === 0 ? 0 : 3 - value)) };
  const other = await loadScorer({
    ...artifact,
    tensors: { ...artifact.tensors, 'catalogue.features.category': moved },
  });
  expect(await other.score([session])).not.toEqual(before); // other categories
  other.dispose();
});

test('a model whose features the catalogue lacks is refused before it learns', async () => {
  await expect(trainFromLog(options)).rejects.toThrow(
    'No click and no item has the feature "category". The log has no further columns; there is no catalogue of its items',
  );
});

test('a missing category has a vector of zeros, whatever batches read it', async () => {
  const sessions = logOf([
    [1, 2, 3],
    [4, 5, 6],
  ]); // of one length, so that no batch has padding
  const device = { codes: Int32Array.of(1, 0, 2, 0, 1, 2), names: ['', 'phone', 'desk'] };
  const { tensors } = await trainFromLog({
    ...options,
    config: { ...options.config, features: 'device', lm: 'gru', objective: 'clm' },
    log: { sessions, features: new Map([['device', device]]) },
  });
  const { data, shape } = tensors['features.device.table']!;
  expect(Array.from(data.subarray(0, shape[1]))).toEqual(new Array(shape[1]).fill(0));
});

describe('a training that goes on', () => {
  const DAY = 86_400;
  const config = { ...options.config, features: 'category,price:numeric,age' };
  const on = (day: number, products: readonly CatalogueItem[]) => ({
    ...options,
    config,
    products,
    log: { sessions: { ...log, times: log.times.map((time) => day * DAY + time) } },
  });
  const knownOf = ({ tensors, features, itemFeatures }: Awaited<ReturnType<typeof trainFromLog>>) => ({
    items: IDS.length,
    tensors,
    ...(features && { features }),
    ...(itemFeatures && { itemFeatures }),
  });

  test('numbers categories, prices and ages of items as its weights know them', async () => {
    const first = await trainFromLog(on(100, PRODUCTS));
    const today = PRODUCTS.slice(1); // the first product has left the shop, and with it the first "even"
    const second = await trainFromLog({ ...on(200, today), from: knownOf(first) });
    expect(second.itemFeatures).toEqual(first.itemFeatures);
    for (const name of ['catalogue.features.category', 'catalogue.features.price']) {
      const [was, is] = [first, second].map(({ tensors }) => Array.from(tensors[name]!.data));
      expect(is!.slice(2)).toEqual(was!.slice(2));
    }
    expect(second.tensors['catalogue.births']).toEqual(first.tensors['catalogue.births']);
  });

  test('from a model that does not say how it numbers them is refused', async () => {
    const { itemFeatures: _, ...from } = knownOf(await trainFromLog(on(100, PRODUCTS)));
    await expect(trainFromLog({ ...on(200, PRODUCTS), from })).rejects.toThrow(
      'The model to go on from does not say how it numbers the feature "category" of items',
    );
  });
});
