import { profile, tensor2d, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { type Gru4RecConfig, gru4rec } from '../../src/models/gru4rec';
import { gru4recBatch, gru4recTraining } from '../../src/models/gru4rec-training';
import { upload } from '../../src/models/tensors';
import { inputItems, outputItems, vector } from '../../src/objectives/batch';
import type { NdArray } from '../../src/types';
import { backends, expectNoTensorsLeft, start } from '../compute/backends/start';
import { expectClose } from '../compute/kernels/random';
import { logOf } from '../train/helpers';
import { runOf, uploaded } from './steps';

/** Scores of two sessions: their targets on the diagonal, two extra items. */
const R = [
  [2.0, -0.5, 0.3, -1.2],
  [0.1, 1.0, -0.4, 0.7],
];
/** Items 1 and 2 are the targets, 3 and 4 the extra items. */
const TABLE = [[0, 0], ...R[0]!.map((score, j) => [score, R[1]![j]!])];

interface Case {
  readonly table: readonly (readonly number[])[];
  readonly bias?: readonly number[];
  readonly targets: readonly number[];
  readonly extra: readonly number[];
  readonly logq?: ArrayLike<number> | undefined;
}
const EXAMPLE: Case = { table: TABLE, targets: [1, 2], extra: [3, 4] };

const configOf = (given: Partial<Gru4RecConfig>): Gru4RecConfig =>
  configure(gru4rec, { layers: [2], batchSize: 2, ...given });

/**
 * The loss of a step whose sessions have the vectors (1, 0) and (0, 1), so that the scores of row b are column b of the table:
 * the update gate is shut, so that the state before the step is the state after it.
 */
function lossOf(given: Partial<Gru4RecConfig>, { table, bias, targets, extra, logq }: Case): number {
  const array = (data: readonly number[], ...shape: number[]): NdArray => ({ data: Float32Array.from(data), shape });
  const zeros = (...shape: number[]) => array(Array(shape.reduce((a, b) => a * b, 1)).fill(0), ...shape);
  return tidy(() => {
    const params = upload({
      items: array(table.flat(), table.length, 2),
      bias: array(bias ?? table.map(() => 0), table.length),
      'gru.0.wx': zeros(2, 6),
      'gru.0.wh': zeros(2, 6),
      'gru.0.bx': array([0, 0, 1000, 1000, 0, 0], 6),
      'gru.0.bh': zeros(6),
    });
    const unit = targets.map((_, b) => [Number(b === 0), Number(b === 1)]);
    const batch = uploaded({
      carriedFrom: Int32Array.from(targets.keys()),
      clicks: inputItems(Int32Array.from(targets)),
      columns: outputItems(Int32Array.of(...targets, ...extra)),
      ...(logq && { logq: vector(Float32Array.from(logq)) }),
    });
    const run = { ...runOf(table.length - 1), state: [tensor2d(unit)] };
    return gru4recTraining.loss(params, batch, configOf(given), run).loss.dataSync()[0]!;
  });
}

describe.each(backends)('%s', (backend) => {
  beforeAll(() => start(backend));

  expectNoTensorsLeft();

  describe('the worked example', () => {
    test.each<[string, Partial<Gru4RecConfig>, number]>([
      ['cross-entropy', {}, 0.569784],
      ['BPR-max, linear', { loss: 'bpr-max', bpreg: 1, eluParam: 0 }, 0.57703],
      ['BPR-max, elu-0.5', { loss: 'bpr-max', bpreg: 1, eluParam: 0.5 }, 0.448951],
      ['BPR', { loss: 'bpr' }, 1.394425],
      ['TOP1', { loss: 'top1', finalAct: 'linear' }, 0.717194],
      ['TOP1-max', { loss: 'top1-max' }, 0.80317],
    ])('%s gives the total, from vectors and table', (_, given, expected) => {
      expectClose([lossOf(given, EXAMPLE)], [expected]);
    });

    test('the rows are summed and divided by the nominal batch size, also when fewer are live', () => {
      expectClose([lossOf({ batchSize: 8 }, EXAMPLE)], [lossOf({}, EXAMPLE) / 4]);
    });

    test('the item bias is added to every column', () => {
      const bias = [9, 0.5, -0.25, 1, -2];
      const table = TABLE.map((row, i) => row.map((score) => score - bias[i]!));
      expectClose([lossOf({}, { ...EXAMPLE, table, bias })], [0.569784]);
    });
  });

  test('a target that is out of reach teaches as much as −log 1e-24, not more', () => {
    const table = [[0, 0], [-1000, 0], [1000, 0]]; // biome-ignore format: rows of a matrix
    expectClose([2 * lossOf({}, { table, targets: [1], extra: [2] })], [-Math.log(1e-24)], 1e-3);
  });

  describe('logQ', () => {
    const support = [0, 10, 4, 2, 8];
    /** Sessions of one click and a target each. */
    const corrected = (
      given: Partial<Gru4RecConfig>,
      targets: readonly number[],
      extra: readonly number[],
      of: ArrayLike<number> = support,
    ): ArrayLike<number> | undefined => {
      const sessions = logOf(targets.map((target) => [1, target]));
      const rows = targets.map((_, b) => ({ start: 2 * b, at: 2 * b, last: 2 * b + 1, carriedFrom: -1 }));
      const log = { sessions, catalogue: { items: 4, support: of }, first: 0 };
      const config = { ...configOf({}), logq: 1, sampleAlpha: 0.5, ...given };
      return gru4recBatch(rows, Int32Array.from(extra), log, config).logq?.data;
    };

    test('subtracts the log of the support from targets, of support^alpha from extra items', () => {
      const logq = corrected({}, [1, 2], [3, 4])!;
      expectClose(logq, [Math.log(10), Math.log(4), Math.log(2) / 2, Math.log(8) / 2], 1e-6);
      expectClose([lossOf({}, { ...EXAMPLE, logq })], [1.019293]);
      expect((0.971194 + 1.067391) / 2).toBeCloseTo(1.019293, 5);
    });

    test('is scaled by its share, and absent at 0 and for other losses', () => {
      const half = corrected({ logq: 0.5 }, [1, 2], [3, 4])!;
      expectClose(half, [Math.log(10) / 2, Math.log(4) / 2, Math.log(2) / 4, Math.log(8) / 4], 1e-6);
      expect(corrected({ logq: 0 }, [1, 2], [3, 4])).toBeUndefined();
      expect(corrected({ loss: 'bpr-max' }, [1, 2], [3, 4])).toBeUndefined();
    });

    test('stays finite for items without events, which uniform negatives may be', () => {
      const empty = Int32Array.of(0, 10, 4, 0, 0);
      for (const batchSize of [1, 3]) {
        expectClose(corrected({ batchSize, sampleAlpha: 0 }, [1], [3, 4], empty)!, [Math.log(10), 0, 0], 1e-6);
      }
    });

    test('in a shrunken batch counts the first batchSize columns as targets', () => {
      const [full, root] = [Math.log(8), Math.log(8) / 2];
      expectClose(corrected({ batchSize: 3 }, [1], [4, 4, 4])!, [Math.log(10), full, full, root], 1e-6);
    });
  });

  test('only the rows asked for are scored, whatever the catalogue', async () => {
    const table = Array.from({ length: 501 }, (_, i) => [Math.sin(i), Math.cos(i)]);
    const given = { table, bias: table.map(([x]) => x!), targets: [400, 2], extra: [3, 450, 3] };
    const { kernels } = await profile(() => {
      lossOf({}, given);
      return [] as never;
    });
    const rows = kernels.flatMap(({ outputShapes }) => outputShapes.flat());
    expect(rows.length).toBeGreaterThan(0);
    expect(Math.max(...rows.map((n) => n ?? 0))).toBeLessThan(20);
  });
});
