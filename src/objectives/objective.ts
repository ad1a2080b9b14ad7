/** Carries out an `ObjectiveSpec`: from session vectors, targets and negatives to one number. */
import {
  add,
  concat,
  div,
  equal,
  expandDims,
  eye,
  gather,
  matMul,
  mean,
  mul,
  norm,
  range,
  reshape,
  type Scalar,
  slice,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tensor1d,
  where,
  zeros,
} from '@tensorflow/tfjs-core';
import type { ObjectiveSpec, Outputs, Params } from '../models/model';
import { activate } from '../nn/activation';
import { productCrossEntropy } from '../nn/cross-entropy';
import { MASKED, maskEqual } from '../nn/masked';
import { sampledBinaryCrossEntropy } from '../nn/sampled-binary';
import { logUniform } from './log-uniform';
import {
  bpr,
  bprMax,
  crossEntropy,
  negativeLoss,
  positiveLoss,
  positiveWeight,
  softmaxBinaryCrossEntropy,
  top1,
  top1Max,
} from './losses';
import type { ExtraCells } from './repeated';

/** One training step, as its loss sees it. Item indices are rows of `outputs.table`. */
export interface LossInput {
  /** One vector per target, `[M, d]`. */
  readonly vectors: Tensor2D;
  /** All vectors of the batch's rows, `[R · V, d]`, V of each, for negatives `per-row`; V is 1 for a balanced loss. */
  readonly rowVectors?: Tensor2D;
  /** Which of those predicts each target, and whose it is, `[M]` int32 each. */
  readonly asked?: { readonly vector: Tensor1D; readonly row: Tensor1D };
  readonly outputs: Outputs;
  /** `[M]` int32. */
  readonly targets: Tensor1D;
  /** `[K]` int32 shared by the batch, `[M, K]` per target, or `[R, K]` per row; absent for the full softmax. */
  readonly negatives?: Tensor1D | Tensor2D;
  /** log q of the targets, then of the negatives in their order, see `logQ`; absent without correction. */
  readonly logq?: Tensor1D;
  /** What each target's session holds before it, where `outputs` has scores for repeats. */
  readonly repeated?: RepeatedTensors;
  /** Number of real items n, for the full softmax. */
  readonly items: number;
  /** Rows of a full batch, for the `nominal` reduction. */
  readonly nominalBatch: number;
  /** All parameters, for `l2`. */
  readonly params: Params;
}

/** `Repeated` as tensors, but for the catalogue as cells of all scores. */
export interface RepeatedTensors {
  readonly ids: Tensor2D;
  readonly lags: Tensor2D;
  readonly targetLags: Tensor1D;
  readonly mask: Tensor2D;
  readonly shared?: Tensor2D;
  /** log q of `ids`, `[M, P]`; absent without correction. */
  readonly logq?: Tensor2D;
  /** For the full softmax, given the item of column 0. */
  readonly cells: (first: 0 | 1) => ExtraCells;
}

type RowLoss = Exclude<ObjectiveSpec['loss'], 'bce' | 'gbce'>;

/**
 * The loss of one step, a scalar.
 *
 * @throws RangeError for options that do not go together.
 */
export function objectiveLoss(spec: ObjectiveSpec, given: LossInput): Scalar {
  if (spec.maskHits !== undefined && spec.maskHits !== false && !hasOwnColumn(spec)) {
    throw new RangeError(
      `objective: maskHits needs a column of its own for each target, which ${spec.loss} has none of with these negatives. ` +
        'Leave maskHits out, or compare targets with draws that are not inBatch.',
    );
  }
  const input = atTemperature(given, spec.temperature ?? 1);
  const loss = reducedLoss(spec, input);
  const { l2 } = spec;
  if (!l2 || l2.weight === 0) return loss;
  const penalty = (table: Tensor) => (l2.power === 2 ? sum(square(table)) : norm(table));
  return l2.params.reduce<Scalar>((total, name) => add(total, mul(l2.weight, penalty(input.params[name]!))), loss);
}

