/**
 * Softmax cross-entropies over items, −log softmax(s)[target] with sⱼ = c · table[j] + bias[j]: over the catalogue, and over the
 * target and a sample of negatives.
 */
import {
  add,
  concat,
  equal,
  expandDims,
  gather,
  matMul,
  reshape,
  type Scalar,
  sub,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tensor1d,
  where,
  zeros,
} from '@tensorflow/tfjs-core';
import { crossEntropy, productCrossEntropy } from '../nn/cross-entropy';
import { MASKED, maskEqual } from '../nn/masked';
import { type Outputs, outputsFrom, outputsOf, ownScores, scoresOf } from '../nn/scores';
import { type BatchArray, matrix, outputItems, type Uploaded, vector } from './batch';
import { popularity } from './negatives';
import { heldScores, type RepeatBatch, targetBias, withoutHeld } from './repeat-bias';

/**
 * Σ over M targets of the cross-entropy over all n items, computed without ever holding all scores.
 *
 * @param vectors c, `[M, d]`.
 * @param targets Item indices, `[M]` int32.
 * @param smoothing Share of each target's mass that the other items get, 0…1. Default 0.
 * @param first 0: padding counts as one more item, which is never right. Default 1.
 */
export function catalogueCrossEntropy(
  vectors: Tensor2D,
  outputs: Outputs,
  targets: Tensor1D,
  n: number,
  {
    smoothing = 0,
    first = 1,
    repeats,
  }: { smoothing?: number; first?: 0 | 1; repeats?: Uploaded<RepeatBatch> | undefined },
): Scalar {
  const { table, bias } = outputsFrom(first, outputs, n);
  const columns = sub<Tensor1D>(targets, tensor1d([first], 'int32'));
  const extras = repeats && { values: outputs.repeats!, ...repeats.cells(first) };
  return productCrossEntropy(vectors, table, bias, columns, smoothing, extras);
}

/** Negatives that targets share, and what is taken off the scores: share of log q. */
export interface SampledBatch {
  /** `[K]` for the whole batch, or `[R, K]` for each of its R sessions. */
  readonly negatives: BatchArray<Tensor1D | Tensor2D>;
  /** Session of each target, `[M]`, where each session has negatives of its own. */
  readonly rowOf?: BatchArray<Tensor1D>;
  readonly logqTargets?: BatchArray<Tensor1D>;
  readonly logqNegatives?: BatchArray<Tensor1D>;
}

/** What is taken off the scores of targets and of negatives, given their items. */
export interface LogQ {
  readonly targets: (items: Int32Array) => Float32Array;
  readonly negatives: (items: Int32Array) => Float32Array;
}

/** How negatives are drawn, and corrected for it: `models/sampled-softmax.ts`. */
export interface Sampling {
  readonly nSample: number;
  readonly sampleAlpha: number;
  readonly logq: number;
  readonly logqOf: 'all' | 'draws';
}

/**
 * The correction for draws with probability ∝ support^alpha, or nothing.
 *
 *     logq · α log supportⱼ       of targets and negatives alike
 *     logq · log(K qⱼ)           with logqOf=draws: of the K negatives only, Σ q = 1
 */
export function popularityLogQ(
  { nSample, sampleAlpha, logq, logqOf }: Sampling,
  support: ArrayLike<number> | undefined,
): LogQ | undefined {
  if (logq === 0 || !support) return undefined;
  if (logqOf === 'draws') {
    const { total } = popularity(support, sampleAlpha);
    return {
      targets: (items) => new Float32Array(items.length),
      negatives: (items) =>
        Float32Array.from(items, (item) => logq * Math.log((nSample * support[item]! ** sampleAlpha) / total)),
    };
  }
  // An item whose every event was held out can still be drawn, uniformly: as if it had one.
  const asDrawn = (items: Int32Array) =>
    Float32Array.from(items, (item) => logq * sampleAlpha * Math.log(Math.max(1, support[item]!)));
  return { targets: asDrawn, negatives: asDrawn };
}

/** @param rowOf For negatives of each session on its own, `[R · K]`: the session of each target. */
export function sampledBatch(
  targets: Int32Array,
  negatives: Int32Array,
  logq: LogQ | undefined,
  rows?: { readonly count: number; readonly rowOf: Int32Array },
): SampledBatch {
  return {
    negatives: rows ? { ...matrix(negatives, rows.count), items: 'output' } : outputItems(negatives),
    ...(rows && { rowOf: vector(rows.rowOf) }),
    ...(logq && { logqTargets: vector(logq.targets(targets)), logqNegatives: vector(logq.negatives(negatives)) }),
  };
}

/** The vectors that score. */
interface Vectors {
  /** One for each target, `[M, d]`. */
  readonly ofTargets: Tensor2D;
  /** For negatives of each session: those of all clicks, `[R · V, d]`, and which of them predicts each target, `[M]`. */
  readonly all?: Tensor2D;
  readonly positions?: Tensor1D;
}

/**
 * The scores of each target's candidates, `[M, 1 + P + K]`: its own in column 0, then the items that its session holds where there
 * is a repeat bias, then the negatives. A negative that equals the target scores `hit`.
 */
export function sampledScores(
  { ofTargets: c, all = c, positions }: Vectors,
  outputs: Outputs,
  targets: Tensor1D,
  { negatives, rowOf, logqTargets, logqNegatives }: Uploaded<SampledBatch>,
  repeats?: Uploaded<RepeatBatch>,
  hit = MASKED,
): Tensor2D {
  const own = expandDims(ownScores(c, outputs, targets), 1) as Tensor2D;
  const target: Tensor2D = logqTargets ? sub(own, expandDims(logqTargets, 1)) : own;
  let others: Tensor2D;
  if (rowOf) {
    // One product for each session: of all its clicks with all its negatives.
    const [rows, K] = negatives.shape as [number, number];
    const { table, bias } = outputsOf(outputs, reshape(negatives, [rows * K]) as Tensor1D);
    const [cells, d] = all.shape;
    const ofRow = reshape(all, [rows, cells / rows, d]) as Tensor3D;
    const product = matMul<Tensor3D>(ofRow, reshape(table, [rows, K, d]) as Tensor3D, false, true); // [R, V, K]
    const corrected = logqNegatives ? sub(product, reshape(logqNegatives, [rows, 1, K])) : product;
    const biased = bias ? add(corrected, reshape(bias, [rows, 1, K])) : corrected;
    const found = gather(reshape(biased, [cells, K]) as Tensor2D, positions!); // [M, K]
    others = where(equal(gather(negatives, rowOf), expandDims(targets, 1)), hit, found);
  } else {
    const shared = scoresOf(c, outputs, negatives as Tensor1D);
    others = maskEqual(logqNegatives ? sub(shared, logqNegatives) : shared, targets, negatives as Tensor1D, hit);
  }
  const columns = repeats
    ? [
        add<Tensor2D>(target, expandDims(targetBias(outputs, repeats), 1)),
        heldScores(c, outputs, repeats),
        withoutHeld(others, repeats),
      ]
    : [target, others];
  return concat(columns, 1) as Tensor2D;
}

/** The cross-entropy of each target, `[M]`, over the columns of `sampledScores`. */
export const sampledCrossEntropy = (...columns: Parameters<typeof sampledScores>): Tensor1D =>
  crossEntropy(sampledScores(...columns), zeros([columns[2].shape[0]], 'int32'));
