import { RecommenderError } from '../errors';
import { type Split, splitCounts } from '../session/split';
import { writeTsv } from '../session/write';
import { codeOf, pieces, replaceFiles } from './durable';

/**
 * Writes `train.tsv.gz`, `valid.tsv.gz` (if there is one), `test.tsv.gz` and, last, `split.json`. All are written under
 * other names first and renamed at the end, so a folder never holds half a split; a `valid.tsv.gz` of an earlier one goes.
 *
 * @throws RecommenderError `bad-input` if the folder cannot be made, `io` if the disk refuses, `aborted`.
 */
export async function writeSplit(folder: string, split: Split, signal?: AbortSignal): Promise<void> {
  const part = (name: 'train' | 'valid' | 'test') =>
    split[name] && pieces(writeTsv(split[name]), { gzip: true, signal });
  try {
    await replaceFiles(folder, {
      'train.tsv.gz': part('train'),
      'valid.tsv.gz': part('valid'),
      'test.tsv.gz': part('test'),
      'split.json': `${JSON.stringify(splitCounts(split), null, 2)}\n`,
    });
  } catch (error) {
    if (signal?.aborted) throw new RecommenderError('aborted', `Interrupted; nothing was written to ${folder}.`);
    const { cause } = error as { cause?: NodeJS.ErrnoException };
    if (cause?.syscall !== 'mkdir' || codeOf(cause) === 'ENOSPC') throw error;
    throw new RecommenderError('bad-input', `--out ${folder}: the folder cannot be made (${cause.code}).`, { cause });
  }
}
