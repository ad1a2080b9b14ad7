/** A small frozen model, and visitors of it, for the tests of tuning. */
import type { BaseModel } from '../../../src/checkpoint/delta';
import { type Random, random } from '../../../src/session/random';
import type { FrozenModel, TuneEvent } from '../../../src/train/tuning/frozen-model';
import type { ItemAttribute } from '../../../src/train/tuning/item-attributes';

export const BASE: BaseModel = {
  name: 'small',
  version: '1',
  architecture: 'gru4rec',
  hash: 'ab'.repeat(32),
  items: 30,
};
export const D = 6;

const normals = (draws: Random, length: number, std = 1): Float32Array =>
  Float32Array.from({ length }, () => std * draws.normal());

/** Item k + 1 is of kind k % 5 and of brand k % 3, but every seventh has none. */
export function frozenModelOf(items = BASE.items, seed = 1): FrozenModel {
  const draws = random(seed, 'ground');
  const facet = (name: string, values: number): ItemAttribute => ({
    name,
    codes: Int32Array.from({ length: items }, (_, k) => (k % 7 === 6 ? 0 : 1 + (k % values))),
    values: Array.from({ length: values }, (_, v) => `${name} ${v}`),
  });
  return {
    base: { ...BASE, items },
    itemIds: Array.from({ length: items }, (_, k) => `item ${k + 1}`),
    table: normals(draws, items * D, 0.5),
    bias: normals(draws, items, 0.3),
    scale: 1,
    support: Int32Array.from({ length: items + 1 }, (_, i) => (i === 0 ? 0 : 1 + draws.integer(40))),
    attributes: [facet('category 1', 5), facet('brand', 3)],
  };
}

export const vectorOf = (draws: Random): Float32Array => normals(draws, D);

/** An event every minute; every eighth begins a session. */
export function eventsOf(items: readonly number[], seed = 1, start = 1_700_000_000): TuneEvent[] {
  const draws = random(seed, 'sessions');
  return items.map((item, t) => {
    const vector = vectorOf(draws);
    return { item, time: start + 60 * t, ...(t % 8 > 0 && { vector }) };
  });
}

/** Mostly of kind 1: items 2, 7, 12, … */
export function fondEvents(count: number, items = BASE.items, seed = 1): TuneEvent[] {
  const draws = random(seed, 'taste');
  const fond = Array.from({ length: count }, () =>
    draws.uniform() < 0.85 ? 2 + 5 * draws.integer(Math.floor((items - 2) / 5) + 1) : 1 + draws.integer(items),
  );
  return eventsOf(fond, seed);
}