/** Whether a target stands in a column of its own, so that others of the same item are told from it. */
function hasOwnColumn({ loss, negatives, reduction }: ObjectiveSpec): boolean {
  if (loss === 'bce' || loss === 'gbce' || reduction === 'balanced') return false;
  return negatives.kind === 'shared' ? !negatives.inBatch : negatives.kind !== 'per-position';
}

/** Scores are linear in vectors, bias and corrections, so these are divided where the scores would be. */
export function atTemperature(input: LossInput, temperature: number): LossInput {
  if (temperature === 1) return input;
  const { vectors, rowVectors, outputs, logq, repeated } = input;
  const { table, bias, repeats } = outputs;
  return {
    ...input,
    vectors: div(vectors, temperature),
    ...(rowVectors && { rowVectors: div<Tensor2D>(rowVectors, temperature) }),
    outputs: {
      ...rowsOf(table, bias && div(bias, temperature)),
      ...(repeats && { repeats: div<Tensor1D>(repeats, temperature) }),
    },
    ...(logq && { logq: div<Tensor1D>(logq, temperature) }),
    ...(repeated?.logq && { repeated: { ...repeated, logq: div<Tensor2D>(repeated.logq, temperature) } }),
  };
}

/** The mass e of `labelSmoothing` in the sense of `crossEntropy`, whose target has no share of it. */
function smoothing({ labelSmoothing = 0, labelSmoothingOver = 'others' }: ObjectiveSpec, columns: number): number {
  return labelSmoothingOver === 'all' ? (labelSmoothing * (columns - 1)) / columns : labelSmoothing;
}

/** The scores that a loss over columns compares, `[M, K]`, corrections and temperature included, and each target's column. */
export function scoredColumns(spec: ObjectiveSpec, input: LossInput): { scores: Tensor2D; positive: Tensor1D } {
  return columns(spec, atTemperature(input, spec.temperature ?? 1));
}

function reducedLoss(spec: ObjectiveSpec, input: LossInput): Scalar {
  if (spec.reduction === 'balanced') {
    if (spec.loss !== 'bce') throw new RangeError(`objective: ${spec.loss} has no negatives of their own to balance.`);
    const targets = mean(positiveLoss(ownScores(input, input.targets))) as Scalar;
    return add(targets, mean(negativeLoss(negativeScores(spec, input))));
  }
  const count = spec.reduction === 'nominal' ? input.nominalBatch : input.targets.shape[0];
  return div(totalLoss(spec, input), count) as Scalar;
}

/** Sum over the targets. The losses over many items each compute it without holding all scores at once. */
function totalLoss(spec: ObjectiveSpec, input: LossInput): Scalar {
  if (spec.loss === 'bce' || spec.loss === 'gbce') return binaryCrossEntropy(spec, input);
  const isFull = spec.loss === 'cross-entropy' && spec.negatives.kind === 'catalogue';
  return isFull ? fullCrossEntropy(spec, input) : sum(rowLosses(spec.loss, spec, input));
}

/** `bce`: each target's own sum. `gbce`: the target weighs β, and the sum is a mean over target and negatives. */
function binaryCrossEntropy(spec: ObjectiveSpec, { vectors, outputs, targets, negatives, items }: LossInput): Scalar {
  if (spec.negatives.kind === 'per-row') throw new RangeError('objective: negatives per row need to be balanced.');
  const { table, bias } = outputs;
  const own = negatives as Tensor2D;
  const count = own.shape[1];
  if (spec.loss === 'bce') return sampledBinaryCrossEntropy(vectors, table, bias, targets, own);
  const beta = positiveWeight(spec.calibration ?? 0, count, items);
  return div(sampledBinaryCrossEntropy(vectors, table, bias, targets, own, beta), count + 1);
}

function rowLosses(loss: RowLoss, spec: ObjectiveSpec, input: LossInput): Tensor1D {
  const { scores, positive } = columns(spec, input);
  if (loss === 'cross-entropy') return crossEntropy(scores, positive, smoothing(spec, scores.shape[1]), spec.guard);
  if (loss === 'softmax-bce') return softmaxBinaryCrossEntropy(scores, positive);
  const r = activate(scores, spec.finalActivation ?? { kind: 'linear' });
  switch (loss) {
    case 'bpr-max':
      return bprMax(r, positive, spec.bpreg ?? 0);
    case 'top1':
      return top1(r, positive);
    case 'top1-max':
      return top1Max(r, positive);
    case 'bpr':
      return bpr(r, positive);
  }
}

