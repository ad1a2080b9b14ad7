/** What chooses between models before the test part is looked at: a part of the log that they have not learnt from. */
import { join } from 'node:path';
import type { CellPlan, Run } from './cell';

export interface ValidationPart {
  /** File that is learnt from. */
  readonly train: string;
  /** Flags that say how it is learnt from. */
  readonly learning: readonly string[];
  /** Flags of `evaluate` that ask of the part. */
  readonly asked: readonly string[];
}

/**
 * The validation part of a plan: what its `valid` cuts off its training part, or the first of the events that sessions hold out.
 *
 * @param folder Where the two files of a cut are written.
 * @throws CommandError where the log cannot be cut so.
 */
export async function validationPart(
  {
    train,
    valid = 'last:10%',
    holdout,
    reading,
    protocol,
  }: Pick<CellPlan, 'train' | 'valid' | 'holdout' | 'reading' | 'protocol'>,
  folder: string,
  run: Run,
): Promise<ValidationPart> {
  const asked = (file: string, how: readonly string[]) => ['--data', file, '--protocol', protocol, ...how];
  if (holdout !== undefined) {
    const learning = ['--holdout', `${holdout}`, ...reading];
    return { train, learning, asked: asked(train, ['--target', 'valid', ...reading]) };
  }
  if (!valid.startsWith('last:')) return { train, learning: reading, asked: asked(valid, reading) };
  await run(['split', '--data', train, '--test', valid, '--out', folder, ...reading]);
  return { train: join(folder, 'train.tsv.gz'), learning: [], asked: asked(join(folder, 'test.tsv.gz'), []) };
}

/** What counts, from all but the validation part. */
export async function countWithout(
  { model, config }: Pick<CellPlan, 'model' | 'config'>,
  { train, learning }: ValidationPart,
  out: string,
  run: Run,
): Promise<void> {
  const settings = Object.entries(config).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  await run(['train', '--data', train, '--model', model, '--out', out, ...settings, ...learning]);
}
