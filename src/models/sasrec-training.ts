/**
 * How SASRec trains: Kang & McAuley, ICDM 2018, §III-E, and the losses that came after it.
 *
 *     rows      sessions; every click but the last predicts the next one
 *     c_m       = f(x)ₜ                                      the network's vector after click t, M targets in all
 *     loss      = Σ_m ℓ(c_m, target m) / M + l2Emb ‖E‖²
 *
 *     ce        ℓ = −log softmax over the catalogue
 *     sampled   ℓ = −log softmax over the target and nSample items ∝ support^sampleAlpha: `objectives/softmax.ts`
 *     bce       ℓ = −log σ(s⁺) − Σ_k log(1 − σ(s⁻_k))         negatives outside the session: the paper, with one negative
 *     gbce      ℓ = (−β log σ(s⁺) − Σ_k log(1 − σ(s⁻_k))) / (K + 1): gSASRec, negatives from all items
 */
import { add, concat, div, gather, mul, type Scalar, square, sum, type Tensor2D } from '@tensorflow/tfjs';
import { sampledBinaryCrossEntropy } from '../nn/sampled-binary';
import type { Outputs } from '../nn/scores';
import { type BatchArray, matrix, type Streams, type TrainingLog, type Uploaded } from '../objectives/batch';
import { sameLength, shuffled } from '../objectives/batching';
import {
  type Example,
  type SequenceBatch,
  type SequenceTargets,
  sequenceBatch,
  sequences,
} from '../objectives/examples';
import { positiveWeight } from '../objectives/losses';
import { uniformOutside } from '../objectives/negatives';
import { popularitySample, type SoftmaxBatch, softmaxBatch, softmaxLoss } from '../objectives/softmax';
import type { Params, PreparedTensors, Run, SessionModel } from './model';
import type { SampledConfig } from './sampled-softmax';
import { sasrec, sasrecHidden } from './sasrec';
import { type SasrecConfig, trims } from './sasrec-spec';
import { scoringVector } from './scoring';
import { adam, type Training } from './training';
import { recentFinetuning } from './weight-averaging';

/** What SASRec's loss reads of a batch. */
export interface SasrecBatch extends SequenceBatch, SoftmaxBatch {
  /** `bce`, `gbce`: negatives of each target, `[M, K]`. */
  readonly negatives?: BatchArray<Tensor2D>;
}

/** A network that the same rows and loss train. */
export interface SequenceNetwork<C> extends SessionModel<C> {
  /** The vector after each click, `[B · W, d]`. */
  vectors(params: Params, prepared: PreparedTensors, config: C, run: Run): Tensor2D;
  /** Whether a session's vectors do not depend on how wide its rectangle is. */
  trims(config: C): boolean;
}

export const sasrecNetwork: SequenceNetwork<SasrecConfig> = {
  ...sasrec,
  vectors: (params, prepared, config, run) => scoringVector(sasrecHidden(params, prepared, config, run, false), config),
  trims,
};

/** What a batch depends on: CL4SRec's configuration has it, too. */
type BatchConfig = SampledConfig &
  Pick<SasrecConfig, 'loss' | 'negatives' | 'logq' | 'repeatLags' | 'maxlen' | 'positions'>;

/** Clicks of a bucket's longest session, where the network allows buckets of like length. */
export const bucketed = <C extends BatchConfig>({ trims }: SequenceNetwork<C>, config: C): number | undefined =>
  trims(config) ? config.maxlen : undefined;

export function sasrecRows(
  log: TrainingLog,
  config: Pick<SasrecConfig, 'batching' | 'batchClicks' | 'batchSize' | 'maxlen'>,
  streams: Streams,
): Iterable<readonly Example[]> {
  const { batching, batchClicks, batchSize, maxlen } = config;
  const examples = sequences(log, maxlen);
  const order = streams('order');
  if (batching === 'same-length') return sameLength(examples, clicksOf, batchClicks, order);
  return shuffled(examples, batchSize, order);
}

const clicksOf = ({ firstTarget, end }: Example): number => end - firstTarget;