/** The full softmax, whose scores are too many to hold at once. */
function fullCrossEntropy(spec: ObjectiveSpec, { vectors, outputs, targets, items, repeated }: LossInput): Scalar {
  const first = spec.paddingColumn ? 0 : 1;
  const { table, bias } = itemsFrom(first, outputs, items);
  const positive = sub<Tensor1D>(targets, tensor1d([first], 'int32'));
  const extras = repeated && { values: outputs.repeats!, ...repeated.cells(first) };
  return productCrossEntropy(vectors, table, bias, positive, smoothing(spec, table.shape[0]), extras);
}

/**
 * Scores of each row's candidates, `[M, K]`, and the column of its target.
 *
 * - the whole catalogue: K = n, the target of row b in column targets[b] − 1;
 * - in-batch: columns are the M targets, then the extra ids; the target of row b in column b; where items of its session get a
 *   score on top, they stand last;
 * - extra ids only: the row's own target in column 0, then the items of its session that get a score on top, then the extra
 *   ids, the batch's or those of the target's session.
 */
function columns(spec: ObjectiveSpec, input: LossInput): { scores: Tensor2D; positive: Tensor1D } {
  const { vectors, outputs, targets, logq } = input;
  const rows = targets.shape[0];
  const { negatives } = spec;
  if (negatives.kind === 'catalogue') {
    return { scores: catalogueScores(vectors, outputs, input.items), positive: sub(targets, tensor1d([1], 'int32')) };
  }
  if (negatives.kind === 'per-position') {
    throw new RangeError(`objective: ${spec.loss} needs negatives that targets share.`);
  }
  if (negatives.kind === 'shared' && negatives.inBatch) {
    const extra = input.negatives as Tensor1D;
    const ids = extra.shape[0] === 0 ? targets : concat([targets, extra]);
    const scores = sharedScores(input, ids);
    const corrected: Tensor2D = logq ? sub(scores, logq) : scores;
    const positive = range(0, rows, 1, 'int32');
    if (!input.repeated) return { scores: corrected, positive };
    const own = mul(eye(rows, ids.shape[0]), expandDims(targetExtras(input), 1)); // [M, K], in the targets' own columns
    return { scores: concat([withoutHeld(input, add(corrected, own)), heldScores(input)], 1), positive };
  }
  const own = expandDims(ownScores(input, targets), 1);
  const { maskHits = false, temperature = 1 } = spec;
  const hit = maskHits === false ? undefined : maskHits === true ? MASKED : maskHits / temperature;
  const others = (negatives.kind === 'shared' ? scoresOfShared : scoresOfRows)(input, hit); // [M, K]
  const target: Tensor2D = logq ? sub(own, expandDims(slice(logq, 0, rows), 1)) : (own as Tensor2D);
  const scores = input.repeated
    ? [add<Tensor2D>(target, expandDims(targetExtras(input), 1)), heldScores(input), withoutHeld(input, others)]
    : [target, others];
  return { scores: concat(scores, 1), positive: zeros([rows], 'int32') };
}

/** r, and a 0 for items that no session holds. */
const extrasAndNone = ({ outputs }: LossInput): Tensor1D => concat([outputs.repeats!, zeros([1])]);

/** What each target gets on top, `[M]`. */
const targetExtras = (input: LossInput): Tensor1D => gather(extrasAndNone(input), input.repeated!.targetLags);

