/** Carries out an `ObjectiveSpec`: from session vectors, targets and negatives to one number. */
import {
  add,
  concat,
  div,
  expandDims,
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
  zeros,
} from '@tensorflow/tfjs-core';
import type { ObjectiveSpec, Outputs, Params } from '../models/model';
import { activate } from '../nn/activation';
import { productCrossEntropy } from '../nn/cross-entropy';
import { maskEqual } from '../nn/masked';
import { sampledBinaryCrossEntropy } from '../nn/sampled-binary';
import { bpr, bprMax, crossEntropy, negativeLoss, positiveLoss, positiveWeight, top1, top1Max } from './losses';

/** One training step, as its loss sees it. Item indices are rows of `outputs.table`. */
export interface LossInput {
  /** One vector per target, `[M, d]`. */
  readonly vectors: Tensor2D;
  /** One vector per row of the batch, `[R, d]`, for negatives `per-row`. */
  readonly rowVectors?: Tensor2D;
  readonly outputs: Outputs;
  /** `[M]` int32. */
  readonly targets: Tensor1D;
  /** `[K]` int32 shared by the batch, `[M, K]` per target, or `[R, K]` per row; absent for the full softmax. */
  readonly negatives?: Tensor1D | Tensor2D;
  /** log q of every column of the sampled scores, see `logQ`; absent without correction. */
  readonly logq?: Tensor1D;
  /** Number of real items n, for the full softmax. */
  readonly items: number;
  /** Rows of a full batch, for the `nominal` reduction. */
  readonly nominalBatch: number;
  /** All parameters, for `l2`. */
  readonly params: Params;
}

type RowLoss = Exclude<ObjectiveSpec['loss'], 'bce' | 'gbce'>;

/** The loss of one step, a scalar. */
export function objectiveLoss(spec: ObjectiveSpec, input: LossInput): Scalar {
  const loss = reducedLoss(spec, input);
  const { l2 } = spec;
  if (!l2 || l2.weight === 0) return loss;
  const penalty = (table: Tensor) => (l2.power === 2 ? sum(square(table)) : norm(table));
  return l2.params.reduce<Scalar>((total, name) => add(total, mul(l2.weight, penalty(input.params[name]!))), loss);
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
  if (loss === 'cross-entropy') return crossEntropy(scores, positive, spec.labelSmoothing, spec.guard);
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
function fullCrossEntropy(spec: ObjectiveSpec, { vectors, outputs, targets, items }: LossInput): Scalar {
  const { table, bias } = realItems(outputs, items);
  return productCrossEntropy(vectors, table, bias, sub(targets, tensor1d([1], 'int32')), spec.labelSmoothing);
}

/**
 * Scores of each row's candidates, `[M, K]`, and the column of its target.
 *
 * - the whole catalogue: K = n, the target of row b in column targets[b] − 1;
 * - in-batch: columns are the M targets, then the extra ids; the target of row b in column b;
 * - extra ids only: the row's own target in column 0, then the extra ids.
 */
function columns(spec: ObjectiveSpec, input: LossInput): { scores: Tensor2D; positive: Tensor1D } {
  const { vectors, outputs, targets, logq } = input;
  const rows = targets.shape[0];
  const { negatives } = spec;
  if (negatives.kind === 'catalogue') {
    return { scores: catalogueScores(vectors, outputs, input.items), positive: sub(targets, tensor1d([1], 'int32')) };
  }
  if (negatives.kind !== 'shared') throw new RangeError(`objective: ${spec.loss} needs shared negatives.`);
  const extra = input.negatives as Tensor1D;
  if (negatives.inBatch) {
    const ids = extra.shape[0] === 0 ? targets : concat([targets, extra]);
    const scores = sharedScores(input, ids);
    return { scores: logq ? sub<Tensor2D>(scores, logq) : scores, positive: range(0, rows, 1, 'int32') };
  }
  const own = expandDims(ownScores(input, targets), 1);
  let others = sharedScores(input, extra); // [M, K]
  if (spec.maskHits) others = maskEqual(others, targets, extra);
  if (logq) others = sub(others, slice(logq, rows)) as Tensor2D;
  const target = logq ? sub(own, expandDims(slice(logq, 0, rows), 1)) : own;
  return { scores: concat([target, others], 1) as Tensor2D, positive: zeros([rows], 'int32') };
}

/** c Eᵀ + b: scores of every row of an item side, `[M, d] × [K, d] → [M, K]`. */
export function productScores(vectors: Tensor2D, { table, bias }: Outputs): Tensor2D {
  const scores: Tensor2D = matMul(vectors, table, false, true);
  return bias ? add(scores, bias) : scores;
}

/** Scores of the real items, `[M, n]`: without padding and special tokens. */
export function catalogueScores(vectors: Tensor2D, outputs: Outputs, items: number): Tensor2D {
  return productScores(vectors, realItems(outputs, items));
}

const realItems = ({ table, bias }: Outputs, items: number): Outputs =>
  rowsOf(slice(table, [1, 0], [items, -1]), bias && slice(bias, 1, items));

const rowsOf = (table: Tensor2D, bias: Tensor1D | undefined): Outputs => (bias ? { table, bias } : { table });

/** Scores of every row for the same ids, `[M, K]`: only those rows of the table are read. */
function sharedScores({ vectors, outputs }: LossInput, ids: Tensor1D): Tensor2D {
  return productScores(vectors, rowsOf(gather(outputs.table, ids), outputs.bias && gather(outputs.bias, ids)));
}

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

/**
 * log q of the columns of a sampled cross-entropy, times `logq`: what is subtracted from their scores.
 *
 * In-batch columns carry the support of the target, extra ids support^alpha, both raw, as in the official GRU4Rec code;
 * with `logqSplit: 'nominal'` the first `nominalBatch` columns count as targets even once fewer rows are live. Without
 * in-batch negatives targets and extra ids are both corrected by support^alpha.
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
  const { negatives, logq = 0, logqSplit = 'live' } = spec;
  if (spec.loss !== 'cross-entropy' || negatives.kind !== 'shared' || logq === 0) return undefined;
  const split = logqSplit === 'nominal' ? nominalBatch : targets.length;
  const values = new Float32Array(targets.length + extra.length);
  for (let j = 0; j < values.length; j++) {
    const item = j < targets.length ? targets[j]! : extra[j - targets.length]!;
    const exponent = negatives.inBatch && j < split ? 1 : negatives.alpha;
    // An item whose every event was held out can still be drawn, uniformly: as if it had one.
    values[j] = logq * exponent * Math.log(Math.max(1, support[item]!));
  }
  return values;
}
