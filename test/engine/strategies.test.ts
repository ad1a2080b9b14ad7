/** What the engine answers by the counts of training, and the shop's rules. */
import { expect, test } from 'vitest';
import type { Strategies } from '../../src/checkpoint/artifact';
import type { CountedStrategy } from '../../src/engine/types';
import { clicks, folderOf, IDS, MODEL_URL, serveFolder, smallModel } from './fixture';
import { openEngine } from './open-engine';

const STRATEGIES: Strategies = {
  boughtTogether: { of: 'purchase', baskets: 9, pairs: { 1: [2, 0.5, 3, 0.25, 4, 0.1], 2: [1, 0.9, 3, 0.5] } },
  trending: { until: 1e9, items: [5, 3, 4, 2, 3, 2] },
};
const id = (index: number): string => IDS[index - 1]!;

async function loaded(further: object) {
  const fetchFile = serveFolder(await folderOf({ ...(await smallModel()), ...further }));
  const engine = openEngine({ fetchFile });
  await engine.load({ modelUrl: MODEL_URL, backend: 'cpu' });
  const answer = async (strategy: CountedStrategy, of: readonly string[] = [], exclude: readonly string[] = []) => {
    const { items, missing } = await engine.recommend({ session: clicks(...of), k: 2, exclude, strategy });
    return { items: items.map(({ itemId, score, reason }) => [itemId, score, reason]), missing };
  };
  return { engine, answer, urls: fetchFile.urls };
}

test('answers by what was counted, from a file that is loaded once it is wanted', async () => {
  const { answer, urls } = await loaded({ strategies: STRATEGIES });
  expect(urls).not.toContain(`${MODEL_URL}strategies.json`);
  const together = async (...of: string[]) => (await answer('bought-together', of)).items;
  expect(await together(id(1))).toEqual([
    [id(2), 0.5, 'bought-together'],
    [id(3), 0.25, 'bought-together'],
  ]);
  // The scores of a basket's items add up; what is in it is left out, and so is what nobody knows.
  expect(await together(id(1), id(2), id(1), 'unknown')).toEqual([
    [id(3), 0.75, 'bought-together'],
    [id(4), 0.1, 'bought-together'],
  ]);
  expect(await together(id(9))).toEqual([]);
  const { items } = await answer('trending', [id(5)], [id(4)]);
  expect(items).toEqual([
    [id(5), 3, 'trending'],
    [id(3), 2, 'trending'],
  ]);
  expect(urls.filter((url) => url.endsWith('strategies.json'))).toHaveLength(1);
});

test('says what the artifact lacks, and asks for no file that is not there', async () => {
  const { engine, answer, urls } = await loaded({});
  const { items, missing } = await answer('bought-together', [id(1)]);
  expect([items, missing]).toEqual([[], expect.stringContaining('has no "bought-together"')]);
  expect((await answer('trending')).missing).toContain('has no "trending"');
  expect(await engine.rules()).toBeNull();
  expect(urls.filter((url) => /strategies|rules/.test(url))).toEqual([]);
});

test('says that the model was replaced where its files are of another release by now, and that a file is damaged', async () => {
  const files = new Map(await folderOf({ ...(await smallModel()), strategies: STRATEGIES, rules: [] }));
  const engine = openEngine({ fetchFile: serveFolder(files) });
  await engine.load({ modelUrl: MODEL_URL, backend: 'cpu' });
  const trending = () => engine.recommend({ session: [], k: 2, exclude: [], strategy: 'trending' });
  const [own, rules] = [files.get('strategies.json')!, files.get('rules.json')!];
  files.set('strategies.json', new TextEncoder().encode('{}'));
  expect(await trending()).toMatchObject({
    items: [],
    missing: expect.stringMatching(
      /has no "trending" here: strategies\.json is 2 bytes long, .* copy the whole folder/,
    ),
  });
  files.set('strategies.json', own);
  const next = {
    ...(await smallModel({ seed: 2 })),
    strategies: { trending: { until: 1e9, items: [1, 1] } },
    rules: [{}],
  };
  for (const [name, bytes] of await folderOf(next)) files.set(name, bytes);
  const replaced = 'The model was replaced since it was loaded; the next page has the new one.';
  expect(await trending()).toMatchObject({ items: [], missing: expect.stringContaining(replaced) });
  await expect(engine.rules()).rejects.toThrow(replaced);
  files.set('strategies.json', own).set('rules.json', rules);
  expect((await trending()).items).toHaveLength(2);
});

test('hands out the rules of the shop as they are, from a file that is loaded once', async () => {
  const rules = [{ do: 'pin', id: 'a' }, { anything: 'else' }];
  const { engine, urls } = await loaded({ rules });
  for (let times = 0; times < 3; times++) expect(await engine.rules()).toEqual(rules);
  expect(urls.filter((url) => url.endsWith('rules.json'))).toHaveLength(1);
});
