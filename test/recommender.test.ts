import { describe, expect, test, vi } from 'vitest';
import { createRecommender, type Recommender } from '../src/index';
import { folderOf, IDS, smallModel } from './engine/fixture';
import { servedModels } from './recommender/served-models';

const MINUTE = 60_000;
let time = 1_700_000_000_000;
const CATALOGUE = IDS.map((id, k) => ({ id, title: `Thing ${k}`, availability: k === 9 ? 'sold out' : 'in stock' }));
const { requested, start: started } = servedModels(
  async () => ({ small: await folderOf(await smallModel({ catalogue: CATALOGUE })) }),
  () => time,
);
const ids = async (recommender: Recommender, options = {}) =>
  (await recommender.recommend(options)).map(({ itemId }) => itemId);

describe('a recommender', () => {
  test('tracks at once and recommends when the model is there', async () => {
    const warn = vi.spyOn(console, 'warn');
    const recommender = await started();
    expect(recommender.status).toEqual({
      storage: 'memory',
      consent: 'unknown',
      consentBy: {},
      paused: false,
      ids: { known: 0, unknown: 0, examples: [] },
      degraded: expect.any(Array),
    });
    recommender.track('item-9');
    const items = await recommender.recommend({ k: 5 });
    expect(items).toHaveLength(5);
    expect(items[0]).toEqual({ itemId: expect.any(String), score: expect.any(Number), reason: 'neural' });
    expect(items.map(({ score }) => score)).toEqual(items.map(({ score }) => score).sort((a, b) => b - a));
    expect(warn).not.toHaveBeenCalled(); // Node has no workers for pages, which needs no advice
  });

  test('recommends by the clicks of the session, oldest first', async () => {
    const [one, other] = [await started(), await started()];
    for (const id of ['item-9', '__proto__', 'a,b']) {
      one.track(id);
      time += MINUTE;
    }
    other.track({ itemId: 'a,b', time: time - MINUTE });
    other.track({ itemId: 'item-9', time: time - 3 * MINUTE });
    other.track({ itemId: '__proto__', time: time - 2 * MINUTE });
    expect(await ids(other)).toEqual(await ids(one));
    one.track('🧦');
    expect(await ids(one)).not.toEqual(await ids(other));
  });

  test('starts from popularity, and again when the session has ended', async () => {
    const recommender = await started({ sessionGap: 10 });
    const popular = await recommender.recommend();
    expect(popular).toHaveLength(10);
    expect(new Set(popular.map(({ reason }) => reason))).toEqual(new Set(['popular']));
    recommender.track('item-9');
    time += 10 * MINUTE;
    expect((await recommender.recommend())[0]!.reason).toBe('neural');
    expect(await recommender.recommend({ strategy: 'popular' })).toEqual(popular);
    time += 1;
    expect(await recommender.recommend()).toEqual(popular);
  });

  test('leaves out what is excluded or not available, and gives fewer where there are no more', async () => {
    const recommender = await started();
    recommender.track('item-9');
    const all = await ids(recommender, { k: 1000 });
    expect(all).toHaveLength(IDS.length - 1);
    expect(all).not.toContain(IDS[9]);
    expect(await ids(recommender, { k: 1000, exclude: all.slice(0, 50) })).toEqual(all.slice(50));
  });

  test('gives the products of the catalogue', async () => {
    const products = await (await started()).catalogue();
    expect(products).toHaveLength(IDS.length);
    expect(products[3]).toMatchObject({ id: '__proto__', title: 'Thing 3' });
  });

  test('tells what happens: progress, ready, status, recommendations', async () => {
    const recommender = await started({ backend: 'auto' });
    const received: string[] = [];
    const stop = recommender.on('recommendations', ({ items, milliseconds }) => {
      expect(milliseconds).toBeGreaterThanOrEqual(0);
      received.push(`recommendations ${items.length}`);
    });
    recommender.on('progress', ({ stage }) => received.push(stage));
    recommender.on('status', ({ model }) => received.push(model ? 'status' : 'degraded'));
    recommender.on('ready', ({ name }) => received.push(`ready ${name}`));
    await recommender.recommend({ k: 3 });
    expect(received).toEqual(expect.arrayContaining(['download', 'backend', 'check', 'status']));
    expect(received.slice(-2)).toEqual(['ready small gru4rec', 'recommendations 3']);
    stop();
    stop();
    await recommender.recommend({ k: 4 });
    expect(received).not.toContain('recommendations 4');
    expect(recommender.status).toMatchObject({
      engine: { backend: 'cpu', thread: 'main', why: expect.stringContaining('wasm') },
      model: { name: 'small gru4rec', items: IDS.length },
      storage: 'memory',
      degraded: [{ code: 'no-worker', message: expect.stringContaining('no workers here'), since: time }],
    });
  });

  test('tells its listeners what was chosen', async () => {
    const recommender = await started();
    const received: unknown[] = [];
    recommender.on('select', (selection) => received.push(selection));
    recommender.select({ itemId: 'item-9', index: 2, list: 'home', reason: 'neural' });
    expect(() => recommender.select({ itemId: '' })).toThrow(RangeError);
    expect(() => recommender.select(undefined as never)).toThrow(RangeError);
    expect(received).toEqual([{ itemId: 'item-9', index: 2, list: 'home', reason: 'neural' }]);
  });

  test('goes on with what starts where the backend asked for does not, and says so', async () => {
    const recommender = await started({ backend: 'wasm' }); // Node would have to be told where its files are
    expect(await recommender.recommend()).toHaveLength(10);
    expect(recommender.status.engine).toMatchObject({ backend: 'cpu' });
    expect(recommender.status.degraded.map(({ code }) => code)).toContain('no-backend');
  });

  test('asks for the files of the model and nothing else, whatever is clicked', async () => {
    requested.length = 0;
    const recommender = await started();
    for (const id of IDS) {
      recommender.track(id);
      await recommender.recommend();
    }
    const files = ['catalogue.json', 'items.json', 'manifest.json', 'weights.safetensors'];
    expect(requested.sort()).toEqual(files.map((name) => `/small/${name}`));
  });

  test('reports a model that cannot be loaded, to listeners and to every call', async () => {
    const recommender = await started({}, 'nothing-here');
    const errors: string[] = [];
    recommender.on('error', ({ code, message }) => errors.push(`${code}: ${message}`));
    recommender.track('item-9');
    for (const call of [recommender.recommend(), recommender.catalogue(), recommender.recommend()]) {
      await expect(call).rejects.toMatchObject({ code: 'bad-artifact' });
    }
    expect(errors).toEqual([expect.stringMatching(/^bad-artifact: .*nothing-here\/manifest\.json/)]);
  });

  test('ends a call when its signal fires; that is no error', async () => {
    const recommender = await started();
    const errors: unknown[] = [];
    recommender.on('error', (error) => errors.push(error));
    const early = new AbortController();
    const waiting = recommender.recommend({ signal: early.signal }); // the model is still loading
    early.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
    await recommender.recommend();
    const late = new AbortController();
    const answer = recommender.recommend({ signal: late.signal });
    late.abort();
    await expect(answer).rejects.toMatchObject({ code: 'aborted' });
    expect(errors).toEqual([]);
  });

  test('takes 1,000 clicks without a tensor more or less', async () => {
    const { memory } = await import('@tensorflow/tfjs');
    const recommender = await started();
    recommender.track('item-9');
    await recommender.recommend();
    const { numTensors, numBytes } = memory();
    for (let click = 0; click < 1000; click++) {
      recommender.track(click % 9 === 0 ? 'unknown' : IDS[(click * 7) % IDS.length]!);
      time += click % 100 === 0 ? 31 * MINUTE : 1000;
      if (click % 10 === 0) await recommender.recommend();
    }
    recommender.track('item-9');
    await recommender.recommend();
    expect(memory()).toMatchObject({ numTensors, numBytes });
  });

  test('in a page that nobody has seen records nothing, and when it is seen what was not erased before', async () => {
    const page = new EventTarget();
    const document = Object.assign(new EventTarget(), { visibilityState: 'hidden', baseURI: 'https://shop.example/' });
    vi.stubGlobal('document', document);
    vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
    vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page));
    const recommender = await started();
    const known = async () =>
      (await recommender.privacy.export()).sessions.flat().map(({ itemId, time }) => `${itemId} ${Date.parse(time)}`);
    recommender.track('item-10');
    await recommender.privacy.erase();
    const features = { price: 1 };
    recommender.track({ itemId: 'item-11', time: time - MINUTE, features });
    features.price = 2;
    recommender.track('item-9');
    expect(() => recommender.track('')).toThrow(RangeError);
    time += MINUTE;
    page.dispatchEvent(new Event('visibilitychange'));
    expect(await known()).toEqual([]);
    document.visibilityState = 'visible';
    page.dispatchEvent(new Event('visibilitychange'));
    expect(await known()).toEqual([`item-11 ${time - 2 * MINUTE}`, `item-9 ${time}`]);
    expect((await recommender.privacy.export()).sessions[0]![0]).toMatchObject({ features: { price: 1 } });
    recommender.track('item-12');
    expect(await known()).toHaveLength(3);
    vi.unstubAllGlobals();
  });

  test('is over after dispose, which frees every tensor', async () => {
    const { memory } = await import('@tensorflow/tfjs');
    const before = memory().numTensors;
    const recommender = await started();
    await recommender.recommend();
    expect(memory().numTensors).toBeGreaterThan(before);
    const waiting = expect(recommender.recommend()).rejects.toMatchObject({ code: 'disposed' });
    await recommender.dispose();
    await recommender.dispose();
    await waiting;
    expect(memory().numTensors).toBe(before);
    expect(() => recommender.track('item-9')).toThrow('disposed');
    await expect(recommender.recommend()).rejects.toMatchObject({ code: 'disposed' });
  });
});

