import { describe, expect, test } from 'vitest';
import { random } from '../../../src/session/random';
import { Adapter, type AdapterGradients } from '../../../src/train/tuning/adapter';
import type { FineTunerState } from '../../../src/train/tuning/fine-tuner';
import type { ItemAttribute } from '../../../src/train/tuning/item-attributes';
import { ADAPTER, CAPS, SAMPLE_ABOVE } from '../../../src/train/tuning/settings';
import type { NdArray } from '../../../src/types';
import { D, eventsOf, fondEvents, frozenModelOf, vectorOf } from './shop';

const frozen = frozenModelOf();

/** An adapter that has learnt something of everything. */
function learnt(events = 40, seed = 1): Adapter {
  const adapter = new Adapter(frozen);
  for (const event of fondEvents(events, frozen.itemIds.length, seed)) {
    if (event.vector) {
      adapter.predict(event);
      adapter.update(event);
    }
    adapter.count(event);
  }
  return adapter;
}

/** The same with one number moved. */
function moved({ itemIds, arrays, step }: FineTunerState, name: string, at: number, by: number): Adapter {
  const array = arrays[name]!;
  const data = Float32Array.from(array.data);
  data[at]! += by;
  const changed: NdArray = { ...array, data };
  return new Adapter(frozen, { itemIds, arrays: { ...arrays, [name]: changed }, step });
}

const PARTS: readonly [keyof AdapterGradients, string][] = [
  ['shift', 'shift'],
  ['gain', 'gain'],
  ['weights', 'weights'],
  ['bias', 'rows.bias'],
];

describe('gradients are those of finite differences', () => {
  const event = { item: 7, time: 0, vector: vectorOf(random(5, 'event')) };
  const adapter = learnt();
  const saved = adapter.save();
  adapter.predict(event);
  const gradients = adapter.gradients(event.vector);

  test.each(PARTS)('%s', (part, name) => {
    const step = 1 / 256;
    const lossAt = (at: number, by: number) => moved(saved, name, at, by).predict(event).tuned.loss;
    const numeric = Array.from(gradients[part], (_, at) => (lossAt(at, step) - lossAt(at, -step)) / (2 * step));
    expect(numeric.some((value) => Math.abs(value) > 1e-3)).toBe(true);
    numeric.forEach((value, at) => {
      expect(gradients[part][at], `${name}[${at}]`).toBeCloseTo(value, 4);
    });
  });
});

test('before it has seen anything, an adapter ranks as the base does', () => {
  const { vector } = eventsOf([1, 2])[1]!;
  for (let item = 1; item <= frozen.itemIds.length; item++) {
    const { base, tuned } = new Adapter(frozen).predict({ item, time: 0, vector: vector! });
    expect(tuned.rank).toBe(base.rank);
  }
});

test('items of the session score what the base gives them on top, for base and tuned, and for others', () => {
  const repeats = Float32Array.of(1.5, -2);
  const vector = vectorOf(random(8, 'event'));
  const lossOf = (of: typeof frozen, item: number) =>
    new Adapter(of).predict({ item, time: 0, vector, session: { items: [9, 7, 3] } }).base.loss;
  const [plain, lifted] = [frozen, { ...frozen, repeats }].map((of) =>
    frozen.itemIds.map((_, k) => -lossOf(of, k + 1)),
  );
  // Logits, except for a constant: what items 3 and 7 get shows against any other.
  const above = (item: number) => lifted![item - 1]! - plain![item - 1]! - (lifted![19]! - plain![19]!);
  expect(above(3)).toBeCloseTo(1.5, 6);
  expect(above(7)).toBeCloseTo(-2, 6);
  expect(above(9)).toBeCloseTo(0, 6);

  const replayed = (sessions: { items: number[] }[]) => {
    const replay = { vectors: vectorOf(random(9, 'replay')), targets: Int32Array.of(3), sessions };
    const adapter = new Adapter({ ...frozen, repeats, replay });
    adapter.predict({ item: 12, time: 0, vector });
    adapter.update({ item: 12, time: 0, vector });
    return Array.from(adapter.save().arrays['shift']!.data);
  };
  expect(replayed([{ items: [3] }])).not.toEqual(replayed([{ items: [4] }]));
});

