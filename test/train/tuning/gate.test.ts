import { describe, expect, test } from 'vitest';
import type { GateState } from '../../../src/checkpoint/delta';
import { random } from '../../../src/session/random';
import type { Pair } from '../../../src/train/tuning/frozen-model';
import { CLOSED, GATE, judge, payoff } from '../../../src/train/tuning/gate';
import { runs } from '../../soak-slice';
import { tried } from '../../tries';

/** A pair whose tuned model gains so much: 1 is a rank of a quarter. */
const gaining = (gain: number): Pair => ({
  base: { rank: 15, loss: 3 },
  tuned: { rank: 16 * 2 ** (-2 * gain) - 1, loss: 3 - gain },
});

const after = (gains: readonly number[], from: GateState = CLOSED): GateState =>
  gains.reduce((state, gain) => judge(state, gaining(gain)), from);

/** Ever opened within so many events whose gains are drawn by chance. */
function opens(gainOf: (uniform: number, normal: number) => number, seed: number, events: number): boolean {
  const draws = random(seed, 'gains');
  let state = CLOSED;
  for (let t = 0; t < events && !state.isOpen; t++)
    state = judge(state, gaining(gainOf(draws.uniform(), draws.normal())));
  return state.isOpen;
}

const ROUNDS = runs(400);

describe('where the tuned model gains nothing, the gate opens with probability 1/threshold at most, however long one looks', () => {
  test.each<[string, (uniform: number, normal: number) => number]>([
    ['small gains and losses', (_, normal) => 0.15 * normal],
    ['large ones', (uniform) => (uniform < 0.5 ? 1 : -1)],
    ['rare large losses, frequent small gains', (uniform) => (uniform < 0.9 ? 0.1 : -0.9)],
    ['rare large gains, frequent small losses', (uniform) => (uniform < 0.1 ? 0.9 : -0.1)],
  ])('%s', (_, gainOf) => {
    let opened = 0;
    for (let seed = 1; seed <= ROUNDS; seed++) if (opens(gainOf, seed, 200)) opened++;
    tried(ROUNDS);
    const bound = 1 / GATE.open;
    // Three standard deviations of a share of so many rounds.
    expect(opened / ROUNDS, `seeds 1…${ROUNDS}`).toBeLessThan(bound + 3 * Math.sqrt((bound * (1 - bound)) / ROUNDS));
  });
});

test('it opens on a true gain, soon', () => {
  let opened = 0;
  for (let seed = 1; seed <= 200; seed++) if (opens((_, normal) => 0.15 + 0.3 * normal, seed, 40)) opened++;
  expect(opened).toBeGreaterThan(160);
});

test('it does not open before it has seen a few events, nor where ranks are worse', () => {
  expect(after(new Array(GATE.least - 1).fill(1)).isOpen).toBe(false);
  expect(after(new Array(20).fill(1)).isOpen).toBe(true);
  let state = CLOSED;
  for (let t = 0; t < 20; t++)
    state = judge(state, t % 2 ? gaining(1) : { base: { rank: 1, loss: 3 }, tuned: { rank: 2, loss: 4 } });
  expect(state.isOpen).toBe(false);
});

test('harm closes it, what was learnt is undone, and it takes twice the evidence to open again', () => {
  const open = after(new Array(20).fill(1));
  expect(open).toMatchObject({ isOpen: true, openings: 1, rollbacks: 0 });
  let state = open;
  let events = 0;
  while (state.isOpen) {
    state = judge(state, gaining(-0.5));
    events++;
  }
  expect(events).toBeLessThan(60);
  expect(state).toMatchObject({ isOpen: false, openings: 1, rollbacks: 1, events: 0, evidence: 0, sum: 0 });
  const again = (from: GateState): number => {
    let [gate, count] = [from, 0];
    for (; !gate.isOpen; count++) gate = judge(gate, gaining(0.2));
    return count;
  };
  expect(again(state)).toBeGreaterThan(again(CLOSED));
});

test('one bad event does not close it', () => {
  const open = after(new Array(20).fill(1));
  expect(judge(open, gaining(-10)).isOpen).toBe(true);
});

test('no event is worth more than one', () => {
  expect(payoff(gaining(1.9))).toBe(1);
  expect(payoff(gaining(-10))).toBe(-1);
  expect(payoff(gaining(0))).toBe(0);
});

test('its numbers stay finite over a long life', () => {
  let state = CLOSED;
  const draws = random(2, 'life');
  for (let t = 0; t < 5000; t++) {
    state = judge(state, gaining(Math.max(-1, Math.min(1, 0.3 * draws.normal()))));
    expect(Object.values(state).every((value) => typeof value === 'boolean' || Number.isFinite(value))).toBe(true);
  }
});
