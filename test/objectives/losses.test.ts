import {
  memory,
  profile,
  type Scalar,
  type Tensor1D,
  type Tensor2D,
  tensor1d,
  tensor2d,
  tidy,
} from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ObjectiveSpec, Outputs } from '../../src/models/model';
import { activate } from '../../src/nn/activation';
import { bpr, bprMax, crossEntropy, softmaxBinaryCrossEntropy, top1, top1Max } from '../../src/objectives/losses';
import { logQ, objectiveLoss } from '../../src/objectives/objective';
import { backends, start } from '../compute/backends/start';

/** Two rows, the positives on the diagonal, two extra columns. */
const R = [
  [2.0, -0.5, 0.3, -1.2],
  [0.1, 1.0, -0.4, 0.7],
];

type Loss = (r: Tensor2D, positive: Tensor1D) => Tensor1D;

/** Row losses of a matrix of scores whose positives stand in the given columns. */
const rowsOf = (loss: Loss, scores: readonly number[][] = R, positive: readonly number[] = [0, 1]): number[] =>
  tidy(() => Array.from(loss(tensor2d(scores as number[][]), tensor1d(positive as number[], 'int32')).dataSync()));

function expectClose(got: ArrayLike<number>, expected: readonly number[], limit = 1e-5): void {
  expect(got.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs(got[i]! - value), `value ${i}: ${got[i]} for ${value}`).toBeLessThanOrEqual(limit);
  });
}

const halfElu: Loss = (s, positive) => bprMax(activate(s, { kind: 'elu', alpha: 0.5 }), positive, 0);
const halfEluWithPenalty: Loss = (s, positive) => bprMax(activate(s, { kind: 'elu', alpha: 0.5 }), positive, 1);
const linear: Loss = (s, positive) => bprMax(s, positive, 0);
const linearWithPenalty: Loss = (s, positive) => bprMax(s, positive, 1);
const plain: Loss = (s, positive) => crossEntropy(s, positive);

const softmax = (s: readonly number[]): number[] => {
  const e = s.map(Math.exp);
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((x) => x / total);
};

/** Scores of the objective are c · Eᵀ: with unit vectors for c, those of row b are column b of the table. */
interface Case {
  readonly table: readonly number[][];
  readonly bias?: readonly number[];
  readonly targets: readonly number[];
  readonly negatives: readonly number[] | readonly number[][];
  readonly logq?: Float32Array | undefined;
  readonly nominalBatch?: number;
}

function objective(spec: ObjectiveSpec, { table, bias, targets, negatives, logq, nominalBatch = 2 }: Case): number {
  return tidy(() => {
    const d = table[0]!.length;
    const unit = targets.map((_, b) => Array.from({ length: d }, (_, j) => (j === b ? 1 : 0)));
    const outputs: Outputs = {
      table: tensor2d(table as number[][]),
      ...(bias && { bias: tensor1d(bias as number[]) }),
    };
    const vectors = tensor2d(unit, [targets.length, d]);
    const loss: Scalar = objectiveLoss(spec, {
      vectors,
      rowVectors: vectors,
      outputs,
      targets: tensor1d(targets as number[], 'int32'),
      negatives: Array.isArray(negatives[0])
        ? tensor2d(negatives as number[][], undefined, 'int32')
        : tensor1d(negatives as number[], 'int32'),
      ...(logq && { logq: tensor1d(logq) }),
      items: table.length - 1,
      nominalBatch,
      params: { items: outputs.table },
    });
    return loss.dataSync()[0]!;
  });
}

/** The table of the worked example: items 1 and 2 are the targets, 3 and 4 the extra ids. */
const TABLE = [[0, 0], ...R[0]!.map((score, j) => [score, R[1]![j]!])];
const EXAMPLE: Case = { table: TABLE, targets: [1, 2], negatives: [3, 4] };
const shared = (over: Partial<ObjectiveSpec> = {}): ObjectiveSpec => ({
  loss: 'cross-entropy',
  negatives: { kind: 'shared', inBatch: true, extra: 2, alpha: 0.5 },
  reduction: 'nominal',
  ...over,
});

