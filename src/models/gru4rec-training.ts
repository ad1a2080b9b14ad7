/**
 * How GRU4Rec trains: Hidasi et al., ICLR 2016, §3.1 to 3.2; Hidasi & Karatzoglou, CIKM 2018.
 *
 *     rows      one click of each of B running sessions
 *     h         = GRU(E[click], h of the step before)      a constant: no back-propagation through time
 *     s         = h · Wy[j] + By[j]                        j: the batch's B targets, then K items ∝ support^α
 *     s         = s − log q, or s = act(s)                 with cross-entropy; with the other losses
 *     loss      = Σ_b ℓ(s_b, target in column b) / B₀      ℓ: cross-entropy, BPR-max, TOP1, TOP1-max or BPR
 *
 * B₀ is the option `batchSize`, which B equals until too few sessions are left.
 */
import {
  add,
  concat,
  div,
  expandDims,
  eye,
  mul,
  range,
  sub,
  sum,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs';
import { type Activation, activate } from '../nn/activation';
import { bprMax } from '../nn/bpr-max';
import { crossEntropy } from '../nn/cross-entropy';
import { scoresOf } from '../nn/scores';
import { type BatchArray, inputItems, outputItems, type TrainingLog, type Uploaded, vector } from '../objectives/batch';
import { bpr, top1, top1Max } from '../objectives/losses';
import { byPopularity } from '../objectives/negatives';
import {
  afterAll,
  heldScores,
  type RepeatBatch,
  repeatBatch,
  targetBias,
  withoutHeld,
} from '../objectives/repeat-bias';
import { carriedOn, type RunningSession, sessionParallel } from '../objectives/session-parallel';
import { logSupport } from '../objectives/softmax';
import { type Gru4RecConfig, gru4rec, stepping } from './gru4rec';
import type { Params } from './model';
import type { Training } from './training';

/** What a step reads of B running sessions. */
export interface Gru4RecBatch {
  readonly carriedFrom: Int32Array;
  /** `[B]` */
  readonly clicks: BatchArray<Tensor1D>;
  /** The B targets, then the K extra items: the target of row b is column b, `[B + K]`. */
  readonly columns: BatchArray<Tensor1D>;
  readonly logq?: BatchArray<Tensor1D>;
  readonly repeats?: RepeatBatch;
}

/** What the official code adds to the target's probability before its logarithm: a target with probability 0 has no gradient. */
const GUARD = 1e-24;

/** @param extra Items that all targets are compared with besides each other, `[K]`. */
export function gru4recBatch(
  rows: readonly RunningSession[],
  extra: Int32Array,
  { sessions: { items }, catalogue: { support } }: TrainingLog,
  config: Gru4RecConfig,
): Gru4RecBatch {
  const targets = Int32Array.from(rows, ({ at }) => items[at + 1]!);
  const columns = Int32Array.from([...targets, ...extra]);
  const corrects = config.loss === 'cross-entropy' && config.logq > 0 && support !== undefined;
  const past = config.repeatLags > 0 ? rows.map(({ start, at }) => ({ items: items.subarray(start, at + 1) })) : [];
  return {
    carriedFrom: Int32Array.from(rows, ({ carriedFrom }) => carriedFrom),
    clicks: inputItems(Int32Array.from(rows, ({ at }) => items[at]!)),
    columns: outputItems(columns),
    ...(corrects && { logq: vector(logq(columns, config.batchSize, support, config)) }),
    ...(config.repeatLags > 0 && {
      repeats: repeatBatch(past, afterAll(past), config.repeatLags, targets, columns, {
        inBatch: true,
        logq: corrects ? (held) => logq(held, held.length, support, config) : undefined,
      }),
    }),
  };
}

/**
 * log q of columns, unnormalised: of the first `split` by how often items are clicked, of the others by how often they are drawn. The
 * official code splits at `batchSize` even where the batch has become smaller.
 */
function logq(columns: Int32Array, split: number, support: ArrayLike<number>, config: Gru4RecConfig): Float32Array {
  return Float32Array.from(
    columns,
    (item, j) => config.logq * (j < split ? 1 : config.sampleAlpha) * logSupport(support, item),
  );
}

/** ℓ of each row, `[B]`. */
function rowLosses(h: Tensor2D, params: Params, b: Uploaded<Gru4RecBatch>, config: Gru4RecConfig): Tensor1D {
  const outputs = gru4rec.outputs(params, config);
  const s = scoresOf(h, outputs, b.columns); // [B, B + K]
  const own = range(0, h.shape[0], 1, 'int32') as Tensor1D;
  if (config.loss === 'cross-entropy') {
    const corrected: Tensor2D = b.logq ? sub(s, b.logq) : s;
    if (!b.repeats) return crossEntropy(corrected, own, 0, GUARD);
    const biased = add<Tensor2D>(corrected, mul(eye(...s.shape), expandDims(targetBias(outputs, b.repeats), 1)));
    const all = concat([withoutHeld(biased, b.repeats), heldScores(h, outputs, b.repeats)], 1) as Tensor2D;
    return crossEntropy(all, own, 0, GUARD);
  }
  const r = activate(s, finalActivation(config));
  if (config.loss === 'bpr-max') return bprMax(r, own, config.bpreg);
  return { top1, 'top1-max': top1Max, bpr }[config.loss](r, own);
}

/** Softmax needs no activation before it; the others as the authors pair them. */
export function finalActivation({ finalAct, eluParam, loss }: Gru4RecConfig): Activation {
  if (finalAct === 'elu' || finalAct === 'leaky') return { kind: finalAct, alpha: eluParam };
  if (finalAct !== 'auto') return { kind: finalAct };
  if (loss === 'bpr-max' && eluParam > 0) return { kind: 'elu', alpha: eluParam };
  return { kind: loss === 'top1' ? 'tanh' : 'linear' };
}

export const gru4recTraining: Training<Gru4RecConfig, RunningSession, Gru4RecBatch> = {
  network: gru4rec,
  plan: (config) => ({
    epochs: config.nEpochs,
    averageEpochs: config.averageEpochs,
    optimiser: {
      kind: 'adagrad',
      learningRate: config.learningRate,
      momentum: config.momentum,
      epsilon: 1e-6,
      touchedRows: true,
    },
    schedule: { kind: 'constant' },
  }),
  // Without extra items the other rows are the only negatives, so that two must be left.
  rows: ({ sessions, first }, { batchSize, nSample }) =>
    sessionParallel(sessions, batchSize, nSample === 0 ? 2 : 1, first),
  batch: (rows, log, config, streams) => {
    const extra = byPopularity(log.catalogue.support, config.sampleAlpha, config.nSample, streams('negatives'));
    return gru4recBatch(rows, extra, log, config);
  },
  loss(params, b, config, run) {
    const before = run.state ?? stepping.start(config, b.carriedFrom.length);
    const state = stepping.step(params, carriedOn(before, b.carriedFrom), b.clicks, config, run);
    const rows = rowLosses(stepping.vector(state), params, b, config);
    return { loss: div(sum(rows), config.batchSize), state };
  },
  indivisible: () => 'its rows carry a state from step to step',
};
