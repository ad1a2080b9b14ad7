/** Under which ids the model gets what a page has reported. */
import { describe, expect, test } from 'vitest';
import type { Candidate, CandidateKind, Recommender, Status } from '../../src/index';
import { createIdentity } from '../../src/recommender/identity';
import { VisitorHistory } from '../../src/session/visitor-history';
import type { StoredEvent } from '../../src/store/records';
import { folderOf, smallModel } from '../engine/fixture';
import { servedModels } from './served-models';

let time = 1_700_000_000_000;
const aliases = new Map([
  ['item-9', { also: ['4711'], group: 'nine' }],
  ['item-10', { also: ['4712'] }],
]);
const { start } = servedModels(
  async () => ({ small: await folderOf(await smallModel({ aliases })) }),
  () => time,
);
const is = (kind: CandidateKind, id: string): Candidate => ({ id, kind, source: 'test' });
const view = (pageView: string, ...candidates: Candidate[]) => ({ itemId: candidates[0]!.id, pageView, candidates });
const answer = async (recommender: Recommender) => (await recommender.recommend()).map(({ itemId }) => itemId);
const events = async (recommender: Recommender) =>
  (await recommender.privacy.export()).sessions.flat().map(({ event, itemId }) => `${event} ${itemId}`);

describe('what is tracked', () => {
  test('is read as the item of which it is an alias, in the answer, its exclusions and its steps', async () => {
    const [one, other] = [await start(), await start()];
    for (const id of ['item-9', 'item-10']) one.track(id);
    one.track({ itemId: 'item-9', event: 'cart' });
    for (const id of ['4711', 'item-10']) other.track(id);
    other.track({ itemId: '4711', event: 'cart' });
    expect(await answer(other)).toEqual(await answer(one));
    expect(await events(other)).toEqual(['view item-9', 'view item-10', 'cart item-9']);
    expect(other.status.ids).toEqual({ known: 2, unknown: 0, examples: [] });
  });

  test('before the model is there is read when it is', async () => {
    const recommender = await start();
    recommender.track(view('0', is('sku', 'x'), is('group', 'nine')));
    expect(recommender.status.ids).toEqual({ known: 0, unknown: 0, examples: [] });
    expect((await recommender.recommend())[0]!.reason).toBe('neural');
    const { sessions } = await recommender.privacy.export();
    expect(sessions).toMatchObject([[{ itemId: 'item-9', candidates: [is('sku', 'x'), is('group', 'nine')] }]]);
  });

  test('of one page view is one view, which later reports complete', async () => {
    const recommender = await start();
    recommender.track(view('0', is('sku', 'x')));
    recommender.track(view('0', is('sku', 'x'), is('gtin', '4711')));
    recommender.track(view('0', is('item_id', '4712'), is('sku', 'x'), is('gtin', '4711')));
    recommender.track(view('0', is('item_id', '4712'), is('sku', 'x')));
    await recommender.recommend();
    expect(await events(recommender)).toEqual(['view item-10']);
    recommender.track(view('1', is('sku', 'item-10')));
    recommender.track(view('1', is('sku', 'y')));
    await recommender.recommend();
    expect(await events(recommender)).toEqual(['view item-10', 'view item-10']);
  });

  test('of two products that a page names one after the other is two views, of one in two spellings one', async () => {
    const recommender = await start();
    recommender.track(view('0', is('item_id', '4711')));
    recommender.track(view('0', is('item_id', '4711')));
    recommender.track(view('0', is('item_id', 'item-9'), is('item_id', '4711')));
    recommender.track(view('0', is('item_id', 'item-10')));
    await recommender.recommend();
    expect(await events(recommender)).toEqual(['view item-9', 'view item-10']);
  });

  test('and taken out of the cart again is not read', async () => {
    const [one, other] = [await start(), await start()];
    one.track('item-9');
    other.track('item-9');
    other.track({ itemId: 'item-12', event: 'remove' });
    expect(await answer(other)).toEqual(await answer(one));
    expect(await events(other)).toEqual(['view item-9', 'remove item-12']);
  });

  test.each<[string, unknown]>([
    ['none', []],
    ['nine', Array.from({ length: 9 }, (_, k) => is('sku', `${k}`))],
    ['an unknown kind', [{ id: 'a', kind: 'colour', source: 'test' }]],
    ['2 kB', [is('sku', 'x'.repeat(2000))]],
  ])('with wrong candidates is refused: %s', async (_, candidates) => {
    const recommender = await start();
    expect(() => recommender.track({ itemId: 'a', candidates: candidates as Candidate[] })).toThrow(
      /^candidates: expected 1 to 8 of \{ id, kind, source \}, each id of at most 1000 characters/,
    );
    expect(() => recommender.identify(candidates as Candidate[])).toThrow(RangeError);
  });
});

