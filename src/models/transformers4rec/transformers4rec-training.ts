/**
 * How Transformers4Rec trains: de Souza Pereira Moreira et al., RecSys 2021, §3.3, and its two codes.
 *
 *     clm   every click but the first is predicted from those before it
 *     mlm   each click is hidden with probability mlmProbability, and predicted where it stood
 *     plm   spans are hidden, and predicted in a random order through xlnet's two streams
 *     rtd   mlm, and a second loss: which clicks are draws from the model's own scores (ELECTRA)
 *
 *     loss  = Σ_m −log softmax(s / τ)[target m] / M          over the catalogue, or the target and a sample
 *     rtd   = loss + binary cross-entropy over the columns
 */
import { div, gather, keep, type Scalar, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs';
import {
  type BatchArray,
  outputItems,
  type Streams,
  type TrainingLog,
  type Uploaded,
  vector,
} from '../../objectives/batch';
import { sameLength, shuffled } from '../../objectives/batching';
import { trainable } from '../../objectives/examples';
import { type HiddenClicks, maskedSpans, maskedTokens, nextClicks } from '../../objectives/masking';
import { logUniform, logUniformChances } from '../../objectives/negatives';
import { drawReplacements, replacedLoss, replaceTargets } from '../../objectives/replaced-tokens';
import {
  atTemperature,
  popularitySample,
  type Sample,
  type SoftmaxBatch,
  type SoftmaxOptions,
  softmaxBatch,
  softmaxLoss,
} from '../../objectives/softmax';
import { sessionInput } from '../../session/event-log';
import type { Random } from '../../session/random';
import type { Catalogue, SessionInput } from '../../types';
import type { Params, Prepared } from '../model';
import { adam, type Training, type TrainingRun } from '../training';
import { recentFinetuning } from '../weight-averaging';
import type { T4RecConfig } from './options';
import { lossTemperature, masksInput, seesPadding } from './settings';
import { clickScorers, discriminate, transformers4rec } from './transformers4rec';
import { layOut } from './transformers4rec-sessions';
import { reading } from './transformers4rec-spec';

/** The clicks `from` … `end` − 1 of session `source`, some of which must be predicted. */
export interface MaskedSession {
  readonly source: number;
  readonly from: number;
  readonly end: number;
  readonly hidden: HiddenClicks;
}

export interface T4RecBatch extends SoftmaxBatch {
  readonly inputs: Prepared;
  /** Which column's vector predicts each target, row-major in `[B, W]`, as plain numbers and as an array, `[M]`. */
  readonly cells: Int32Array;
  readonly positions: BatchArray<Tensor1D>;
  /** `[M]` */
  readonly targets: BatchArray<Tensor1D>;
  /** rtd: noise of the draws. */
  readonly noise: () => Random;
}

/** Whole sessions, or each of their prefixes, of two clicks and more. */
function sessionsOf({ sessions, first }: TrainingLog, { totalSeqLength, trainOnPrefixes }: T4RecConfig) {
  const examples: Omit<MaskedSession, 'hidden'>[] = [];
  for (const [source, start, last] of trainable(sessions, first)) {
    for (let end = trainOnPrefixes ? start + 2 : last; end <= last; end++) {
      examples.push({ source, from: Math.max(start, end - totalSeqLength), end });
    }
  }
  return examples;
}

/** What a session of n clicks must predict. */
function hide(n: number, config: T4RecConfig, random: Random): HiddenClicks {
  switch (config.objective) {
    case 'clm':
      return nextClicks(n);
    case 'mlm':
    case 'rtd':
      return maskedTokens(n, config.mlmProbability, random);
    case 'plm':
      return maskedSpans(n, config.plmProbability, config.maxSpanLength, random);
  }
}

const clicksOf = ({ from, end }: { readonly from: number; readonly end: number }): number => end - from;

function* rows(log: TrainingLog, config: T4RecConfig, streams: Streams): Generator<readonly MaskedSession[]> {
  const examples = sessionsOf(log, config);
  const [order, hidden] = [streams('order'), streams('hidden')];
  const batches =
    config.batching === 'same-length'
      ? sameLength(examples, clicksOf, config.batchClicks, order)
      : shuffled(examples, config.batchSize, order);
  for (const batch of batches) yield batch.map((row) => ({ ...row, hidden: hide(clicksOf(row), config, hidden) }));
}

/** What the network reads: `transformers4rec-sessions.ts`, with the clicks to predict hidden. */
export function prepareMasked(
  sessions: readonly SessionInput[],
  hidden: readonly HiddenClicks[],
  config: T4RecConfig,
  catalogue: Catalogue,
): Prepared {
  // Learning the next click needs no column for the last one.
  const unread = Number(config.objective === 'clm');
  const { totalSeqLength } = config;
  const read = sessions.map(({ items: { length } }) => ({
    first: Math.max(0, length - totalSeqLength),
    count: Math.min(length, totalSeqLength) - unread,
  }));
  const inference = reading(config, catalogue);
  const layout = { ...inference, append: 0, width: inference.width && totalSeqLength };
  const { prepared, width } = layOut(sessions, read, layout, catalogue);
  if (masksInput(config)) {
    const masked = new Float32Array(hidden.length * width);
    hidden.forEach(({ targets }, row) => {
      masked.set(targets, row * width);
    });
    prepared.masked = { data: masked, shape: [masked.length, 1] };
  }
  if (config.objective === 'plm') {
    const pairs = new Float32Array(hidden.length * width * width);
    hidden.forEach((clicks, row) => {
      pairs.set(permutationMask(clicks, width), row * width * width);
    });
    prepared.hiddenPairs = { data: pairs, shape: [hidden.length, width, width] };
  }
  return prepared;
}

/**
 * Which columns which rows may not see, `[W, W]`: row i not column j where j is a target and rankᵢ ≤ rankⱼ. Columns
 * beyond the session are no targets and see what clicks that everyone sees do.
 */
export function permutationMask({ targets, ranks }: HiddenClicks, width: number): Uint8Array {
  const mask = new Uint8Array(width * width);
  const rank = (column: number) => ranks?.[column] ?? -1;
  for (let j = 0; j < targets.length; j++) {
    if (!targets[j]) continue;
    for (let i = 0; i < width; i++) mask[i * width + j] = Number(rank(i) <= rank(j));
  }
  return mask;
}

/** The library's score of a negative that equals its target: as good as none in a softmax, where e^−655 is 0. */
const HIT = -655.04;
/** What the library adds to the chance of a draw, so that its logarithm is finite for items that are never drawn. */
const GUARD = 1e-16;

/** What targets are compared with in place of the catalogue. */
function sampleOf(config: T4RecConfig, { support }: Catalogue, random: Random): Sample | undefined {
  const { sampledSoftmax, sampleBy, maxNSamples: nSample } = config;
  if (!sampledSoftmax) return undefined;
  if (sampleBy === 'popularity') return popularitySample({ ...config, nSample }, support, random);
  const ofItems = (items: Int32Array): Float32Array => {
    const chances = logUniformChances(support!, 2 * nSample);
    return Float32Array.from(items, (item) => Math.log(chances[item]! + GUARD));
  };
  return { negatives: logUniform(support!, 2 * nSample, random), logq: { targets: ofItems, negatives: ofItems } };
}

function batch(
  rows: readonly MaskedSession[],
  { sessions: log, catalogue }: TrainingLog,
  config: T4RecConfig,
  streams: Streams,
): T4RecBatch {
  const sessions = rows.map(({ source, from, end }) => sessionInput(log, source, from, end));
  const hidden = rows.map(({ hidden }) => hidden);
  const inputs = prepareMasked(sessions, hidden, config, catalogue);
  const width = inputs.items!.shape[1]!;
  // The next click is read at the click before it, a hidden click where it stood.
  const isNext = config.objective === 'clm';
  const found = hidden.flatMap(({ targets }, row) =>
    Array.from(targets.keys())
      .filter((t) => targets[t])
      .map((t) => ({ row, t })),
  );
  const column = (field: ({ row, t }: { row: number; t: number }) => number) => Int32Array.from(found, field);
  const cells = column(({ row, t }) => row * width + t - Number(isNext));
  const targets = column(({ row, t }) => sessions[row]!.items[t]!);
  const sample = sampleOf(config, catalogue, streams('negatives'));
  const places = { row: column(({ row }) => row), before: column(({ t }) => t), ...(!isNext && { hidden }) };
  return {
    inputs,
    cells,
    positions: vector(cells),
    targets: outputItems(targets),
    noise: () => streams('replace'),
    ...softmaxBatch(targets, sessions, places, sample, config.repeatLags),
  };
}

/** What the softmax of a configuration is. */
export function softmaxOptions(config: T4RecConfig, n: number): SoftmaxOptions {
  // In the library padding is a column of the softmax, and smoothing gives the target a share of its own.
  const isLibrary = config.form === 'library';
  return {
    temperature: lossTemperature(config),
    smoothing: isLibrary ? (config.labelSmoothing * n) / (n + 1) : config.labelSmoothing,
    first: isLibrary ? 0 : 1,
    ...(config.sampleBy === 'log-uniform' && { hit: HIT }),
  };
}

/** What the second loss of rtd learns from: clicks, some of which are draws from the first one's scores. */
function replacedTokens(
  params: Params,
  c: Tensor2D,
  { inputs, cells, targets, noise }: Uploaded<T4RecBatch>,
  config: T4RecConfig,
  run: TrainingRun,
): () => Scalar {
  const clicks = inputs.items as Tensor2D;
  const [vectors, outputs] = atTemperature(c, transformers4rec.outputs(params, config), lossTemperature(config));
  const draws = drawReplacements(vectors, outputs, targets, noise());
  const { items, labels } = replaceTargets(clicks, cells, targets, draws);
  const { masked: _, ...rest } = inputs; // side information stays the original clicks', and nothing is masked
  return () => {
    const logits = discriminate(params, { ...rest, items }, config, run);
    return replacedLoss(logits, labels, seesPadding(config) ? undefined : clicks);
  };
}

export const transformers4recTraining: Training<T4RecConfig, MaskedSession, T4RecBatch> = {
  network: transformers4rec,
  plan: (config) => ({
    epochs: config.nEpochs,
    ...recentFinetuning(config),
    optimiser: adam({
      learningRate: config.learningRate,
      weightDecay: { amount: config.weightDecay, kind: 'decoupled' },
      touchedRows: config.sparseUpdates,
      ...(config.maxGradNorm > 0 && { clipNorm: config.maxGradNorm }),
    }),
    schedule: { kind: 'linear' },
  }),
  rows,
  batch,
  loss(params, b, config, run) {
    const all = clickScorers(params, b.inputs, config, run);
    const c: Tensor2D = gather(all, b.positions); // [M, d]
    const total = softmaxLoss(
      c,
      transformers4rec.outputs(params, config),
      b,
      run.items,
      softmaxOptions(config, run.items),
    );
    const loss: Scalar = div(total, b.targets.shape[0]);
    if (config.objective !== 'rtd') return { loss };
    keep(c);
    return {
      loss,
      second: () => {
        const discriminator = replacedTokens(params, c, b, config, run);
        c.dispose();
        return discriminator;
      },
    };
  },
  size: (row) => ({ clicks: clicksOf(row), targets: row.hidden.targets.reduce((sum, target) => sum + target, 0) }),
  indivisible: ({ objective }) => (objective === 'rtd' ? 'replaced clicks are drawn from the whole batch' : undefined),
};