describe.each(backends)('%s', (backend) => {
  beforeAll(() => start(backend));

  let tensors: number;
  beforeEach(() => {
    tensors = memory().numTensors;
  });
  afterEach(() => {
    expect(memory().numTensors, 'tensors left behind').toBe(tensors);
  });

  describe('the worked example', () => {
    test.each<[string, Loss, number[]]>([
      ['cross-entropy', plain, [0.26661, 0.872959]],
      ['BPR-max, rank part', linear, [0.125522, 0.423817]],
      ['BPR-max with its regularisation', linearWithPenalty, [0.125522 + 0.313096, 0.423817 + 0.291626]],
      ['BPR-max after elu-0.5, rank part', halfElu, [0.13058, 0.426772]],
      ['BPR-max after elu-0.5 with its regularisation', halfEluWithPenalty, [0.13058 + 0.083216, 0.426772 + 0.257334]],
      ['BPR, its own term included', bpr, [0.979776, 1.809074]],
      ['TOP1', top1, [0.665651, 0.768736]],
      ['TOP1-max', top1Max, [0.689265, 0.917076]],
    ])('%s gives the row losses', (_, loss, expected) => {
      expectClose(rowsOf(loss), expected);
    });

    test.each<[string, Partial<ObjectiveSpec>, number]>([
      ['cross-entropy', {}, 0.569784],
      ['BPR-max, linear', { loss: 'bpr-max', bpreg: 1 }, 0.57703],
      ['BPR-max, elu-0.5', { loss: 'bpr-max', bpreg: 1, finalActivation: { kind: 'elu', alpha: 0.5 } }, 0.448951],
      ['BPR', { loss: 'bpr' }, 1.394425],
      ['TOP1', { loss: 'top1' }, 0.717194],
      ['TOP1-max', { loss: 'top1-max' }, 0.80317],
    ])('%s gives the total, from vectors and table', (_, over, expected) => {
      expectClose([objective(shared(over), EXAMPLE)], [expected]);
    });

    test('the rows are summed and divided by the nominal batch size, also when fewer are live', () => {
      const total = objective(shared(), EXAMPLE);
      expectClose([objective(shared(), { ...EXAMPLE, nominalBatch: 8 })], [total / 4]);
      expectClose([objective(shared({ reduction: 'mean' }), { ...EXAMPLE, nominalBatch: 8 })], [total]);
    });

    test('the item bias is added to every column', () => {
      const bias = [9, 0.5, -0.25, 1, -2];
      const table = TABLE.map((row, i) => row.map((score) => score - bias[i]!));
      expectClose([objective(shared(), { ...EXAMPLE, table, bias })], [0.569784]);
    });
  });

  describe('the weights of the max losses', () => {
    /** Their derivative by bpreg reads them: Σⱼ wⱼ rⱼ². */
    const penalty = (s: readonly number[][], positive?: readonly number[]): number[] => {
      const [without, withIt] = [rowsOf(linear, s, positive), rowsOf(linearWithPenalty, s, positive)];
      return withIt.map((x, b) => x - without[b]!);
    };

    test('are a softmax over the negatives alone', () => {
      const weights = [
        [0, 0.268664, 0.597922, 0.133414],
        [0.29166, 0, 0.176901, 0.531439],
      ];
      const expected = weights.map((w, b) => w.reduce((total, x, j) => total + x * R[b]![j]! ** 2, 0));
      expectClose(penalty(R), expected);
    });

    test("do not feel the positive's score", () => {
      const moved = R.map((row, b) => row.map((s, j) => (j === b ? s + 37 : s)));
      expectClose(penalty(moved), penalty(R));
    });

    test('take the positive wherever it stands', () => {
      const turned = R.map((row) => [row[3]!, row[0]!, row[2]!, row[1]!]);
      for (const loss of [plain, linearWithPenalty, top1, top1Max, bpr]) {
        expectClose(rowsOf(loss, turned, [1, 3]), rowsOf(loss));
      }
    });
  });

  test('a constant added to a whole row leaves cross-entropy and BPR alone, and moves BPR-max and TOP1', () => {
    const raised = R.map((row) => row.map((s) => s + 3));
    for (const loss of [plain, bpr, linear]) expectClose(rowsOf(loss, raised), rowsOf(loss));
    for (const loss of [linearWithPenalty, top1, top1Max]) {
      const [before, after] = [rowsOf(loss), rowsOf(loss, raised)];
      before.forEach((x, b) => {
        expect(Math.abs(x - after[b]!)).toBeGreaterThan(0.01);
      });
    }
  });

  test('no loss overflows on scores of a thousand, whichever side they are on', () => {
    const extreme = [
      [1000, -1000, 0],
      [-1000, 1000, 500],
      [0, 0, 0],
    ];
    const rows = (loss: Loss) => rowsOf(loss, extreme, [0, 0, 0]);
    expectClose(rows(plain), [0, 2000, Math.log(3)], 1e-2);
    // Without a guard log 0 would be infinite: the guard makes it −log 1e-24.
    expectClose(rows(linear), [0, -Math.log(1e-24), Math.log(2)], 1e-3);
    const third = Math.log(3) + 2 * Math.log(3 / 2);
    expectClose(rows(softmaxBinaryCrossEntropy), [0, 2000 + 500, third], 1e-2);
    expectClose(rows(bpr), [Math.log(2), 3500 + Math.log(2), 3 * Math.log(2)], 1e-2);
    for (const loss of [top1, top1Max]) expect(rows(loss).every(Number.isFinite)).toBe(true);
  });

  describe('label smoothing', () => {
    const columns = R[0]!.length;
    const expected = (smoothing: number) =>
      R.map((row, b) => {
        const p = softmax(row);
        const goal = p.map((_, j) => smoothing / columns + (j === b ? 1 - smoothing : 0));
        return p.reduce((total, x, j) => total - goal[j]! * Math.log(x), 0);
      });

    test('of the code: (1 − eK/(K − 1)) (−log pᵢ) + e/(K − 1) Σ −log pⱼ', () => {
      const e = 0.2;
      const rows = R.map((row, b) => {
        const logs = softmax(row).map((x) => -Math.log(x));
        const all = logs.reduce((x, y) => x + y, 0);
        return (1 - (e * columns) / (columns - 1)) * logs[b]! + (e / (columns - 1)) * all;
      });
      expectClose(
        rowsOf((s, positive) => crossEntropy(s, positive, e)),
        rows,
      );
    });

    test('spreads the mass e′/K over all columns, where e = e′ (K − 1)/K', () => {
      const smoothing = 0.3;
      const e = (smoothing * (columns - 1)) / columns;
      expectClose(
        rowsOf((s, positive) => crossEntropy(s, positive, e)),
        expected(smoothing),
      );
      expectClose(
        [objective(shared({ labelSmoothing: e }), EXAMPLE)],
        [(expected(smoothing)[0]! + expected(smoothing)[1]!) / 2],
      );
    });
  });

  describe('logQ', () => {
    const support = [0, 10, 4, 2, 8];
    const spec = (over: Partial<ObjectiveSpec> = {}) => shared({ logq: 1, ...over });
    const corrected = (of: ObjectiveSpec, targets: number[], extra: number[], nominalBatch: number) =>
      logQ(of, support, Int32Array.from(targets), Int32Array.from(extra), nominalBatch);

    test('subtracts the log of the support from targets, of support^alpha from extra ids', () => {
      const logq = corrected(spec(), [1, 2], [3, 4], 2)!;
      expectClose(logq, [Math.log(10), Math.log(4), Math.log(2) / 2, Math.log(8) / 2], 1e-6);
      expectClose(
        rowsOf(
          plain,
          R.map((row) => row.map((s, j) => s - logq[j]!)),
        ),
        [0.971194, 1.067391],
      );
      expectClose([objective(spec(), { ...EXAMPLE, logq })], [1.019293]);
    });

    test('is scaled by its share, and absent at 0 and for other losses', () => {
      const half = corrected(spec({ logq: 0.5 }), [1, 2], [3, 4], 2)!;
      expectClose(half, [Math.log(10) / 2, Math.log(4) / 2, Math.log(2) / 4, Math.log(8) / 4], 1e-6);
      expect(corrected(spec({ logq: 0 }), [1, 2], [3, 4], 2)).toBeUndefined();
      expect(corrected(spec({ loss: 'bpr-max' }), [1, 2], [3, 4], 2)).toBeUndefined();
    });

    test('stays finite for items without events, which uniform negatives may be', () => {
      const uniform = spec({ negatives: { kind: 'shared', inBatch: true, extra: 2, alpha: 0 } });
      const empty = Int32Array.of(0, 10, 4, 0, 0);
      for (const nominalBatch of [1, 3]) {
        const logq = logQ(uniform, empty, Int32Array.of(1), Int32Array.of(3, 4), nominalBatch)!;
        expectClose(logq, [Math.log(10), 0, 0], 1e-6);
      }
    });

    test('in a shrunken batch counts the first nominal columns as targets, or the live ones only', () => {
      const [full, root] = [Math.log(8), Math.log(8) / 2];
      const nominal = corrected(spec({ logqSplit: 'nominal' }), [1], [4, 4, 4], 3)!;
      expectClose(nominal, [Math.log(10), full, full, root], 1e-6);
      const live = corrected(spec({ logqSplit: 'live' }), [1], [4, 4, 4], 3)!;
      expectClose(live, [Math.log(10), root, root, root], 1e-6);
      expectClose(corrected(spec(), [1], [4, 4, 4], 3)!, Array.from(live), 0);
    });
  });

  describe('a sampled softmax without in-batch negatives', () => {
    const support = [0, 10, 4, 2, 8];
    const spec = (over: Partial<ObjectiveSpec> = {}): ObjectiveSpec => ({
      loss: 'cross-entropy',
      negatives: { kind: 'shared', inBatch: false, extra: 3, alpha: 0.75 },
      reduction: 'mean',
      ...over,
    });
    const targets = [1, 4];
    const negatives = [3, 4, 3];
    const score = (b: number, item: number) => TABLE[item]![b]!;

    test('compares each target with the extra ids alone', () => {
      const rows = targets.map((target, b) => -Math.log(softmax([target, ...negatives].map((i) => score(b, i)))[0]!));
      expectClose([objective(spec(), { table: TABLE, targets, negatives })], [(rows[0]! + rows[1]!) / 2]);
    });

    test('corrects target and extra ids by the same log support^alpha', () => {
      const logq = logQ(spec({ logq: 1 }), support, Int32Array.from(targets), Int32Array.from(negatives), 64)!;
      expectClose(
        logq,
        [...targets, ...negatives].map((i) => 0.75 * Math.log(support[i]!)),
        1e-6,
      );
      const rows = targets.map((target, b) => {
        const s = [target, ...negatives].map((i) => score(b, i) - 0.75 * Math.log(support[i]!));
        return -Math.log(softmax(s)[0]!);
      });
      const got = objective(spec({ logq: 1 }), { table: TABLE, targets, negatives, logq });
      expectClose([got], [(rows[0]! + rows[1]!) / 2]);
    });

    test('leaves out extra ids that equal the target, on request', () => {
      const rows = targets.map((target, b) => {
        const others = negatives.filter((i) => i !== target);
        return -Math.log(softmax([target, ...others].map((i) => score(b, i)))[0]!);
      });
      const got = objective(spec({ maskHits: true }), { table: TABLE, targets, negatives });
      expectClose([got], [(rows[0]! + rows[1]!) / 2]);
      expect(Math.abs(got - objective(spec(), { table: TABLE, targets, negatives }))).toBeGreaterThan(0.05);
    });
  });

  test.each<[string, Partial<ObjectiveSpec>]>([
    ['in-batch negatives', { negatives: { kind: 'shared', inBatch: true, extra: 3, alpha: 0 } }],
    ['bce', { loss: 'bce', negatives: { kind: 'per-position', count: 1, reject: 'none' } }],
    ['gbce', { loss: 'gbce', negatives: { kind: 'per-position', count: 1, reject: 'none' } }],
    ['a balanced loss', { loss: 'bce', reduction: 'balanced' }],
  ])('hits cannot be masked by %s, and are not left unmasked in silence', (_, over) => {
    const given = {
      table: [
        [0, 0],
        [1, 0],
        [0, 1],
      ],
      targets: [1, 2],
      negatives: [2, 1],
    };
    for (const maskHits of [true, -100, 0]) {
      expect(() => objective(shared({ ...over, maskHits }), given)).toThrow(/maskHits needs a column of its own/);
    }
  });

  test.each([true, false])(
    'only the rows asked for are scored, whatever the catalogue; in batch: %s',
    async (inBatch) => {
      const items = 501;
      const table = Array.from({ length: items }, (_, i) => [Math.sin(i), Math.cos(i)]);
      const spec = shared({ negatives: { kind: 'shared', inBatch, extra: 3, alpha: 0 } });
      const given = { table, bias: table.map(([x]) => x!), targets: [400, 2], negatives: [3, 450, 3] };
      const { kernels } = await profile(() => {
        objective(spec, given);
        return [] as never;
      });
      const rows = kernels.flatMap(({ outputShapes }) => outputShapes.flat());
      expect(rows.length).toBeGreaterThan(0);
      expect(Math.max(...rows.map((n) => n ?? 0))).toBeLessThan(20);
    },
  );

  test('the full softmax ranks the target among all real items, never among padding', () => {
    const spec: ObjectiveSpec = { loss: 'cross-entropy', negatives: { kind: 'catalogue' }, reduction: 'mean' };
    const table = [[50, 50], ...TABLE.slice(1)];
    const rows = [3, 2].map((target, b) => -Math.log(softmax(R[b]!)[target - 1]!));
    expectClose([objective(spec, { table, targets: [3, 2], negatives: [] })], [(rows[0]! + rows[1]!) / 2]);
  });

  test('a binary cross-entropy over the softmax also counts what every other item got', () => {
    const expected = R.map((s, b) => {
      const p = softmax(s);
      return p.reduce((total, share, j) => total - Math.log(j === b ? share : 1 - share), 0);
    });
    expectClose(rowsOf(softmaxBinaryCrossEntropy), expected);
    const spec: ObjectiveSpec = { loss: 'softmax-bce', negatives: { kind: 'catalogue' }, reduction: 'mean' };
    const table = [[50, 50], ...TABLE.slice(1)];
    expectClose([objective(spec, { table, targets: [1, 2], negatives: [] })], [(expected[0]! + expected[1]!) / 2]);
  });

  describe('binary cross-entropy', () => {
    const logistic = (x: number) => 1 / (1 + Math.exp(-x));

    test('of each target against negatives of its own', () => {
      const negatives = [
        [2, 4],
        [3, 3],
      ];
      const bias = [0, 0.1, -0.2, 0.3, 0];
      const rows = [1, 2].map((target, b) => {
        const s = (item: number) => TABLE[item]![b]! + bias[item]!;
        const against = negatives[b]!.reduce((total, k) => total - Math.log(1 - logistic(s(k))), 0);
        return against - Math.log(logistic(s(target)));
      });
      const spec: ObjectiveSpec = {
        loss: 'bce',
        negatives: { kind: 'per-position', count: 2, reject: 'session' },
        reduction: 'mean',
      };
      expectClose([objective(spec, { table: TABLE, bias, targets: [1, 2], negatives })], [(rows[0]! + rows[1]!) / 2]);
    });

    test('weighs targets and negatives alike whatever their numbers where it is balanced, for targets or rows', () => {
      const score = (item: number, b: number) => TABLE[item]![b]!;
      const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
      const positive = mean([1, 2].map((target, b) => -Math.log(logistic(score(target, b)))));
      for (const kind of ['per-position', 'per-row'] as const) {
        const negatives = [
          [2, 4, 1],
          [3, 3, 2],
        ];
        const negative = mean(negatives.flatMap((ids, b) => ids.map((id) => -Math.log(1 - logistic(score(id, b))))));
        const spec: ObjectiveSpec = {
          loss: 'bce',
          negatives: { kind, count: 3, reject: 'session' },
          reduction: 'balanced',
        };
        expectClose([objective(spec, { table: TABLE, targets: [1, 2], negatives })], [positive + negative]);
      }
    });

    test('stays finite where a logistic function saturates', () => {
      const spec: ObjectiveSpec = {
        loss: 'bce',
        negatives: { kind: 'per-position', count: 1, reject: 'none' },
        reduction: 'mean',
      };
      const table = [
        [0, 0],
        [-500, 500],
        [0, 0],
        [0, -500],
      ];
      const sum = 2 * objective(spec, { table, targets: [1, 1], negatives: [[2], [3]] });
      expectClose([sum], [500 + Math.log(2)], 1e-3);
    });
  });

  test('a norm of the tables is added, as it is or squared', () => {
    const norm = Math.sqrt(TABLE.flat().reduce((total, x) => total + x * x, 0));
    const base = objective(shared(), EXAMPLE);
    const withNorm = (power: 1 | 2) => objective(shared({ l2: { weight: 0.1, params: ['items'], power } }), EXAMPLE);
    expectClose([withNorm(1), withNorm(2)], [base + 0.1 * norm, base + 0.1 * norm ** 2]);
  });
});
