import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cl4srec } from '../../src/models/cl4srec';
import { configure } from '../../src/models/configuration';
import type { SessionModel } from '../../src/models/model';
import { sasrec } from '../../src/models/sasrec';
import { lengthGroups } from '../../src/train/length-groups';
import { Trainer } from '../../src/train/trainer';
import { start } from '../compute/backends/start';
import { logOf, supportOf } from './helpers';

const cellsOf = (groups: readonly ArrayLike<number>[], lengths: readonly number[]): number =>
  groups.reduce((sum, group) => sum + 1024 + group.length * Math.max(...Array.from(group, (row) => lengths[row]!)), 0);

/** Every way to cut the distinct lengths into runs. */
function* cuts(lengths: readonly number[]): Generator<number[][]> {
  const distinct = [...new Set(lengths)].sort((a, b) => a - b);
  for (let bits = 0; bits < 2 ** (distinct.length - 1); bits++) {
    const groups: number[][] = [[]];
    distinct.forEach((length, i) => {
      groups.at(-1)!.push(...lengths.flatMap((other, row) => (other === length ? [row] : [])));
      if ((bits >> i) & 1) groups.push([]);
    });
    yield groups.filter((group) => group.length > 0);
  }
}

describe('rows in groups of like length', () => {
  const log = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 300 });
  const scaled = fc.tuple(log, fc.constantFrom(1, 25)).map(([lengths, by]) => lengths.map((length) => length * by));

  test('hold every row once, shorter ones first, in the fewest cells that there are', () => {
    fc.assert(
      fc.property(scaled, (lengths) => {
        const groups = lengthGroups(lengths);
        expect(groups.flatMap((group) => [...group]).sort((a, b) => a - b)).toEqual([...lengths.keys()]);
        for (const [g, group] of groups.entries()) {
          expect([...group]).toEqual([...group].sort((a, b) => a - b));
          const longestBefore = Math.max(0, ...Array.from(groups[g - 1] ?? [], (row) => lengths[row]!));
          for (const row of group) expect(lengths[row]).toBeGreaterThan(longestBefore);
        }
        expect(cellsOf(groups, lengths)).toBe(Math.min(...[...cuts(lengths)].map((cut) => cellsOf(cut, lengths))));
      }),
      { seed: 5, numRuns: 60 },
    );
  });

  test('few clicks stay together', () => {
    expect(lengthGroups([3, 1, 9, 2])).toEqual([Int32Array.of(0, 1, 2, 3)]);
  });

  test('one long session stands apart from many short ones', () => {
    const groups = lengthGroups([...Array.from({ length: 50 }, () => 2), 50]);
    expect(groups.map(({ length }) => length)).toEqual([50, 1]);
  });
});

describe('training in groups', () => {
  const items = 30;
  const lengths = Array.from({ length: 60 }, (_, s) => (s % 12 === 0 ? 40 - (s % 5) : 2 + (s % 3)));
  const log = logOf(
    lengths.map((length, s) => Array.from({ length }, (_, t) => 1 + ((s * 7 + t * (1 + (s % 4))) % items))),
  );
  const asAny = <C>(model: SessionModel<C>) => model as unknown as SessionModel<Record<string, unknown>>;
  const common = { hiddenUnits: 8, numHeads: 2, maxlen: 40, batchSize: 60, dropoutRate: 0, dropoutEmbed: 0, lr: 0.01 };

  test.each([
    ['sasrec, positions from the start', asAny(sasrec), { norm: 'pre', positions: 'start' }],
    ['sasrec, positions from the end', asAny(sasrec), { norm: 'pre', positions: 'end', maskPadding: 'true' }],
    ['sasrec, sampled, touched rows', asAny(sasrec), { loss: 'sampled', nSample: 20, sparseUpdates: true }],
    ['sasrec, repeats', asAny(sasrec), { positions: 'start', repeatLags: 5 }],
    ['sasrec, binary cross-entropy', asAny(sasrec), { loss: 'bce', negatives: 2 }],
    ['cl4srec', asAny(cl4srec), { lambda: 0.5 }],
    [
      'cl4srec, sampled, touched rows',
      asAny(cl4srec),
      { lambda: 0.5, loss: 'sampled', nSample: 20, sparseUpdates: true },
    ],
  ] as const)('%s: the same steps as with all sessions in one rectangle', async (_, model, given) => {
    await start('cpu');
    expect(lengthGroups(lengths.map((length) => length - 1)).length).toBeGreaterThan(1);
    const config = configure(model, { ...common, ...given });
    let widest = 0;
    const watched = {
      ...model,
      prepare: (...args: Parameters<typeof model.prepare>) => {
        const prepared = model.prepare(...args);
        widest = Math.max(widest, prepared.items!.data.length);
        return prepared;
      },
    };
    const trained = async (positions: typeof model.positions) => {
      widest = 0;
      const catalogue = { items, support: supportOf(log, items) };
      const trainer = new Trainer({
        model: { ...watched, positions: positions! },
        config,
        catalogue,
        sessions: log,
        seed: 3,
      });
      const losses = [await trainer.runEpoch(), await trainer.runEpoch()];
      const weights = await trainer.weights();
      trainer.dispose();
      return { losses, weights, widest };
    };
    const { trims, ...others } = model.positions!;
    expect(trims?.(config)).toBe(true);
    const [apart, together] = [await trained(model.positions), await trained(others)];
    expect(together.widest).toBeGreaterThanOrEqual(60 * 39);
    expect(apart.widest).toBeLessThan(together.widest / 2);
    apart.losses.forEach((loss, epoch) => {
      expect(loss).toBeCloseTo(together.losses[epoch]!, 5);
    });
    for (const [name, { data }] of Object.entries(together.weights)) {
      if (name.endsWith('key.b')) continue; // no score depends on it: its slope is rounding, which Adam makes steps of
      data.forEach((weight, k) => {
        expect(Math.abs(weight - apart.weights[name]!.data[k]!), name).toBeLessThan(1e-4);
      });
    }
  });
});