test('it learns what the visitor is fond of', () => {
  const adapter = learnt(60);
  const fresh = fondEvents(120, frozen.itemIds.length, 2).filter(({ vector }) => vector);
  const gains = fresh.map((event) => {
    const { base, tuned } = adapter.predict(event);
    return base.loss - tuned.loss;
  });
  expect(gains.reduce((sum, gain) => sum + gain, 0) / gains.length).toBeGreaterThan(0.2);
});

test('a folded adapter scores as the adapter does, in the unit of the base', () => {
  const adapter = learnt();
  const { table, bias } = adapter.fold();
  const m = adapter.save().arrays['weights']!.data[0]!;
  const vector = vectorOf(random(6, 'event'));
  const logits = Array.from(bias, (own, i) => {
    let score = own;
    for (let k = 0; k < D; k++) score += vector[k]! * table[i * D + k]!;
    return m * score;
  });
  const sum = Math.log(logits.reduce((total, logit) => total + Math.exp(logit), 0));
  logits.forEach((logit, i) => {
    const { tuned } = adapter.predict({ item: i + 1, time: 0, vector });
    expect(sum - logit).toBeCloseTo(tuned.loss, 3);
    expect(logits.filter((other) => other >= logit).length).toBe(tuned.rank);
  });
});

test('an adapter goes on bit for bit from what was saved, at any point', () => {
  const events = fondEvents(50);
  for (const pause of [0, 1, 8, 23, 49]) {
    let adapter = new Adapter(frozen);
    events.forEach((event, t) => {
      if (t === pause) adapter = new Adapter(frozen, structuredClone(adapter.save()));
      if (event.vector) {
        adapter.predict(event);
        adapter.update(event);
      }
      adapter.count(event);
    });
    expect(adapter.save(), `paused before event ${pause}`).toEqual(learnt(50).save());
  }
});

test('what was saved does not change with what is learnt later', () => {
  const adapter = learnt();
  const saved = adapter.save();
  const before = structuredClone(saved);
  const event = eventsOf([3, 4])[1]!;
  adapter.predict(event);
  adapter.update(event);
  adapter.count(event);
  expect(saved).toEqual(before);
});

test('a reset forgets what was learnt and keeps what was counted', () => {
  const adapter = learnt();
  const before = adapter.save();
  adapter.reset();
  const after = adapter.save();
  expect(after.itemIds).toEqual(before.itemIds);
  expect(after.arrays['rows.count']).toEqual(before.arrays['rows.count']);
  const { base, item, category, facet } = ADAPTER.weights;
  expect([...after.arrays['weights']!.data]).toEqual([...Float32Array.of(base, item, category, facet)]);
  for (const [name, { data }] of Object.entries(after.arrays)) {
    if (!['rows.count', 'weights', 'attributes'].includes(name)) expect(Math.max(...data.map(Math.abs)), name).toBe(0);
  }
});

test('beside another catalogue each property keeps its weight, and a new one begins at its start', () => {
  const saved = learnt().save();
  const [, item, category, brand] = saved.arrays['weights']!.data;
  const [kinds, brands] = frozen.attributes!;
  const weights = (...attributes: ItemAttribute[]) =>
    [...new Adapter({ ...frozen, attributes }, saved).save().arrays['weights']!.data].slice(1);
  const start = Math.fround(ADAPTER.weights.facet);
  expect(weights(kinds!, brands!)).toEqual([item, category, brand]);
  expect(weights(brands!)).toEqual([item, brand]);
  expect(weights({ ...brands!, name: 'colour' }, brands!, kinds!)).toEqual([item, start, brand, category]);
  expect(weights({ ...brands!, name: 'colour' }, { ...kinds!, name: 'size' })).toEqual([item, start, start]);
});

