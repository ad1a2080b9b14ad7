import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { RecommenderError } from '../errors';
import { type Split, splitCounts } from '../session/split';
import { writeTsv } from '../session/write';
import { removeEmpty } from './durable';

/**
 * Writes `train.tsv.gz`, `valid.tsv.gz` (if there is one), `test.tsv.gz` and `split.json`. All are written under other
 * names first and renamed at the end, so a folder never holds half a split; a `valid.tsv.gz` of an earlier one goes.
 *
 * @throws RecommenderError `bad-input` if the folder cannot be made; errors of the disk as Node reports them.
 */
export async function writeSplit(folder: string, split: Split, signal?: AbortSignal): Promise<void> {
  const made = await mkdir(folder, { recursive: true }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOSPC') throw cause;
    throw new RecommenderError('bad-input', `--out ${folder}: the folder cannot be made (${cause.code}).`, { cause });
  });
  const parts = (['train', 'valid', 'test'] as const).filter((name) => split[name]);
  const files = [...parts.map((name) => `${name}.tsv.gz`), 'split.json'];
  const draft = (name: string): string => join(folder, `${name}.part`);
  try {
    for (const name of parts) {
      const pieces = Readable.from(writeTsv(split[name]!));
      const target = createWriteStream(draft(`${name}.tsv.gz`));
      await pipeline(pieces, createGzip(), target, signal ? { signal } : {});
    }
    await writeFile(draft('split.json'), `${JSON.stringify(splitCounts(split), null, 2)}\n`);
    for (const name of files) await rename(draft(name), join(folder, name));
    if (!split.valid) await rm(join(folder, 'valid.tsv.gz'), { force: true });
  } catch (error) {
    for (const name of files) await rm(draft(name), { force: true });
    if (made !== undefined) await removeEmpty(resolve(folder), resolve(made)).catch(() => undefined); // only if nothing else is in it
    if (signal?.aborted) throw new RecommenderError('aborted', `Interrupted; nothing was written to ${folder}.`);
    throw error;
  }
}
