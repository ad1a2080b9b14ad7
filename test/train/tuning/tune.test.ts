import { expect, test } from 'vitest';
import type { Delta } from '../../../src/checkpoint/delta';
import { decodeDelta, encodeDelta } from '../../../src/checkpoint/delta-file';
import { random } from '../../../src/session/random';
import type { TuneEvent } from '../../../src/train/tuning/frozen-model';
import { type Tuning, tuneAdapter } from '../../../src/train/tuning/tune';
import { BASE, D, eventsOf, fondEvents, frozenModelOf, vectorOf } from './shop';

const frozen = frozenModelOf();

async function learn(events: readonly TuneEvent[], delta?: Delta): Promise<Tuning> {
  const tuning = tuneAdapter(frozen, delta);
  for (const event of events) await tuning.step(event);
  return tuning;
}

test('slices of any length end where one run ends, bit for bit, through the file form', async () => {
  const events = fondEvents(60);
  const whole = await (await learn(events)).save();
  for (const size of [1, 7, 25]) {
    let delta: Delta | undefined;
    for (let at = 0; at < events.length; at += size) {
      const slice = await (await learn(events.slice(at, at + size), delta)).save();
      delta = decodeDelta(encodeDelta(slice));
    }
    expect(delta, `slices of ${size}`).toEqual(whole);
  }
});

test('every event is predicted before it is learnt, but the first of a session', async () => {
  const tuning = tuneAdapter(frozen);
  for (const event of fondEvents(20)) {
    const { predicted } = await tuning.step(event);
    expect(predicted !== undefined).toBe(event.vector !== undefined);
  }
  const delta = await tuning.save();
  expect(delta).toMatchObject({ format: 1, method: 'adapter', base: BASE, learnt: { events: 20, atThrough: 1 } });
  expect(delta.learnt.through).toBe(fondEvents(20).at(-1)!.time);
  expect(delta.step).toBe(17); // 20 events in three sessions
});

test('events of one time are counted, so that none is learnt twice or left out', async () => {
  const [a, b, c] = fondEvents(3) as [TuneEvent, TuneEvent, TuneEvent];
  const delta = await (await learn([a, { ...b, time: 5e9 }, { ...c, time: 5e9 }])).save();
  expect(delta.learnt).toEqual({ events: 3, through: 5e9, atThrough: 2 });
});

test('the gate opens for a visitor with a taste', async () => {
  const tuning = await learn(fondEvents(80));
  expect(tuning.gate.isOpen).toBe(true);
  expect(tuning.gate.tuned).toBeGreaterThan(tuning.gate.base);
});

test('where what was learnt does harm, the gate closes and it is undone', async () => {
  const delta = await (await learn(fondEvents(80))).save();
  expect(delta.gate.isOpen).toBe(true);
  // So sure of the taste, and so slow to learn otherwise, that the next visitor at this device is badly served.
  const { weights } = delta.arrays;
  const stubborn = {
    weights: { ...weights!, data: weights!.data.map((_, j) => (j === 0 ? 0.3 : 1)) },
    'slot.weights': { ...weights!, data: weights!.data.map(() => 1e9) },
  };
  const tuning = tuneAdapter(frozen, { ...delta, arrays: { ...delta.arrays, ...stubborn } });
  const draws = random(8, 'another');
  let rolledBack = false;
  for (let t = 0; t < 100 && !rolledBack; t++) {
    const vector = vectorOf(draws).map((value) => 3 * value);
    // What the base expects, of another kind than the one that was learnt.
    const expected = frozen.itemIds.map((_, i) => {
      let score = frozen.bias![i]!;
      for (let k = 0; k < D; k++) score += vector[k]! * frozen.table[i * D + k]!;
      return i % 5 === 1 ? Number.NEGATIVE_INFINITY : score;
    });
    const item = 1 + expected.indexOf(Math.max(...expected));
    rolledBack = (await tuning.step({ item, time: 2e9 + 60 * t, vector })).gate === 'rolled back';
  }
  expect(rolledBack).toBe(true);
  expect(tuning.gate).toMatchObject({ isOpen: false, rollbacks: 1 });
  const { arrays } = await tuning.save();
  expect(Math.max(...arrays['shift']!.data.map(Math.abs))).toBe(0);
  expect(arrays['weights']!.data[1]).toBeLessThan(0.5);
  expect(arrays['rows.count']!.data.length).toBeGreaterThan(0);
});

/** Refused events change nothing but the guard's counts and what has been seen. */
async function refusals(events: readonly TuneEvent[], kind: 'rate' | 'repetition' | 'entropy'): Promise<void> {
  const visitor = await learn(fondEvents(80));
  const before = await visitor.save();
  for (const event of events) await visitor.step(event);
  const after = await visitor.save();
  expect(after.guard.refused[kind], kind).toBeGreaterThan(events.length * 0.7);
  expect(after.step - before.step).toBeLessThan(events.length * 0.3);
  expect(after.learnt.events).toBe(before.learnt.events + events.length);
  expect(encodeDelta(after).length).toBeLessThan(64 * 1024);
}

/** Of a visitor of whom nothing else is known. */
const opensNoGate = async (events: readonly TuneEvent[]): Promise<void> =>
  expect((await learn(events)).gate.openings).toBe(0);

test('10,000 events a minute are refused, and open no gate', async () => {
  const draws = random(3, 'bot');
  const items = Array.from({ length: 2000 }, () => 1 + draws.integer(BASE.items));
  const burst = eventsOf(items).map((event, t) => ({ ...event, time: 2e9 + t * 0.006 }));
  await refusals(burst, 'rate');
  await opensNoGate(burst);
});

test('one item over and over is refused', async () => {
  await refusals(eventsOf(new Array(300).fill(4), 1, 2e9), 'repetition');
});

test('walks by chance are refused, open no gate, and their end is found', async () => {
  const draws = random(4, 'walk');
  const items = Array.from({ length: 600 }, () => 1 + draws.integer(BASE.items));
  // A sure model: its vectors are long.
  const walk = eventsOf(items, 1, 2e9).map((event) => ({
    ...event,
    ...(event.vector && { vector: event.vector.map((value) => 6 * value) }),
  }));
  await refusals(walk, 'entropy');
  await opensNoGate(walk);
});
