/**
 * What the journey would tell, if something leaked: a leak of every kind, planted in a copy of the built files, is found by
 * the checker of the journey, with a security policy and without.
 */
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { openShopPage, STORING } from '../engine/shop-page';
import { closeServer, originOf } from '../server';
import { ANNA, BEN, isFile, journey, servePlanted } from './journey';
import { IN_PAGE, IN_WORKER, markOf, type Plant, scriptOf } from './plants';
import { NOTHING, storedIn } from './stored';
import { leakedActs, leaks, openWatchedBrowser, receivedBy, STRICT, STRICT_WITH_WASM, watchPage } from './watch';

vi.setConfig({ testTimeout: 180_000 });

const together = Object.entries(IN_PAGE).filter(([, { endsPage }]) => !endsPage);
const alone = Object.entries(IN_PAGE).filter(([, { endsPage }]) => endsPage);
/** Ids as they stand in the plants. */
const SECRETS = ['item-9'];

/** Everything that is found where these plants have run, each set in a page of its own. */
async function foundWith(csp: string | undefined): Promise<string[]> {
  const { context, close } = await openWatchedBrowser();
  const found: string[] = [];
  const shops: Parameters<typeof leakedActs>[1][number][] = [];
  const sets: [page: Record<string, Plant>, worker: Record<string, Plant>][] = [
    [Object.fromEntries(together), IN_WORKER],
    ...alone.map(([name, plant]): (typeof sets)[number] => [{ [name]: plant }, {}]),
  ];
  for (const [inPage, inWorker] of sets) {
    const plants = { 'index.js': scriptOf('page', inPage), 'worker.js': scriptOf('worker', inWorker) };
    const server = await servePlanted(plants, csp);
    const received = receivedBy(server);
    const shop = { origin: originOf(server), isFile, secrets: SECRETS };
    shops.push(shop);
    let watch: Awaited<ReturnType<typeof watchPage>> | undefined;
    const { page, ask } = await openShopPage(context, server, {
      recommender: { ...STORING, backend: 'cpu' },
      prepare: async (opened) => {
        watch = await watchPage(opened);
      },
    });
    await ask();
    for (const worker of page.workers()) await worker.evaluate('plant(); 0');
    await page.evaluate('plant(); 0');
    await page.waitForTimeout(2000); // connections come without a word
    const { seen, reported, timed } = watch!;
    const hasLeft = Object.values(inPage).some(({ endsPage }) => endsPage); // for a page that has no storage
    const left = hasLeft ? { timed: [], stored: NOTHING } : { timed: await timed(), stored: await storedIn(page) };
    const evidence = { received, seen, reported, ...left };
    for (const other of context.pages().slice(1)) await other.close({ runBeforeUnload: false });
    await new Promise((next) => setTimeout(next, 500)); // what is sent when a page is left
    found.push(...leaks(evidence, shop));
    closeServer(server);
  }
  return [...found, ...leakedActs(await close(), shops)];
}

describe.each([
  ['without a policy', undefined],
  ['under a strict policy', STRICT],
])('%s', (_, csp) => {
  let found: string[];
  beforeAll(async () => {
    found = await foundWith(csp);
  });

  const cases = [
    ...Object.entries(IN_PAGE).map(([name, plant]) => ['page', name, plant] as const),
    ...Object.entries(IN_WORKER).map(([name, plant]) => ['worker', name, plant] as const),
  ];
  test.each(cases.map(([where, name, plant]) => [name, where, plant] as const))('%s is found', (name, where, plant) => {
    const mark = markOf(where, name);
    const isIt = (line: string) => (plant.found ? plant.found.test(line) : new RegExp(`${mark}(?![a-z-])`).test(line));
    expect(found.some(isIt), found.join('\n')).toBe(true);
  });
});

test('a request that depends on what was looked at is found, though it is for a file of the model', async () => {
  const { context } = await openWatchedBrowser();
  onTestFinished(() => context.close());
  const listens = `new BroadcastChannel('aisle').onmessage = ({ data }) => {
    if (JSON.stringify(data).includes('item-50')) fetch('/model/items.json', { cache: 'no-store' });
  };`;
  const [anna, ben] = await Promise.all(
    [ANNA, BEN].map((visitor) =>
      journey(context, visitor, { backend: 'cpu', csp: STRICT_WITH_WASM, plants: { 'index.js': listens } }),
    ),
  );
  expect(leaks(ben!, ben!.shop)).toEqual([]);
  expect(ben!.steps).not.toEqual(anna!.steps);
});