test('hidden items take no probability and no rank', () => {
  const { vector } = eventsOf([1, 2])[1]!;
  const event = { item: 4, time: 0, vector: vector! };
  const hidden = new Set([1, 2, 3, 4, 5, 6, 7]); // the event's own item is one all the same
  const open = learnt().predict(event);
  const { base, tuned } = learnt().predict({ ...event, hidden });
  expect(tuned.loss).toBeLessThan(open.tuned.loss);
  expect(base.rank).toBeLessThanOrEqual(open.base.rank);
  expect(base.rank).toBeLessThanOrEqual(frozen.itemIds.length - 6);
});

test('sessions of others hold the vectors back', () => {
  const draws = random(9, 'others');
  const others = { vectors: new Float32Array(20 * D), targets: new Int32Array(20) };
  for (let m = 0; m < 20; m++) {
    others.vectors.set(vectorOf(draws), m * D);
    others.targets[m] = 1 + draws.integer(frozen.itemIds.length);
  }
  const lengths = [learnt(200), new Adapter({ ...frozen, replay: others })].map((adapter, i) => {
    if (i === 1) {
      for (const event of fondEvents(200)) {
        if (event.vector) {
          adapter.predict(event);
          adapter.update(event);
        }
        adapter.count(event);
      }
    }
    return Math.hypot(...adapter.save().arrays['shift']!.data);
  });
  expect(lengths[1]).not.toBe(lengths[0]);
});

test('of a large catalogue a sample is predicted among, the same for base and tuned, and always the same', () => {
  const large = frozenModelOf(SAMPLE_ABOVE + 1000);
  const event = { item: 12_345, time: 0, vector: vectorOf(random(7, 'event')) };
  const pairs = [new Adapter(large), new Adapter(large)].map((adapter) => adapter.predict(event));
  expect(pairs[0]).toEqual(pairs[1]);
  expect(pairs[0]!.base.loss).toBeGreaterThan(4);
  const whole = new Adapter({
    ...large,
    itemIds: large.itemIds.slice(0, SAMPLE_ABOVE),
    table: large.table.slice(0, SAMPLE_ABOVE * D),
  });
  const exact = whole.predict(event);
  expect(pairs[0]!.base.loss).toBeCloseTo(exact.base.loss, 0);
  expect(Math.abs(pairs[0]!.base.rank - exact.base.rank)).toBeLessThan(0.05 * SAMPLE_ABOVE);
});

test('no events bring it past its caps', () => {
  const items = 400;
  const wide = frozenModelOf(items);
  const histories: Record<string, (t: number) => number> = {
    'one item over and over': () => 5,
    'two in turns': (t) => 1 + (t % 2),
    'every item': (t) => 1 + (t % items),
    'by chance': (t) => 1 + random(3, 'walk', t).integer(items),
  };
  for (const [name, itemAt] of Object.entries(histories)) {
    const adapter = new Adapter(wide);
    const draws = random(4, name);
    for (let t = 0; t < 3000; t++) {
      const vector = vectorOf(draws).map((value) => 100 * value); // a model whose vectors are far too long
      const event = { item: itemAt(t), time: t, vector };
      adapter.predict(event);
      adapter.update(event);
      adapter.count(event);
    }
    const { arrays, itemIds } = adapter.save();
    for (const [array, { data }] of Object.entries(arrays))
      expect(data.every(Number.isFinite), `${name}: ${array}`).toBe(true);
    expect(itemIds.length).toBeLessThanOrEqual(CAPS.rows);
    expect(Math.hypot(...arrays['shift']!.data)).toBeLessThanOrEqual(CAPS.shift + 1e-5);
    expect(Math.max(...arrays['gain']!.data.map(Math.abs))).toBeLessThanOrEqual(CAPS.gain);
    expect(Math.max(...arrays['rows.bias']!.data.map(Math.abs))).toBeLessThanOrEqual(CAPS.bias);
    expect(Math.max(...arrays['weights']!.data.slice(1))).toBeLessThanOrEqual(CAPS.weight);
    expect(Math.max(...arrays['rows.count']!.data)).toBeLessThanOrEqual(1 / (1 - ADAPTER.decay));
  }
});