test('identify gives the item of the model, or null', async () => {
  const recommender = await start();
  expect(await recommender.identify([is('sku', 'x'), is('gtin', '4711')])).toBe('item-9');
  expect(await recommender.identify([is('sku', 'x')])).toBeNull();
});

test('ids that the model does not know are counted, and five of them reported once', async () => {
  const recommender = await start();
  const codes = () => recommender.status.degraded.map(({ code }) => code);
  recommender.track('item-9');
  for (let k = 0; k < 4; k++) recommender.track(view(`${k}`, is('sku', `WRONG-item-${k}`)));
  await recommender.recommend();
  expect(recommender.status.ids).toMatchObject({ known: 1, unknown: 4 });
  expect(codes()).not.toContain('unknown-ids');
  for (let k = 4; k < 8; k++) recommender.track(view(`${k}`, is('sku', `WRONG-item-${k}`)));
  await recommender.recommend();
  expect(recommender.status.ids).toEqual({
    known: 1,
    unknown: 8,
    examples: Array.from({ length: 5 }, (_, k) => `WRONG-item-${k}`),
  });
  const entries = recommender.status.degraded.filter(({ code }) => code === 'unknown-ids');
  expect(entries).toHaveLength(1);
  expect(entries[0]!.message).toMatch(
    /^tracked \d ids, the model knows 1; the page says sku 'WRONG-item-0', the model has '[^']+', …; see docs\/identity\.md$/,
  );
  await recommender.privacy.erase();
  await expect.poll(() => recommender.status.ids).toEqual({ known: 0, unknown: 0, examples: [] });
  expect(codes()).not.toContain('unknown-ids'); // it names what was erased
  time += 1;
});

test('while another catalogue is asked, events are still read by the one before', async () => {
  const found = new Map([['4711', 'item-9']]);
  const history: VisitorHistory<StoredEvent> = new VisitorHistory({
    gap: 1800,
    read: (events) => identity.read(events),
  });
  const identity = createIdentity({
    engine: {
      resolve: async (asked) => asked.map(([first]) => found.get(first!.id) ?? null),
      foreignIds: async () => '',
    },
    history,
    status: () => ({}) as Status,
    update() {},
    degrade() {},
    mend() {},
  });
  history.add([{ tab: 't', number: 0, time: 1, itemId: '4711', event: 'view' }]);
  const items = () =>
    history
      .sessions()
      .flat()
      .map(({ itemId }) => itemId);
  await identity.settle();
  found.set('4711', 'item-10');
  identity.changed();
  const settled = identity.settle();
  expect(items()).toEqual(['item-9']);
  await settled;
  expect(items()).toEqual(['item-10']);
});

test('the first id of a session is reported beside one of the model if it knows none, which is nothing degraded yet', async () => {
  const recommender = await start();
  recommender.track(view('0', is('sku', 'WRONG-item-9'), is('gtin', 'x')));
  await recommender.recommend();
  expect(recommender.status.ids.why).toMatch(
    /^tracked 1 id, the model knows 0; the page says sku 'WRONG-item-9', the model has 'item-9', …; see docs/,
  );
  expect(recommender.status.degraded.map(({ code }) => code)).not.toContain('unknown-ids');
  const { nearest } = await recommender.diagnose('WRONG-item-12');
  expect(nearest).toBe('item-12');
  recommender.track('item-9');
  await recommender.recommend();
  expect(recommender.status.ids).toEqual({ known: 1, unknown: 1, examples: ['WRONG-item-9'] });
});
