/**
 * Softmax cross-entropies over items, −log softmax(s)[target] with sⱼ = c · table[j] + bias[j]: over the catalogue, and over the
 * target and a sample of negatives.
 */
import {
  add,
  concat,
  div,
  expandDims,
  type Scalar,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor1d,
  zeros,
} from '@tensorflow/tfjs';
import { crossEntropy, productCrossEntropy } from '../nn/cross-entropy';
import { MASKED, maskEqual } from '../nn/masked';
import { type Outputs, outputsFrom, ownScores, scoresOf } from '../nn/scores';
import type { Random } from '../session/random';
import type { SessionInput } from '../types';
import { type BatchArray, outputItems, type Uploaded, vector } from './batch';
import { byPopularity, popularity } from './negatives';
import { heldScores, type RepeatBatch, repeatBatch, type TargetPlaces, targetBias, withoutHeld } from './repeat-bias';

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

/** Negatives that all targets share, `[K]`, and what is taken off the scores. */
export interface SampledBatch {
  readonly negatives: BatchArray<Tensor1D>;
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
  /** Share of the correction. Default 1. */
  readonly logq?: number;
  readonly logqOf: 'all' | 'draws';
}

/** A uniform draw may pick an item without events, because all of them were held out. It counts as one event. */
export const logSupport = (support: ArrayLike<number>, item: number): number => Math.log(Math.max(1, support[item]!));

/**
 * The correction for draws with probability ∝ support^alpha, or nothing.
 *
 *     logq · α log supportⱼ       of targets and negatives alike
 *     logq · log(K qⱼ)           with logqOf=draws: of the K negatives only, Σ q = 1
 */
export function popularityLogQ(
  { nSample, sampleAlpha, logq = 1, logqOf }: Sampling,
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
  const asDrawn = (items: Int32Array) =>
    Float32Array.from(items, (item) => logq * sampleAlpha * logSupport(support, item));
  return { targets: asDrawn, negatives: asDrawn };
}

/** What the targets of a batch are compared with in place of the catalogue. */
export interface Sample {
  /** Item indices, `[K]`. */
  readonly negatives: Int32Array;
  /** Absent: scores are not corrected. */
  readonly logq?: LogQ | undefined;
}

/** nSample draws with probability ∝ support^sampleAlpha, and their correction. */
export const popularitySample = (
  sampling: Sampling,
  support: ArrayLike<number> | undefined,
  random: Random,
): Sample => ({
  negatives: byPopularity(support, sampling.sampleAlpha, sampling.nSample, random),
  logq: popularityLogQ(sampling, support),
});

export const sampledBatch = (targets: Int32Array, { negatives, logq }: Sample): SampledBatch => ({
  negatives: outputItems(negatives),
  ...(logq && { logqTargets: vector(logq.targets(targets)), logqNegatives: vector(logq.negatives(negatives)) }),
});

/** What `softmaxLoss` reads of a batch beside its targets. */
export interface SoftmaxBatch {
  /** Absent: targets are compared with the catalogue. */
  readonly sampled?: SampledBatch;
  /** Absent without a repeat bias. */
  readonly repeats?: RepeatBatch;
}

/**
 * @param targets Item indices, `[M]`.
 * @param sessions What comes before the targets; `places` gives the place of each.
 * @param sample Default: the catalogue.
 * @param repeatLags L, the clicks that a repeat bias looks back at; 0: there is none.
 */
export function softmaxBatch(
  targets: Int32Array,
  sessions: readonly SessionInput[],
  places: TargetPlaces,
  sample: Sample | undefined,
  repeatLags: number,
): SoftmaxBatch {
  const { negatives = new Int32Array(0), logq } = sample ?? {};
  return {
    ...(sample && { sampled: sampledBatch(targets, sample) }),
    ...(repeatLags > 0 && {
      repeats: repeatBatch(sessions, places, repeatLags, targets, negatives, { logq: logq?.targets }),
    }),
  };
}

/**
 * The scores of each target's candidates, `[M, 1 + P + K]`: its own in column 0, then the items that its session holds where there
 * is a repeat bias, then the negatives. A negative that equals the target scores `hit`.
 *
 * @param c One vector for each target, `[M, d]`.
 */
export function sampledScores(
  c: Tensor2D,
  outputs: Outputs,
  targets: Tensor1D,
  { negatives, logqTargets, logqNegatives }: Uploaded<SampledBatch>,
  repeats?: Uploaded<RepeatBatch>,
  hit = MASKED,
): Tensor2D {
  const own = expandDims(ownScores(c, outputs, targets), 1) as Tensor2D;
  const target: Tensor2D = logqTargets ? sub(own, expandDims(logqTargets, 1)) : own;
  const shared = scoresOf(c, outputs, negatives);
  const others = maskEqual(logqNegatives ? sub(shared, logqNegatives) : shared, targets, negatives, hit);
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

export interface SoftmaxOptions {
  /** τ, which scores are divided by, their corrections included. Default 1. */
  readonly temperature?: number;
  /** As in `catalogueCrossEntropy`. */
  readonly smoothing?: number;
  readonly first?: 0 | 1;
  /** Score of a negative that equals the target, before it is divided. Default: it is left out. */
  readonly hit?: number | undefined;
}

/**
 * Σ over M targets of −log softmax(s / τ)[target], over the catalogue or the sample of the batch.
 *
 * @param vectors c, `[M, d]`.
 * @param n Items of the catalogue.
 */
export function softmaxLoss(
  vectors: Tensor2D,
  outputs: Outputs,
  { targets, sampled, repeats }: { readonly targets: Tensor1D } & Uploaded<SoftmaxBatch>,
  n: number,
  { temperature: tau = 1, hit, ...catalogue }: SoftmaxOptions = {},
): Scalar {
  const [c, side] = atTemperature(vectors, outputs, tau);
  const held = repeats?.logq ? { ...repeats, logq: over(repeats.logq, tau) } : repeats;
  if (!sampled) return catalogueCrossEntropy(c, side, targets, n, { ...catalogue, repeats: held });
  const { logqTargets, logqNegatives } = sampled;
  const corrected =
    logqTargets && logqNegatives
      ? { ...sampled, logqTargets: over(logqTargets, tau), logqNegatives: over(logqNegatives, tau) }
      : sampled;
  return sum(sampledCrossEntropy(c, side, targets, corrected, held, hit && hit / tau));
}

const over = <T extends Tensor>(x: T, tau: number): T => (tau === 1 ? x : div(x, tau));

/** Vectors and item side whose scores are s / τ: scores are linear in vectors, bias and repeat bias. */
export const atTemperature = (
  vectors: Tensor2D,
  { table, bias, repeats }: Outputs,
  tau: number,
): readonly [Tensor2D, Outputs] => [
  over(vectors, tau),
  { table, ...(bias && { bias: over(bias, tau) }), ...(repeats && { repeats: over(repeats, tau) }) },
];
