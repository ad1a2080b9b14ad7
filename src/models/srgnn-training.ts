/**
 * How SR-GNN trains: Wu et al., AAAI 2019, §3.5, and the authors' code.
 *
 *     rows      every prefix of every session with the click after it
 *     s_h       = the session's vector after the prefix, B of them
 *     loss      = Σ_b ℓ(s_h, next click) / B
 *
 *     cross-entropy   ℓ = −log softmax over the catalogue: the code
 *     binary          ℓ = −log p⁺ − Σ log(1 − p⁻), p the same softmax: equation 10 of the paper
 *     sampled         ℓ = −log softmax over the target and nSample items: `objectives/softmax.ts`
 */
import { div, type Scalar, sub, sum, type Tensor1D, tensor1d } from '@tensorflow/tfjs';
import { catalogueScores } from '../nn/scores';
import { type BatchArray, outputItems } from '../objectives/batch';
import { sameLength, shuffled } from '../objectives/batching';
import { type Example, prefixes, targetsOf } from '../objectives/examples';
import { softmaxBinaryCrossEntropy } from '../objectives/losses';
import { afterAll } from '../objectives/repeat-bias';
import { popularitySample, type SoftmaxBatch, softmaxBatch, softmaxLoss } from '../objectives/softmax';
import { sessionInput } from '../session/event-log';
import type { Prepared } from './model';
import { srgnn } from './srgnn';
import type { SrgnnConfig } from './srgnn-spec';
import { adam, type Training } from './training';
import { recentFinetuning } from './weight-averaging';

export interface SrgnnBatch extends SoftmaxBatch {
  readonly inputs: Prepared;
  /** `[B]` */
  readonly targets: BatchArray<Tensor1D>;
}

const clicksOf = ({ from, firstTarget }: Example): number => firstTarget - from;

export const srgnnTraining: Training<SrgnnConfig, Example, SrgnnBatch> = {
  network: srgnn,
  plan: (config) => ({
    epochs: config.epoch,
    patience: config.patience,
    ...recentFinetuning(config),
    optimiser: adam({
      learningRate: config.lr,
      weightDecay: { amount: config.l2, kind: 'coupled' },
      touchedRows: config.sparseUpdates,
    }),
    schedule:
      config.lrSchedule === 'linear'
        ? { kind: 'linear' }
        : { kind: 'step', every: config.lrDcStep, factor: config.lrDc },
  }),
  rows(log, { maxlen, batching, batchClicks, batchSize }, streams) {
    const examples = prefixes(log, maxlen);
    if (batching === 'same-length') return sameLength(examples, clicksOf, batchClicks, streams('order'));
    return shuffled(examples, batchSize, streams('order'));
  },
  batch(rows, { sessions: log, catalogue }, config, streams) {
    const sessions = rows.map(({ source, from, firstTarget }) => sessionInput(log, source, from, firstTarget));
    const targets = targetsOf(rows, log);
    const sample =
      config.loss === 'sampled' ? popularitySample(config, catalogue.support, streams('negatives')) : undefined;
    return {
      inputs: srgnn.prepare(sessions, config, catalogue),
      targets: outputItems(targets),
      ...softmaxBatch(targets, sessions, afterAll(sessions), sample, config.repeatLags),
    };
  },
  loss(params, b, config, run) {
    const c = srgnn.encode(params, b.inputs, config, run); // [B, d]
    const outputs = srgnn.outputs(params, config);
    let total: Scalar;
    if (config.loss === 'binary') {
      const columns = sub<Tensor1D>(b.targets, tensor1d([1], 'int32'));
      total = sum(softmaxBinaryCrossEntropy(catalogueScores(c, outputs, run.items), columns));
    } else {
      total = softmaxLoss(c, outputs, b, run.items, { smoothing: config.labelSmoothing });
    }
    return { loss: div(total, b.targets.shape[0]) };
  },
  size: (row) => ({ clicks: clicksOf(row), targets: 1 }),
};
