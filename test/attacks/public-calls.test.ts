/**
 * Calls of the library with values of every kind, hostile ones among them. `npm test` makes a thousand, `npm run soak` 100,000.
 * A wrong value is refused with a reason or coped with: nothing is thrown that is not an error of ours or the value's own, no rejection
 * is left over, what was tracked before stays, and the next sound call is answered.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RecommenderError } from '../../src/errors';
import { createRecommender, type Recommender } from '../../src/index';
import { folderOf, IDS, smallModel } from '../engine/fixture';
import { servedModels } from '../recommender/served-models';
import { isSoak } from '../soak-slice';
import { tried } from '../tries';

const CALLS = isSoak ? 100_000 : 1000;
/** Calls of one recommender, after which a sound one is made. Most of the time goes into loading its model. */
const BATCH = isSoak ? 2000 : 100;

let time = 1_700_000_000_000;
const { start } = servedModels(
  async () => ({ small: await folderOf(await smallModel()) }),
  () => (time += 1000),
);

const leftOver: unknown[] = [];
const note = (reason: unknown) => void leftOver.push(reason);
beforeAll(() => void process.on('unhandledRejection', note));
afterAll(() => void process.off('unhandledRejection', note));

/** An error of the value itself: whoever passes it in gets it back. */
class OwnError extends Error {}
const thrown = (): never => {
  throw new OwnError('the value refuses to be read');
};
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const cyclic = () => {
  const value: Record<string, unknown> = { itemId: 'item-9' };
  return Object.assign(value, { self: value, features: value });
};
const hostile = fc.constantFrom<() => unknown>(
  () => new Proxy({}, { get: thrown, has: thrown, ownKeys: thrown }),
  () => Object.defineProperty({}, 'itemId', { get: thrown, enumerable: true }),
  () => ({ toString: thrown, valueOf: thrown, [Symbol.toPrimitive]: thrown }),
  revoked,
  cyclic,
  () => 'x'.repeat(600_000),
  () => ({ itemId: 'x'.repeat(600_000) }),
  () => ({ itemId: 'item-9', time: Number.MAX_VALUE }),
  () => ({ itemId: 'item-9', time: new Date(Number.NaN) }),
  () => ({ itemId: '\ud800', event: '\0' }),
  () => JSON.parse('{"__proto__":{"itemId":"item-9"},"constructor":{"prototype":{}}}'),
  () => Object.create(null),
  () => Array.from({ length: 10_000 }, () => 'item-9'),
  () => Object.assign([], { length: 4_000_000_000 }),
  () => Array(1),
  () => ({ itemId: 'item-9', candidates: Array(1) }),
  () => new Map([['itemId', 'item-9']]),
  () => Symbol('item-9'),
  () => 10n ** 400n,
  () => new Float64Array(1000).fill(Number.NaN),
  () => thrown,
  () => AbortSignal.abort(),
  () => ({ signal: AbortSignal.abort(new OwnError('aborted by its own reason')) }),
  () => ({ k: -0.5, exclude: new Set(IDS), filter: thrown, strategy: '__proto__' }),
  () => ({ k: 1e9, session: 'item-9', filter: () => Promise.reject(new OwnError('late')) }),
);
const plain = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withTypedArray: true,
});
const words = fc.constantFrom(
  'item-9',
  'a,b',
  '__proto__',
  'toString',
  '',
  'erased',
  'granted',
  'adapter',
  'full',
  null,
  undefined,
  5,
  Number.NaN,
  -1,
);
const shaped = fc.record(
  {
    itemId: fc.oneof(words, plain),
    event: fc.oneof(words, plain),
    time: fc.oneof(fc.double(), plain),
    features: fc.oneof(fc.dictionary(fc.string(), fc.oneof(fc.double(), fc.string(), plain)), plain),
    candidates: fc.oneof(
      fc.array(fc.record({ id: fc.string(), kind: fc.string(), source: words }), { maxLength: 20 }),
      plain,
    ),
    k: fc.oneof(fc.double(), words),
    exclude: fc.oneof(fc.array(words), plain),
    strategy: fc.oneof(words, fc.constantFrom('related', 'popular', 'recent', 'trending', 'bought-together')),
    method: words,
    id: words,
    price: fc.oneof(fc.double(), words),
  },
  { requiredKeys: [] },
);
const values = fc.oneof(
  plain.map((value) => () => value),
  words.map((value) => () => value),
  shaped.map((value) => () => value),
  fc.array(shaped, { maxLength: 5 }).map((value) => () => value),
  hostile,
);

type Call = (recommender: Recommender, first: unknown, second: unknown) => unknown;
// biome-ignore lint/suspicious/noExplicitAny: the values are none of the types that a method takes.
type Attacked = any;
/** Every public method but those that end or erase what the others are about. */
const CALLS_BY_NAME: Readonly<Record<string, (recommender: Attacked, first: unknown, second: unknown) => unknown>> = {
  track: (r, first) => r.track(first),
  recommend: (r, first) => r.recommend(first),
  select: (r, first) => r.select(first),
  identify: (r, first) => r.identify(first),
  diagnose: (r, first) => r.diagnose(first),
  basket: (r) => r.basket(),
  rules: (r) => r.rules(),
  catalogue: (r) => r.catalogue(),
  update: (r, first) => r.update(first),
  products: (r, first) => r.products(first),
  retry: (r) => r.retry(),
  explain: (r, first) => r.explain(first),
  fineTune: (r, first) => r.fineTune(first),
  'taste.export': (r, first) => r.taste.export(first),
  'taste.forget': (r) => r.taste.forget(),
  'taste.import': (r, first, second) => r.taste.import(first, second),
  'privacy.export': (r) => r.privacy.export(),
  'privacy.consent': (r, first) => r.privacy.consent(first),
  'privacy.resume': (r) => r.privacy.resume(),
  on: (r, first, second) => r.on(first, second),
};