describe('a wrong argument throws a RangeError at once:', () => {
  test.each<[string, object]>([
    ['no model', {}],
    ['an address that is none', { modelUrl: 'models/small' }],
    ['another backend', { modelUrl: 'https://a/', backend: 'gpu' }],
    ['no gap', { modelUrl: 'https://a/', sessionGap: 0 }],
    ['a gap that is no number', { modelUrl: 'https://a/', sessionGap: '30' }],
    ['an empty worker address', { modelUrl: 'https://a/', workerUrl: '' }],
    ['a deadline of less than nothing', { modelUrl: 'https://a/', startDeadline: -1 }],
    ['another consent', { modelUrl: 'https://a/', consent: 'yes' }],
    ['another history', { modelUrl: 'https://a/', history: 'none' }],
    ['a clock that stands', { modelUrl: 'https://a/', now: 5 }],
  ])('createRecommender with %s', (_, options) => {
    expect(() => createRecommender(options as never)).toThrow(RangeError);
  });

  test('track and recommend', async () => {
    const recommender = await started();
    for (const event of ['', 7, null, {}, { itemId: '' }, { itemId: 'a', time: -1 }, { itemId: 'a', event: '' }]) {
      expect(() => recommender.track(event as never), JSON.stringify(event)).toThrow(RangeError);
    }
    for (const options of [
      { k: 0 },
      { k: 1.5 },
      { exclude: 'a' },
      { exclude: [1] },
      { strategy: 'best' },
      { signal: 1 },
    ]) {
      expect(() => recommender.recommend(options as never), JSON.stringify(options)).toThrow(RangeError);
    }
  });
});

test('a listener that throws neither stops the others nor fails the call; the console tells', async () => {
  const recommender = await started();
  const received: number[] = [];
  const notices = vi.spyOn(console, 'error').mockImplementation(() => {});
  recommender.on('recommendations', () => {
    throw new Error('a mistake of the page');
  });
  recommender.on('recommendations', ({ items }) => received.push(items.length));
  expect(await recommender.recommend({ k: 2 })).toHaveLength(2);
  expect(received).toEqual([2]);
  expect(notices.mock.calls).toEqual([[expect.stringContaining('"recommendations"'), expect.any(Error)]]);
  notices.mockRestore();
});
