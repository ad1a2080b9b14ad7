/**
 * How CL4SRec trains: Xie et al., ICDE 2022, §III.
 *
 *     L_main  = SASRec's loss               over every click: `sasrec-training.ts`
 *     z, z′   = f(a(x))ₙ, f(a′(x))ₙ         two views of each of the batch's B sessions
 *     L_cl    = NT-Xent(z, z′)              `objectives/contrastive.ts`
 *     L       = recWeight L_main + λ L_cl
 */
import { add, concat, gather, mul, reshape, type Scalar, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs';
import { drawViews, viewGroups } from '../objectives/augmentations';
import { type BatchArray, type Streams, type TrainingLog, vector } from '../objectives/batch';
import { meanSimilarities, ntXent } from '../objectives/contrastive';
import { type Example, inBuckets } from '../objectives/examples';
import { sessionInput } from '../session/event-log';
import type { SessionInput } from '../types';
import { cl4srec } from './cl4srec';
import { augmentations, type Cl4srecConfig, isCoserec, sasrecConfig } from './cl4srec-spec';
import { coserecHidden } from './coserec-encoder';
import type { Params, Prepared, PreparedTensors, Run } from './model';
import { sasrecHidden } from './sasrec';
import { trims } from './sasrec-spec';
import {
  allVectors,
  bucketed,
  type SasrecBatch,
  type SequenceNetwork,
  sasrecBatch,
  sasrecLoss,
  sasrecRows,
  sasrecTraining,
} from './sasrec-training';
import { scoringVector } from './scoring';
import type { Training } from './training';

export const cl4srecNetwork: SequenceNetwork<Cl4srecConfig> = {
  ...cl4srec,
  vectors: (params, prepared, config, run) =>
    isCoserec(config)
      ? coserecHidden(params, prepared, config, run)
      : scoringVector(sasrecHidden(params, prepared, sasrecConfig(config), run, false), config),
  trims: (config) => !isCoserec(config) && trims(sasrecConfig(config)),
};

/** What the contrastive loss compares, `[2B, …]`: the session's own vector, before it is scaled for scoring. */
function view(params: Params, prepared: PreparedTensors, config: Cl4srecConfig, run: Run): Tensor2D {
  if (!isCoserec(config)) return sasrecHidden(params, prepared, sasrecConfig(config), run, true);
  // All vectors of each session in a row, padding included.
  return reshape(coserecHidden(params, prepared, config, run), [prepared.items!.shape[0]!, -1]);
}

export interface Cl4srecBatch extends SasrecBatch {
  readonly views?: {
    /** 2B views, in buckets. */
    readonly inputs: readonly Prepared[];
    /** The place of each view in the buckets, `[2B]`. */
    readonly places: BatchArray<Tensor1D>;
    /** Views of one number are no negatives of each other, `[2B]`. */
    readonly groups: BatchArray<Tensor1D>;
  };
}

export function cl4srecBatch(
  network: SequenceNetwork<Cl4srecConfig>,
  rows: readonly Example[],
  log: TrainingLog,
  config: Cl4srecConfig,
  streams: Streams,
): Cl4srecBatch {
  const batch = sasrecBatch(network, rows, log, config, streams);
  if (config.lambda === 0) return batch;
  const sessions = rows.map(({ source, from, end }) => sessionInput(log.sessions, source, from, end - 1));
  const mask = log.catalogue.items + 1;
  const views = drawViews(sessions, augmentations(config), mask, streams('views'));
  const prepare = (inputs: readonly SessionInput[]) => network.prepare(inputs, config, log.catalogue);
  const { inputs, cells } = inBuckets(prepare, views, bucketed(network, config));
  const places = vector(Int32Array.from(cells, ({ place }) => place));
  return { ...batch, views: { inputs, places, groups: vector(viewGroups(sessions.length)) } };
}

export const cl4srecTraining: Training<Cl4srecConfig, Example, Cl4srecBatch> = {
  ...sasrecTraining,
  network: cl4srecNetwork,
  plan: (config) => sasrecTraining.plan(sasrecConfig(config)),
  rows: sasrecRows,
  batch: (rows, log, config, streams) => cl4srecBatch(cl4srecNetwork, rows, log, config, streams),
  loss(params, b, config, run) {
    const { recWeight, lambda, similarity, tau } = config;
    const all = allVectors(cl4srecNetwork, params, b.inputs, config, run);
    const main = sasrecLoss(all, cl4srecNetwork.outputs(params, config), params, b, sasrecConfig(config), run.items);
    const weighted: Scalar = recWeight === 1 ? main : mul(main, recWeight);
    if (!b.views) return { loss: weighted };
    const { inputs, places, groups } = b.views;
    const z = gather(concat(inputs.map((bucket) => view(params, bucket, config, run))), places); // [2B, d]
    const contrastive = ntXent(z, groups, similarity, tau);
    const { positive, negative } = meanSimilarities(z, similarity);
    return {
      loss: add(weighted, mul(contrastive, lambda)),
      measures: { contrastive, positiveSimilarity: positive, negativeSimilarity: negative },
    };
  },
  indivisible: ({ lambda }) => (lambda > 0 ? 'its contrastive loss compares all sessions of a batch' : undefined),
};
