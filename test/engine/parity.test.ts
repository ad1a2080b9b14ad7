import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { RankedItem } from '../../src/engine/types';
import { aisle, file } from '../cli/program';
import { ANSWERING, differences, K, PARITY_MODELS, type Parity, THOUSANDTH, timed, within } from './parity';
import { PARITY_FOLDER, parityModels } from './parity-models';

let parity: Parity;
beforeAll(async () => {
  parity = await parityModels();
});

test('the comparison sees another score, item or order, but not the order of equal scores', () => {
  const items = [3, 2, 1, 1].map((score, i) => ({ itemId: `item ${i}`, score, reason: 'neural' as const }));
  const [a, b, c, d] = items as [RankedItem, RankedItem, RankedItem, RankedItem];
  expect(differences(items, [a, b, d, c])).toEqual([]);
  expect(differences(items, [a, b, c, { ...d, itemId: 'as good' }])).toEqual([]);
  expect(differences(items, [{ ...a, score: 3.0002 }, b, c, d])).toHaveLength(1);
  expect(differences(items, [{ ...a, itemId: b.itemId }, { ...b, itemId: a.itemId }, c, d])).toHaveLength(2);
  expect(differences(items, [a, b, c])).toEqual(['4 items became 3']);
  expect(differences(items, [{ ...a, score: Number.NaN }, b, c, d])).toHaveLength(1);
});

describe.each(PARITY_MODELS)('%s in Node', (model) => {
  test('answers 50 real sessions and the odd ones alike on plain CPU, on WASM and by its plan', () => {
    const { cpu, ...others } = parity.answers[model]!;
    expect(Object.keys(cpu)).toHaveLength(56);
    for (const [name, answer] of Object.entries(cpu)) {
      for (const [backend, other] of Object.entries(others)) {
        expect(differences(answer, other[name]!), `${name}, ${backend}`).toEqual([]);
      }
    }
  });

  test('learns alike on both: each of 20 steps on one batch, and what to answer after three epochs', () => {
    const { cpu, wasm } = parity.learnt[model]!;
    expect(cpu.losses).toHaveLength(20);
    expect(Math.min(...cpu.losses)).toBeLessThan(cpu.losses[0]!);
    for (const [step, loss] of cpu.losses.entries()) expect(Math.abs(wasm.losses[step]! / loss - 1)).toBeLessThan(1e-3);
    for (const [name, answer] of Object.entries(cpu.answers)) {
      expect(differences(answer, wasm.answers[name]!, within(THOUSANDTH, answer)), name).toEqual([]);
    }
  });

  test('tells sessions apart, and leaves a list of 20 to each', () => {
    const lists = Object.values(parity.answers[model]!.wasm);
    for (const items of lists) expect(new Set(items.map(({ itemId }) => itemId)).size).toBe(K);
    const real = lists.slice(0, 50).map((items) => items.map(({ itemId }) => itemId).join('\n'));
    expect(new Set(real).size).toBeGreaterThan(20); // a window of few clicks, or two epochs, tell less apart
  });

  test('answers by popularity where nothing is known, else by the network', () => {
    const reasons = (name: string) => new Set(parity.answers[model]!.wasm[name]!.map(({ reason }) => reason));
    for (const name of ['only unknown items', 'an empty session']) expect(reasons(name)).toEqual(new Set(['popular']));
    for (const name of ['session 1', 'unknown items inside', '200 events', 'odd ids']) {
      expect(reasons(name)).toEqual(new Set(['neural']));
    }
  });

  test('passes over unknown items as if they were not there', () => {
    const { wasm } = parity.answers[model]!;
    expect(wasm['unknown items inside']).toEqual(wasm['the same without them']);
  });

  test.each(ANSWERING)('is what `aisle recommend` prints on %s', async (backend) => {
    for (const name of [
      'session 1',
      '200 events',
      'unknown items inside',
      'only unknown items',
      'an empty session',
      'odd ids',
    ]) {
      const { session, now } = timed(parity.sessions[name]!, Object.keys(parity.sessions).indexOf(name));
      const path = await file('session.json', JSON.stringify(session));
      const asked = ['--session-json', path, '--allow-unknown', '--now', `${now}`, '--backend', backend, '--json'];
      const { code, stdout } = await aisle('recommend', '--artifact', join(PARITY_FOLDER, model), ...asked);
      expect(code).toBe(0);
      const { items, ...rest } = JSON.parse(stdout);
      expect(rest).toMatchObject({ backend, model: { name: model } });
      expect(items, name).toEqual(parity.answers[model]![backend][name]);
    }
  });
});