export function sasrecBatch<C extends BatchConfig>(
  network: SequenceNetwork<C>,
  rows: readonly Example[],
  { sessions, catalogue }: TrainingLog,
  config: C,
  streams: Streams,
): SasrecBatch {
  const column = (t: number, n: number, width: number) => (config.positions === 'end' ? width - n + t : t);
  const prepare = (inputs: SequenceTargets['sessions']) => network.prepare(inputs, config, catalogue);
  const { batch, targets } = sequenceBatch(rows, sessions, prepare, column, bucketed(network, config));
  const draw = streams('negatives');
  if (config.loss === 'ce' || config.loss === 'sampled') {
    const sample = config.loss === 'sampled' ? popularitySample(config, catalogue.support, draw) : undefined;
    return { ...batch, ...softmaxBatch(targets.items, targets.sessions, targets, sample, config.repeatLags) };
  }
  const M = targets.items.length;
  const K = config.negatives || NEGATIVES[config.loss];
  const refused = config.loss === 'bce' ? itemsOf(rows, targets, sessions) : Array<undefined>(M).fill(undefined);
  const negatives = matrix(uniformOutside(refused, K, catalogue.items, draw), M);
  return { ...batch, negatives: { ...negatives, items: 'output' } };
}

/** Negatives of each target unless the option says. */
const NEGATIVES: Readonly<Record<Exclude<SasrecConfig['loss'], 'ce' | 'sampled'>, number>> = { bce: 1, gbce: 256 };

/** All items of the session of each target, `[M]`. */
function itemsOf(rows: readonly Example[], { row }: SequenceTargets, { items, offsets }: TrainingLog['sessions']) {
  const sets = rows.map(({ source }) => new Set(items.subarray(offsets[source]!, offsets[source + 1]!)));
  return Array.from(row, (r) => sets[r]);
}

/** The vectors after all clicks, of all buckets in a row. */
export function allVectors<C>(
  network: SequenceNetwork<C>,
  params: Params,
  inputs: readonly PreparedTensors[],
  config: C,
  run: Run,
): Tensor2D {
  const buckets = inputs.map((bucket) => network.vectors(params, bucket, config, run));
  return buckets.length === 1 ? buckets[0]! : concat(buckets);
}

/** @param all The vectors after all clicks; `positions` says which of them predicts each target. */
export function sasrecLoss(
  all: Tensor2D,
  outputs: Outputs,
  params: Params,
  b: Uploaded<SasrecBatch>,
  config: SasrecConfig,
  n: number,
): Scalar {
  const { positions, targets, negatives } = b;
  const c = gather(all, positions); // [M, d]
  let total: Scalar;
  if (negatives) {
    const K = negatives.shape[1];
    const beta = config.loss === 'gbce' ? positiveWeight(config.gbceT, K, n) : 1;
    total = sampledBinaryCrossEntropy(c, outputs.table, outputs.bias, targets, negatives, beta);
    if (config.loss === 'gbce') total = div(total, K + 1);
  } else {
    total = softmaxLoss(c, outputs, b, n, { smoothing: config.labelSmoothing });
  }
  const loss: Scalar = div(total, targets.shape[0]);
  return config.l2Emb === 0 ? loss : add(loss, mul(config.l2Emb, sum(square(params.items!))));
}

export const sasrecTraining: Training<SasrecConfig, Example, SasrecBatch> = {
  network: sasrecNetwork,
  plan: (config) => ({
    epochs: config.numEpochs,
    ...recentFinetuning(config),
    optimiser: adam({
      learningRate: config.lr,
      beta2: config.beta2,
      weightDecay: { amount: config.weightDecay, kind: config.decay },
      touchedRows: config.sparseUpdates,
    }),
    schedule: { kind: config.lrSchedule },
  }),
  rows: sasrecRows,
  batch: (rows, log, config, streams) => sasrecBatch(sasrecNetwork, rows, log, config, streams),
  loss(params, b, config, run) {
    const all = allVectors(sasrecNetwork, params, b.inputs, config, run);
    return { loss: sasrecLoss(all, sasrecNetwork.outputs(params, config), params, b, config, run.items) };
  },
  size: (row) => ({ clicks: clicksOf(row), targets: clicksOf(row) }),
};
