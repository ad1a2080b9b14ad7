/** What a call of `recommend` may ask for besides the next items, and which error it gets where it is misspelt. */
import { describe, expect, test } from 'vitest';
import type { Artifact } from '../src/checkpoint/artifact';
import { createRecommender, type Recommender, type RecommendOptions } from '../src/index';
import { configure } from '../src/models/configuration';
import { models } from '../src/models/index';
import { baselines } from '../src/neighbours/index';
import { folderOf, IDS, smallModel } from './engine/fixture';
import { sessionsOf } from './neighbours/fixtures';
import { servedModels } from './recommender/served-models';

const PICTURE = 'data:image/svg+xml,<svg/>';
const catalogue = IDS.map((id, k) => ({
  id,
  title: `Thing ${k}`,
  price: k,
  image: k % 2 === 0 ? PICTURE : `https://pictures.example/${k}.png`,
  availability: k === 9 ? 'sold out' : 'in stock',
}));

const MINUTE = 60_000;
let time = 1_700_000_000_000;
const { folders, start: started } = servedModels(
  async () => ({
    small: await folderOf(await smallModel({ catalogue })),
    bare: await folderOf(await smallModel()),
  }),
  () => time,
);
function visit(recommender: Recommender, ...ids: readonly string[]): void {
  for (const id of ids) {
    recommender.track(id);
    time += MINUTE;
  }
}
const ids = async (recommender: Recommender, options: RecommendOptions = {}) =>
  (await recommender.recommend(options)).map(({ itemId }) => itemId);

describe('related items', () => {
  test.each([...Object.keys(models), ...Object.keys(baselines)])(
    'of %s are those of a visit to that item alone',
    async (architecture) => {
      folders.set(architecture, await folderOf(await smallModel({ architecture, config: {} })));
      const [here, other] = [await started({}, architecture), await started({}, architecture)];
      visit(here, IDS[20]!, IDS[21]!);
      visit(other, IDS[30]!);
      const related = await here.recommend({ strategy: 'related', item: IDS[30]! });
      const expected = await other.recommend({ exclude: [IDS[30]!] });
      expect(related.map(({ itemId }) => itemId)).toEqual(expected.map(({ itemId }) => itemId));
      // The baselines were given nothing to count: they know popular items only.
      const reason = architecture in baselines ? 'popular' : 'related';
      expect(new Set(related.map(({ reason }) => reason))).toEqual(new Set([reason]));
    },
  );

  test('are of the newest click where no item is named, and popular where there is none', async () => {
    const recommender = await started();
    expect((await recommender.recommend({ strategy: 'related' }))[0]!.reason).toBe('popular');
    visit(recommender, IDS[20]!, IDS[21]!);
    const related = await recommender.recommend({ strategy: 'related' });
    expect(related).toEqual(await recommender.recommend({ strategy: 'related', item: IDS[21]! }));
    expect(related.map(({ itemId }) => itemId)).not.toContain(IDS[21]);
  });

  test('of an item that the model does not know are popular, and say so', async () => {
    const recommender = await started();
    visit(recommender, IDS[20]!);
    const related = await recommender.recommend({ strategy: 'related', item: 'new in the shop' });
    expect(related).toEqual(await recommender.recommend({ strategy: 'popular' }));
  });

  test('leave the visit as it was', async () => {
    const recommender = await started();
    visit(recommender, IDS[20]!, IDS[21]!);
    const before = await recommender.recommend();
    await recommender.recommend({ strategy: 'related', item: IDS[30]! });
    expect(await recommender.recommend()).toEqual(before);
  });
});

