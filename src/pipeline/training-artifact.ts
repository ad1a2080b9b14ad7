/** What a training writes: the artifact with its card and report. */
import { type Artifact, type ArtifactInfo, REPLAY_OFFSETS_TENSOR, REPLAY_TENSOR } from '../checkpoint/artifact';
import { drawReplay } from '../session/replay';
import { type PartCounts, partCounts } from '../session/split';
import type { BestEpoch, EpochResult } from '../train/fit';
import type { TrainedModel } from '../train/train-from-log';
import { buildModel } from './build-model';
import { trainCommand } from './commands';
import type { Auto } from './configuration';
import { defined } from './defined';
import { baseName } from './format';
import type { TrainingHost } from './host';
import { insideOf, modelCard } from './model-card';
import type { TrainOptions } from './options';
import type { Splits } from './training-parts';
import { trainingReport } from './training-report';
import type { Baseline, Validation } from './validation';

/** A training on everything, for as many epochs as the validation part has chosen. */
export interface Refit extends Omit<PartCounts, 'sessions'> {
  readonly epochs: number;
  readonly seconds: number;
}

/** How a training went, as its artifact and its result say. */
export interface TrainingFacts {
  /** Which preset `auto` was. */
  readonly auto?: Auto;
  /** Empty for counting baselines. */
  readonly epochs: readonly EpochResult[];
  /** The epoch that the validation chose, if there was one. */
  readonly best?: BestEpoch;
  /** Of quick counting models the best one on the validation part, and what it reaches there. */
  readonly baseline?: Baseline;
  /** The training whose weights the artifact has, after the one that `epochs` and `best` are of. */
  readonly refit: Refit | false;
  /** Where training was interrupted, if the best epoch so far was written instead of training on. */
  readonly interrupted?: string;
}

export async function writeTrained(
  host: TrainingHost,
  options: TrainOptions,
  { tensors: trained, epochs: _, best: __, itemFeatures, ...model }: TrainedModel,
  {
    validation,
    refitEpochs,
    ...facts
  }: TrainingFacts & {
    readonly refitEpochs: readonly EpochResult[];
    readonly validation?: Validation;
  },
  parts: Splits,
  further: Pick<Artifact, 'catalogue' | 'aliases' | 'strategies' | 'rules'> & Pick<ArtifactInfo, 'licence'>,
): Promise<void> {
  const { data, out, seed = 1 } = options;
  const name = host.nameOf(out);
  const { log, validProtocol = 'events' } = parts;
  const predicted =
    validProtocol === 'events'
      ? 'every event after the first of every validation session'
      : 'the first event of every session that was held out, items of its input left out';
  const training = {
    data: { file: baseName(data), ...partCounts(log) },
    ...facts,
    ...defined({ itemFeatures }),
    protocol: `${predicted}, full ranking, conservative ties`,
    seed,
    command: trainCommand(options),
    software: host.software(),
  };
  const tensors = { ...trained, ...replayTensors(options, parts) };
  const report =
    facts.epochs.length === 0
      ? undefined
      : trainingReport({
          name,
          model: options.model,
          training,
          refitEpochs,
          ...defined({ validation, catalogue: further.catalogue }),
        });
  const artifact = await buildModel(
    name,
    { ...model, itemIds: log.itemIds, tensors, training, ...further },
    (about) => modelCard({ ...about, ...insideOf(tensors), hasExamples: validation !== undefined }),
    options,
  );
  await host.writeArtifact(out, artifact, defined({ report }));
}

/** The sessions that travel with the model, if any. */
function replayTensors({ replay = 0, seed = 1 }: TrainOptions, { log }: Splits): Artifact['tensors'] {
  if (replay === 0) return {};
  const { items, offsets } = drawReplay(log.sessions, log.support, replay, seed);
  return {
    [REPLAY_TENSOR]: { data: items, shape: [items.length] },
    [REPLAY_OFFSETS_TENSOR]: { data: offsets, shape: [offsets.length] },
  };
}