/** Scores of what each target's session holds beside it, `[M, P]`. */
function heldScores(input: LossInput): Tensor2D {
  const { vectors, outputs, repeated } = input;
  const { ids, lags, mask, logq } = repeated!;
  const [rows, width] = ids.shape;
  const { table, bias } = rowsOfItems(outputs, reshape(ids, [rows * width]) as Tensor1D);
  const products = matMul(reshape(table, [rows, width, -1]) as Tensor3D, expandDims(vectors, 2) as Tensor3D);
  const extra = add(reshape(gather(extrasAndNone(input), reshape(lags, [rows * width])), [rows, width]), mask);
  const biased = bias ? add(extra, reshape(bias, [rows, width])) : extra;
  return add(reshape(products, [rows, width]), logq ? sub(biased, logq) : biased) as Tensor2D;
}

/** Scores of shared columns, `[M, K]`, without those that a session holds: they have columns of their own. */
const withoutHeld = ({ repeated }: LossInput, scores: Tensor2D): Tensor2D =>
  repeated!.shared ? add(scores, repeated!.shared) : scores;

/** Scores of extra ids that the whole batch shares, `[M, K]`; `hit` stands where one is the row's own target. */
function scoresOfShared(input: LossInput, hit?: number): Tensor2D {
  const { targets, logq } = input;
  const extra = input.negatives as Tensor1D;
  const scores = sharedScores(input, extra);
  const corrected: Tensor2D = logq ? sub(scores, slice(logq, targets.shape[0])) : scores;
  return hit === undefined ? corrected : maskEqual(corrected, targets, extra, hit);
}

/** The same of extra ids that each row of the batch has for all its targets: one product per row of the batch. */
function scoresOfRows({ rowVectors, asked, outputs, targets, negatives, logq }: LossInput, hit?: number): Tensor2D {
  const ids = negatives as Tensor2D;
  const [rows, count] = ids.shape;
  const { table, bias } = rowsOfItems(outputs, reshape(ids, [rows * count]) as Tensor1D);
  const [all, d] = rowVectors!.shape;
  const ofRow = reshape(rowVectors!, [rows, all / rows, d]) as Tensor3D;
  const product = matMul<Tensor3D>(ofRow, reshape(table, [rows, count, d]) as Tensor3D, false, true); // [R, V, K]
  const corrected = logq ? sub(product, reshape(slice(logq, targets.shape[0]), [rows, 1, count])) : product;
  const scores = bias ? add(corrected, reshape(bias, [rows, 1, count])) : corrected;
  const found = gather(reshape(scores, [all, count]) as Tensor2D, asked!.vector); // [M, K]
  if (hit === undefined) return found;
  return where(equal(gather(ids, asked!.row), expandDims(targets, 1)), hit, found);
}

/** c Eᵀ + b: scores of every row of an item side, `[M, d] × [K, d] → [M, K]`. */
export function productScores(vectors: Tensor2D, { table, bias }: Outputs): Tensor2D {
  const scores: Tensor2D = matMul(vectors, table, false, true);
  return bias ? add(scores, bias) : scores;
}

/** Scores of the real items, `[M, n]`: without padding and special tokens. */
export function catalogueScores(vectors: Tensor2D, outputs: Outputs, items: number): Tensor2D {
  return productScores(vectors, itemsFrom(1, outputs, items));
}

/** The item side of the indices first…n. */
const itemsFrom = (first: 0 | 1, { table, bias }: Outputs, n: number): Outputs =>
  rowsOf(slice(table, [first, 0], [n + 1 - first, -1]), bias && slice(bias, first, n + 1 - first));

const rowsOf = (table: Tensor2D, bias: Tensor1D | undefined): Outputs => (bias ? { table, bias } : { table });

/** Scores of every row for the same ids, `[M, K]`: only those rows of the table are read. */
function sharedScores({ vectors, outputs }: LossInput, ids: Tensor1D): Tensor2D {
  return productScores(vectors, rowsOfItems(outputs, ids));
}

/** The item side of some items only. */
export const rowsOfItems = ({ table, bias }: Outputs, ids: Tensor1D): Outputs =>
  rowsOf(gather(table, ids), bias && gather(bias, ids));

/** The score of each row for its own item, `[M]`. */
function ownScores({ vectors, outputs }: LossInput, ids: Tensor1D): Tensor1D {
  const scores = sum(mul(vectors, gather(outputs.table, ids)), 1) as Tensor1D;
  return outputs.bias ? add(scores, gather(outputs.bias, ids)) : scores;
}