describe('recent items', () => {
  test('are those seen last, newest first, each once, but not the one on show', async () => {
    const recommender = await started();
    expect(await recommender.recommend({ strategy: 'recent' })).toEqual([]);
    visit(recommender, IDS[20]!, IDS[21]!, IDS[20]!, 'not in the catalogue', IDS[9]!, IDS[22]!);
    const recent = await recommender.recommend({ strategy: 'recent' });
    expect(recent.map(({ itemId, reason }) => [itemId, reason])).toEqual(
      [IDS[22], IDS[20], IDS[21]].map((id) => [id, 'recent']),
    );
    expect(await ids(recommender, { strategy: 'recent', item: IDS[22]! })).toEqual([IDS[20], IDS[21]]);
    expect(await ids(recommender, { strategy: 'recent', k: 1, exclude: [IDS[22]!] })).toEqual([IDS[20]]);
  });

  test('are as far back as the history that counts', async () => {
    const [session, all] = [await started(), await started({ history: 'all' })];
    for (const recommender of [session, all]) recommender.track({ itemId: IDS[20]!, time: time - 120 * MINUTE });
    visit(session, IDS[21]!);
    visit(all, IDS[21]!);
    expect(await ids(session, { strategy: 'recent' })).toEqual([IDS[21]]);
    expect(await ids(all, { strategy: 'recent' })).toEqual([IDS[21], IDS[20]]);
    await all.privacy.erase();
    expect(await ids(all, { strategy: 'recent' })).toEqual([]);
  });
});

describe('a filter', () => {
  test('may look through a catalogue of hundreds of thousands of items', async () => {
    const items = 150_000;
    const support = Int32Array.from({ length: items + 1 }, (_, i) => i);
    const baseline = baselines.pop!;
    const artifact: Artifact = {
      info: {
        name: 'large',
        version: '1',
        architecture: 'pop',
        config: {},
        items,
        training: {},
        licence: '',
        modelCard: '',
        golden: { session: [1], top: [] },
      },
      itemIds: Array.from({ length: items }, (_, k) => `${k}`),
      tensors: {
        ...baseline.fit(sessionsOf([]), { items, support }, configure(baseline, {})),
        'catalogue.support': { data: support, shape: [items + 1] },
      },
    };
    folders.set('large', await folderOf(artifact));
    const recommender = await started({}, 'large');
    const passed = await ids(recommender, { k: items, filter: ({ id }) => Number(id) > 0 });
    expect(passed).toHaveLength(items - 1);
    expect(passed.every((id, place) => Number(id) === items - 1 - place)).toBe(true);
  });

  test('leaves out what it does not let pass, and the next best take its place', async () => {
    const recommender = await started();
    visit(recommender, IDS[20]!);
    for (const strategy of ['for-you', 'related', 'popular'] as const) {
      const all = await recommender.recommend({ k: 1000, strategy });
      const even = all.filter(({ itemId }) => IDS.indexOf(itemId) % 2 === 0);
      const filter = ({ price }: { price?: number }) => price! % 2 === 0;
      expect(await recommender.recommend({ k: 3, strategy, filter })).toEqual(even.slice(0, 3));
      expect(await recommender.recommend({ k: 1000, strategy, filter })).toEqual(even);
      const last = all.at(-1)!.itemId;
      expect(await ids(recommender, { k: 3, strategy, filter: ({ id }) => id === last })).toEqual([last]);
    }
    expect(await ids(recommender, { strategy: 'recent', filter: () => false })).toEqual([]);
  });

  test('sees each product once', async () => {
    const recommender = await started();
    const seen: string[] = [];
    await recommender.recommend({ k: 2, filter: ({ id }) => seen.push(id) < 0 });
    expect(seen).toHaveLength(IDS.length - 1);
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('sees no more than the best that it may look at', async () => {
    const recommender = await started();
    visit(recommender, IDS[20]!, IDS[21]!);
    for (const [strategy, within] of [
      ['for-you', 20],
      ['related', 14], // as many as are asked for at first
      ['popular', 2],
      ['recent', 1],
    ] as const) {
      const best = await ids(recommender, { k: within, strategy });
      const seen: string[] = [];
      const none = await ids(recommender, { k: 3, strategy, within, filter: ({ id }) => seen.push(id) < 0 });
      expect([none, seen]).toEqual([[], best]);
    }
  });

  test('that throws fails the call, and the error names the product', async () => {
    const recommender = await started();
    const filter = () => {
      throw new Error('a mistake of the shop');
    };
    await expect(recommender.recommend({ filter })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(/filter threw for the product ".+": a mistake of the shop/),
    });
  });

  test('that answers later fails the call: every promise would count as yes', async () => {
    const recommender = await started();
    const filter = (async () => false) as unknown as () => boolean;
    await expect(recommender.recommend({ filter })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(/filter threw for the product ".+": it returns a promise/),
    });
  });
});

