/** What chooses between models before the test part is looked at: a part of the log that they have not learnt from. */
import { asGiven, splitCommand, trainCommand } from '../commands';
import { join } from '../files/disk';
import type { Observer } from '../observer';
import type { EvaluateOptions, TrainOptions } from '../options';
import { split } from '../split';
import { train } from '../train';
import { latePart } from '../training-parts';
import type { RunPlan } from './run';

export interface ValidationPart {
  /** The log that is learnt from, and how. */
  readonly learning: Pick<TrainOptions, 'data' | 'read' | 'holdout'>;
  /** What is evaluated, and how. */
  readonly asking: Pick<EvaluateOptions, 'data' | 'read' | 'protocol' | 'target'>;
}

/**
 * The validation part of a plan: what its `valid` cuts off its training part, or the first of the events that sessions hold out.
 *
 * @param folder Where the two files of a cut are written.
 * @param commands Takes the command that cuts.
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
  if (!valid.startsWith('last:')) return { learning: { data, read }, asking: { data: valid, read, protocol } };
  commands.push(splitCommand(data, read, valid, folder));
  await split({ data, read, test: latePart(valid), out: folder, ...observer });
  return {
    learning: { data: join(folder, 'train.tsv.gz') },
    asking: { data: join(folder, 'test.tsv.gz'), protocol },
  };
}

/** What counts, from all but the validation part. */
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
