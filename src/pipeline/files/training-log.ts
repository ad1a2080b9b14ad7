/** `--log`: a file with one JSON line an epoch, complete whenever it is read. */
import { open } from 'node:fs/promises';
import { RecommenderError } from '../../errors';
import { systemCodeOf } from '../errors';
import type { TrainingEpoch } from '../observer';
import { refused, replaceable, replaceFile } from './disk';

/**
 * Starts the file with the epochs of the run so far, so that a run that goes on repeats none and misses none.
 *
 * @returns Adds an epoch, synced to the disk.
 * @throws RecommenderError `bad-input` for a file that is there and is no such log; `io` if the disk refuses.
 */
export async function startTrainingLog(
  path: string,
  epochs: readonly TrainingEpoch[],
): Promise<(epoch: TrainingEpoch) => Promise<void>> {
  await checkTrainingLog(path);
  await replaceFile(path, epochs.map(lineOf).join(''));
  return async (epoch) => {
    try {
      const file = await open(path, 'a');
      try {
        await file.appendFile(lineOf(epoch));
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (error) {
      throw refused(`Writing ${path}`, error);
    }
  };
}

/**
 * Checks that a training may write its log there. Call it before the work.
 *
 * @throws RecommenderError `bad-input`.
 */
export async function checkTrainingLog(path: string): Promise<void> {
  const start = Buffer.alloc(FIRST.length);
  try {
    const file = await open(path, 'r+');
    try {
      await replaceable(path);
      const { bytesRead } = await file.read(start, 0, start.length, 0);
      if (bytesRead === 0 || start.toString() === FIRST) return;
    } finally {
      await file.close();
    }
  } catch (cause) {
    const code = systemCodeOf(cause);
    if (code === undefined) throw cause;
    if (code === 'ENOENT') return;
    throw new RecommenderError('bad-input', `\`log\` ${path} cannot be written (${code}); name a file.`, { cause });
  }
  throw new RecommenderError(
    'bad-input',
    `\`log\` ${path} holds something else than the epochs of a training, and is left alone; name another file.`,
  );
}

/** How every line begins. */
const FIRST = '{"epoch":';

const lineOf = (epoch: TrainingEpoch): string => `${JSON.stringify(epoch)}\n`;