describe('products', () => {
  test('are given by their ids, in that order, without those that the catalogue does not have', async () => {
    const products = await (await started()).products([IDS[3]!, 'not here', IDS[9]!]);
    expect(products.map((product) => product?.title)).toEqual(['Thing 3', undefined, 'Thing 9']);
    expect(products[1]).toBeNull();
  });

  test('are copies, also where the page computes in its own thread: what it changes in them is not known to the model', async () => {
    const recommender = await started();
    const wanted = { id: IDS[4]!, price: 4 };
    for (const product of [(await recommender.products([IDS[4]!]))[0]!, (await recommender.catalogue())[4]!]) {
      expect(product).toMatchObject(wanted);
      Object.assign(product, { price: 99 });
      expect((await recommender.products([IDS[4]!]))[0]).toMatchObject(wanted);
      expect((await recommender.catalogue())[4]).toMatchObject(wanted);
    }
  });

  test('are bare ids where there is no catalogue', async () => {
    const recommender = await started({}, 'bare');
    expect(await recommender.products([IDS[3]!, 'not here'])).toEqual([{ id: IDS[3] }, null]);
    visit(recommender, IDS[3]!);
    expect(await ids(recommender, { strategy: 'recent' })).toEqual([IDS[3]]);
  });

  test.each([
    ['artifact', [PICTURE, undefined]],
    ['page', [PICTURE, 'https://pictures.example/1.png']],
    ['none', [undefined, undefined]],
  ] as const)('have the pictures that `images: %s` lets pass', async (images, expected) => {
    const recommender = await started({ images });
    const pictures = (products: readonly ({ readonly image?: string } | null)[]) => products.map((p) => p?.image);
    expect(pictures(await recommender.products([IDS[0]!, IDS[1]!]))).toEqual(expected);
    expect(pictures((await recommender.catalogue()).slice(0, 2))).toEqual(expected);
  });
});

describe('what is misspelt throws a RangeError at once, which names the nearest:', () => {
  test.each<[string, (recommender: Recommender) => unknown, string]>([
    ['an option', () => createRecommender({ modelUrl: 'https://a/', sesionGap: 5 } as never), 'sessionGap'],
    [
      'a field of an event',
      (recommender) => recommender.track({ itemId: 'a', kind: 'view', tme: 5 } as never),
      'itemId',
    ],
    ['a field of an event', (recommender) => recommender.track({ itemId: 'a', tiem: 5 } as never), 'time'],
    ['a field of a request', (recommender) => recommender.recommend({ excluded: [] } as never), 'exclude'],
    ['an event', (recommender) => recommender.on('recomendations' as never, () => {}), 'recommendations'],
  ])('%s', async (_, call, nearest) => {
    const recommender = await started();
    expect(() => call(recommender)).toThrow(RangeError);
    expect(() => call(recommender)).toThrow(nearest);
  });

  test('a wrong value', async () => {
    const recommender = await started();
    for (const request of [{ item: '' }, { item: 5 }, { filter: true }, { strategy: 'newest' }, { within: 0 }]) {
      expect(() => recommender.recommend(request as never), JSON.stringify(request)).toThrow(RangeError);
    }
    expect(() => recommender.track({ itemId: 'a', features: { hour: {} } } as never)).toThrow(RangeError);
    expect(() => recommender.track({ itemId: 'a', features: { hour: 12 } })).not.toThrow();
    expect(() => recommender.track({ itemId: 'a', pageView: 5 } as never)).toThrow(RangeError);
    expect(() => recommender.products('a' as never)).toThrow(RangeError);
    expect(() => createRecommender({ modelUrl: 'https://a/', images: 'all' } as never)).toThrow(RangeError);
  });
});

test('`bad-rules` is over once the rules can be read', async () => {
  const rules = [{ do: 'exclude', id: ['item-9'] }];
  const files = new Map(await folderOf({ ...(await smallModel()), rules }));
  const own = files.get('rules.json')!;
  folders.set('ruled', files.set('rules.json', new TextEncoder().encode('[]')));
  const recommender = await started({}, 'ruled');
  const codes = () => recommender.status.degraded.map(({ code }) => code);
  expect(await recommender.rules()).toEqual([]);
  expect(codes()).toContain('bad-rules');
  files.set('rules.json', own);
  expect(await recommender.rules()).toHaveLength(1);
  expect(codes()).not.toContain('bad-rules');
});
