/** The part of a log that chooses between models: they have not trained on it, and the test part stays unseen. */
import { readOfPart, withoutMinima } from '../../session/options';
import { asGiven, splitCommand, trainCommand } from '../commands';
import { join } from '../files/disk';
import type { Observer } from '../observer';
import type { EvaluateOptions, TrainOptions } from '../options';
import { split } from '../split';
import { train } from '../train';
import { latePart } from '../training-parts';
import type { RunPlan } from './run';

export interface ValidationPart {
  /** The log to train on, and how. */
  readonly learning: Pick<TrainOptions, 'data' | 'read' | 'holdout'>;
  /** What to evaluate on, and how. */
  readonly asking: Pick<EvaluateOptions, 'data' | 'read' | 'protocol' | 'target'>;
}

/**
 * The validation part of a plan: what `valid` cuts off the training part, or the first of the held-out events.
 *
 * @param folder Where the two files of a cut are written.
 * @param commands Gets the command that cuts.
 * @throws RecommenderError where the log cannot be cut so; `aborted`.
 */
export async function validationPart(
  plan: Pick<RunPlan, 'train' | 'valid' | 'holdout' | 'read' | 'protocol'>,
  folder: string,
  commands: string[],
  observer: Observer,
): Promise<ValidationPart> {
  const { train: data, valid = 'last:10%', holdout, read, protocol } = plan;
  if (holdout !== undefined)
    return { learning: { data, read, holdout }, asking: { data, read, protocol, target: 'valid' } };
  if (!valid.startsWith('last:'))
    return { learning: { data, read }, asking: { data: valid, read: withoutMinima(read), protocol } };
  commands.push(splitCommand(data, read, valid, folder));
  await split({ data, read, test: latePart(valid), out: folder, ...observer });
  return {
    learning: { data: join(folder, 'train.tsv.gz'), read: readOfPart(read) },
    asking: { data: join(folder, 'test.tsv.gz'), read: readOfPart(read), protocol },
  };
}

/** Trains a counting baseline on all but the validation part. */
export async function countWithout(
  { model, config }: Pick<RunPlan, 'model' | 'config'>,
  { learning }: ValidationPart,
  out: string,
  commands: string[],
  observer: Observer,
): Promise<void> {
  const options = { ...learning, model, out, config };
  commands.push(trainCommand(options, asGiven));
  await train({ ...options, ...observer });
}