/** Scores of each target's vector, or of each row's, for its own negatives, `[M, K]` or `[R, K]`. */
function negativeScores(spec: ObjectiveSpec, { rowVectors, outputs, negatives, ...input }: LossInput): Tensor2D {
  const vectors = spec.negatives.kind === 'per-row' ? rowVectors! : input.vectors;
  const ids = negatives as Tensor2D;
  const [rows, count] = ids.shape;
  const flat = reshape(ids, [rows * count]);
  const table = reshape(gather(outputs.table, flat), [rows, count, -1]) as Tensor3D;
  const scores = sum(mul(expandDims(vectors, 1), table), 2) as Tensor2D;
  if (!outputs.bias) return scores;
  return add(scores, reshape(gather(outputs.bias, flat) as Tensor1D, [rows, count]));
}

const powers = new WeakMap<ArrayLike<number>, Map<number, number>>();

/** Σ support^alpha, what draws by popularity are shares of. */
function sumOfPowers(support: ArrayLike<number>, alpha: number): number {
  const known = powers.get(support) ?? new Map<number, number>();
  powers.set(support, known);
  let all = known.get(alpha);
  if (all === undefined) {
    all = 0;
    for (let item = 1; item < support.length; item++) all += support[item]! ** alpha;
    known.set(alpha, all);
  }
  return all;
}

/** log q of targets and extra ids, from the chance of each item to be drawn. */
export function correctionOf(chances: ArrayLike<number>, targets: Int32Array, extra: Int32Array): Float32Array {
  return Float32Array.from([...targets, ...extra], (item) => Math.log(chances[item]! + GUARD));
}

/** As the library of Transformers4Rec has it: items that are never drawn have a finite correction. */
const GUARD = 1e-16;

/**
 * log q of the columns of a sampled cross-entropy, times `logq`: what is subtracted from their scores.
 *
 * In-batch columns carry the support of the target, extra ids support^alpha, both raw, as in the official GRU4Rec code;
 * with `logqSplit: 'nominal'` the first `nominalBatch` columns count as targets even once fewer rows are live. Without
 * in-batch negatives targets and extra ids are both corrected by support^alpha, or by the chance of being among the
 * log-uniform draws; with `logqOf: 'draws'` only the extra ids, by how often each is expected among them, so that their sum
 * stands for that over the catalogue.
 *
 * @returns `[M + K]`, or undefined where the objective does not correct.
 */
export function logQ(
  spec: ObjectiveSpec,
  support: ArrayLike<number>,
  targets: Int32Array,
  extra: Int32Array,
  nominalBatch: number,
): Float32Array | undefined {
  const { negatives, logq = 0, logqSplit = 'live', logqOf = 'all' } = spec;
  const isShared = negatives.kind === 'shared';
  if (spec.loss !== 'cross-entropy' || logq === 0 || !(isShared || negatives.kind === 'per-row')) return undefined;
  if (isShared && negatives.distribution === 'log-uniform') {
    return correctionOf(logUniform(support).chances(negatives.extra), targets, extra).map((value) => logq * value);
  }
  if (isShared && !negatives.inBatch && logqOf === 'draws') {
    const all = sumOfPowers(support, negatives.alpha);
    const values = new Float32Array(targets.length + extra.length);
    extra.forEach((item, k) => {
      values[targets.length + k] = logq * Math.log((extra.length * support[item]! ** negatives.alpha) / all);
    });
    return values;
  }
  const split = logqSplit === 'nominal' ? nominalBatch : targets.length;
  const values = new Float32Array(targets.length + extra.length);
  for (let j = 0; j < values.length; j++) {
    const item = j < targets.length ? targets[j]! : extra[j - targets.length]!;
    const exponent = isShared && negatives.inBatch && j < split ? 1 : (negatives.alpha ?? 0);
    // An item whose every event was held out can still be drawn, uniformly: as if it had one.
    values[j] = logq * exponent * Math.log(Math.max(1, support[item]!));
  }
  return values;
}