test('every public method is called', async () => {
  const recommender = await start();
  const names = (of: object, prefix = '') =>
    Object.entries(of).flatMap(([name, value]) => (typeof value === 'function' ? [prefix + name] : []));
  const own = recommender as unknown as Record<string, object>;
  const found = [...names(recommender), ...['taste', 'privacy'].flatMap((part) => names(own[part] ?? {}, `${part}.`))];
  // These end or erase what the other calls are about.
  const apart = ['dispose', 'privacy.erase', 'privacy.pause'];
  expect(found.filter((name) => !apart.includes(name)).toSorted()).toEqual(Object.keys(CALLS_BY_NAME).toSorted());
});

/** The error of a call; undefined if it was answered. */
async function errorOf(recommender: Recommender, call: Call, first: unknown, second: unknown): Promise<unknown> {
  try {
    await call(recommender, first, second);
    return undefined;
  } catch (error) {
    return error;
  }
}

const isReason = (error: unknown): boolean =>
  error === undefined ||
  error instanceof RecommenderError ||
  error instanceof RangeError ||
  error instanceof OwnError ||
  // What a revoked proxy and a primitive say to whoever reads them.
  (error instanceof TypeError && /revoked|Symbol|BigInt/.test(error.message));

test('wrong values are refused with a reason, cost nothing, and leave no rejection behind', {
  timeout: 3_600_000,
}, async () => {
  let made = 0;
  const batch = fc.array(fc.tuple(fc.constantFrom(...Object.keys(CALLS_BY_NAME)), values, values), {
    minLength: BATCH,
    maxLength: BATCH,
  });
  await fc.assert(
    fc.asyncProperty(batch, async (calls) => {
      const recommender = await start();
      recommender.track('item-9');
      const wrong: string[] = [];
      for (const [name, first, second] of calls) {
        const error = await errorOf(recommender, CALLS_BY_NAME[name]!, first(), second());
        if (!isReason(error)) wrong.push(`${name}: ${error instanceof Error ? error.stack : String(error)}`);
        made++;
      }
      expect(wrong).toEqual([]);
      expect(leftOver).toEqual([]);
      const { sessions } = await recommender.privacy.export();
      expect(sessions.flat().some(({ itemId }) => itemId === 'item-9')).toBe(true);
      const items = await recommender.recommend({ k: 5 });
      expect(items).toHaveLength(5);
      expect(items.every(({ score }) => Number.isFinite(score))).toBe(true);
      await recommender.dispose();
    }),
    { seed: 20, numRuns: CALLS / BATCH, endOnFailure: true },
  );
  expect(made).toBe(CALLS);
  tried(CALLS - CALLS / BATCH); // fast-check's batches count themselves
  expect(({} as Record<string, unknown>)['itemId']).toBeUndefined();
});

test('an array with holes is refused at once, and keeps no answer from coming', async () => {
  const recommender = await start();
  const holes = Object.assign([], { length: 4_000_000_000 });
  const calls = [
    () => recommender.products(holes),
    () => recommender.recommend({ exclude: holes }),
    () => recommender.track({ itemId: 'item-9', candidates: Array(1) }),
    () => recommender.identify(Array(1)),
  ];
  for (const call of calls) expect(call).toThrow(RangeError);
  expect(await recommender.recommend({ k: 5 })).toHaveLength(5);
  await recommender.dispose();
});

test('an event that loses its candidates to a replaced map is refused: it could never be stored, nor any after it', async () => {
  const recommender = await start();
  const { map } = Array.prototype;
  let error: unknown;
  Array.prototype.map = () => [];
  try {
    recommender.track({ itemId: 'item-9', candidates: [{ id: 'item-9', kind: 'sku', source: 'page' }] });
  } catch (thrown) {
    error = thrown;
  } finally {
    Array.prototype.map = map;
  }
  expect(error).toBeInstanceOf(RangeError);
  await recommender.dispose();
});

test('wrong options are refused with a reason', async () => {
  await fc.assert(
    fc.asyncProperty(values, values, async (whole, part) => {
      const value = whole();
      for (const options of [
        value,
        { modelUrl: '/small/', [String(typeof value === 'string' ? value : 'backend')]: part() },
      ]) {
        let made: Recommender | undefined;
        try {
          made = await createRecommender(options as never);
        } catch (error) {
          expect(isReason(error), String((error as Error).stack)).toBe(true);
        }
        await made?.dispose();
      }
      expect(leftOver).toEqual([]);
    }),
    { seed: 21, numRuns: isSoak ? 10_000 : 200, endOnFailure: true },
  );
}, 3_600_000);
