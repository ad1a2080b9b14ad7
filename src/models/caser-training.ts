/**
 * How Caser trains: Tang & Wang, WSDM 2018, §3.5, and the authors' code.
 *
 *     rows      windows of L clicks and the T items after them, B windows with M targets in all
 *     g         = the vector of each window
 *     binary    loss = mean over targets of −log σ(s⁺) + mean over negatives of −log(1 − σ(s⁻))
 *     softmax   loss = Σ_m −log softmax(s)[target m] / M         cross-entropy: over the catalogue; sampled: over nSample items
 */
import {
  add,
  div,
  expandDims,
  gather,
  mean,
  mul,
  reshape,
  type Scalar,
  sum,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
} from '@tensorflow/tfjs';
import { type Outputs, outputsOf, ownScores } from '../nn/scores';
import { type BatchArray, matrix, outputItems, type TrainingLog, vector } from '../objectives/batch';
import { shuffled } from '../objectives/batching';
import { type Example, targetsOf, trainable } from '../objectives/examples';
import { negativeLoss, positiveLoss } from '../objectives/losses';
import { uniformOutside } from '../objectives/negatives';
import { popularitySample, type SoftmaxBatch, softmaxBatch, softmaxLoss } from '../objectives/softmax';
import { earlierSessions } from '../session/earlier';
import { sessionInput } from '../session/event-log';
import { memoised } from '../session/memoised';
import type { Sessions } from '../types';
import { caser } from './caser';
import type { CaserConfig } from './caser-spec';
import type { Prepared } from './model';
import { adam, type Training } from './training';
import { recentFinetuning } from './weight-averaging';

export interface CaserBatch extends SoftmaxBatch {
  readonly inputs: Prepared;
  /** `[M]` */
  readonly targets: BatchArray<Tensor1D>;
  /** Window of each target, `[M]`. */
  readonly window: BatchArray<Tensor1D>;
  /** `binary`: negatives of each window, `[B, K]`. */
  readonly negatives?: BatchArray<Tensor2D>;
}

/**
 * A window of L + T clicks slid over the session from its end, step 1. A session that is shorter gives one, of which nothing is
 * seen where it has no more clicks than targets. With `windows: 'all'` windows go on until one click is seen, and always show that.
 * What is seen reaches back to the session's start, for the profile; the network keeps the last L clicks of it.
 */
function windows({ sessions, first }: TrainingLog, { L, T, windows }: CaserConfig): Example[] {
  const isPartial = windows === 'all';
  const examples: Example[] = [];
  for (const [source, start, last] of trainable(sessions, first)) {
    const shortest = (isPartial ? 1 : L) + T;
    const earliest = start + (isPartial ? 1 : 0);
    for (let end = last; end === last || end >= start + shortest; end--) {
      examples.push({ source, from: start, firstTarget: Math.max(earliest, end - T), end });
    }
  }
  return examples;
}

const earlierOf = memoised((log: Sessions, most: number) => earlierSessions(log, most));

/** Scores of each vector for its own items, `[R, d], [R, K] → [R, K]`. */
function rowScores(vectors: Tensor2D, outputs: Outputs, items: Tensor2D): Tensor2D {
  const [rows, K] = items.shape;
  const { table, bias } = outputsOf(outputs, reshape(items, [rows * K]) as Tensor1D);
  const scores = sum(mul(expandDims(vectors, 1), reshape(table, [rows, K, -1]) as Tensor3D), 2) as Tensor2D;
  return bias ? add(scores, reshape(bias, [rows, K])) : scores;
}

export const caserTraining: Training<CaserConfig, Example, CaserBatch> = {
  network: caser,
  plan: (config) => ({
    epochs: config.nIter,
    ...recentFinetuning(config),
    optimiser: adam({
      learningRate: config.learningRate,
      weightDecay: { amount: config.l2, kind: 'coupled' },
      touchedRows: config.sparseUpdates,
    }),
    schedule: { kind: config.lrSchedule },
  }),
  rows: (log, config, streams) => shuffled(windows(log, config), config.batchSize, streams('order')),
  batch(rows, { sessions: log, catalogue }, config, streams) {
    const { loss, negSamples, negFrom, repeatLags } = config;
    const earlier = earlierOf(log, caser.earlier!(config));
    const sessions = rows.map(({ source, from, firstTarget }) => ({
      ...sessionInput(log, source, from, firstTarget),
      ...(earlier && { earlier: earlier(source) }),
    }));
    const targets = targetsOf(rows, log);
    const window = Int32Array.from(rows.flatMap(({ firstTarget, end }, b) => Array<number>(end - firstTarget).fill(b)));
    const draw = streams('negatives');
    const batch = {
      inputs: caser.prepare(sessions, config, catalogue),
      targets: outputItems(targets),
      window: vector(window),
    };
    if (loss !== 'binary') {
      const sample = loss === 'sampled' ? popularitySample(config, catalogue.support, draw) : undefined;
      const places = { row: window, before: window.map((b) => sessions[b]!.items.length) };
      return { ...batch, ...softmaxBatch(targets, sessions, places, sample, repeatLags) };
    }
    const { items, offsets } = log;
    const own = rows.map(({ source }) =>
      negFrom === 'unseen' ? new Set(items.subarray(offsets[source]!, offsets[source + 1]!)) : undefined,
    );
    const negatives = matrix(uniformOutside(own, negSamples, catalogue.items, draw), rows.length);
    return { ...batch, negatives: { ...negatives, items: 'output' } };
  },
  loss(params, b, config, run) {
    const { inputs, targets, window, negatives } = b;
    const g = caser.encode(params, inputs, config, run); // [B, 2d]
    const outputs = caser.outputs(params, config);
    const c = gather(g, window); // [M, 2d]
    if (negatives) {
      const positive = mean(positiveLoss(ownScores(c, outputs, targets)));
      const negative = mean(negativeLoss(rowScores(g, outputs, negatives)));
      return { loss: add(positive, negative) as Scalar };
    }
    const total = softmaxLoss(c, outputs, b, run.items, { smoothing: config.labelSmoothing });
    return { loss: div(total, targets.shape[0]) };
  },
  size: ({ from, firstTarget, end }) => ({ clicks: firstTarget - from, targets: end - firstTarget }),
  indivisible: ({ loss }) => (loss === 'binary' ? 'its loss is no mean over targets' : undefined),
};
