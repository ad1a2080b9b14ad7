/** A log in train, validation and test parts by time. */
import { MANIFEST } from '../checkpoint/manifest';
import { RecommenderError } from '../errors';
import { type SplitCounts, splitCounts, splitLog } from '../session/split';
import { writeTsv } from '../session/write';
import { defined } from './defined';
import { join, namesIn, pieces, realPath, replaceFiles } from './files/disk';
import { readEventsFile, refuseAmong } from './files/events-file';
import type { SplitOptions } from './options';

const PARTS = ['train.tsv.gz', 'valid.tsv.gz', 'test.tsv.gz'];
const COUNTS = 'split.json';

/**
 * Writes `train.tsv.gz`, `valid.tsv.gz` (if there is one), `test.tsv.gz` and, last, `split.json`. All are written under
 * other names first and renamed at the end, so a folder never holds half a split; a `valid.tsv.gz` of an earlier one goes.
 *
 * @returns What each part holds: `split.json`.
 * @throws RecommenderError `bad-input` for a log that cannot be read or cut, or would be replaced, a folder that cannot be made, is that of a
 *   model, or holds such files and no `split.json`; `io` if the disk refuses; `aborted`.
 */
export async function split(options: SplitOptions): Promise<SplitCounts> {
  const { data, read, out, by, test, valid, signal } = options;
  await refuseAmong([data], out);
  const written = await Promise.all(PARTS.map((name) => realPath(join(out, name))));
  if (written.includes(await realPath(data))) {
    throw new RecommenderError('bad-input', `\`out\` ${out}: the parts would replace ${data}; choose another folder.`);
  }
  const names = await namesIn(out);
  if (names.includes(MANIFEST)) {
    throw new RecommenderError(
      'bad-input',
      `${out} holds ${MANIFEST}, so it is the folder of a model; name another one.`,
    );
  }
  const foreign = names.includes(COUNTS) ? undefined : PARTS.find((name) => names.includes(name));
  if (foreign !== undefined) {
    throw new RecommenderError(
      'bad-input',
      `${out} holds ${foreign} and no ${COUNTS}, so it is no split and is left alone; name a new or empty folder.`,
    );
  }
  const log = await readEventsFile(data, { ...read, features: 'all' }, options);
  const parts = splitLog(log, { test, ...defined({ by, valid }) });
  const counts = splitCounts(parts);
  const file = (name: 'train' | 'valid' | 'test') =>
    parts[name] && pieces(writeTsv(parts[name]), { gzip: true, signal });
  try {
    await replaceFiles(out, {
      'train.tsv.gz': file('train'),
      'valid.tsv.gz': file('valid'),
      'test.tsv.gz': file('test'),
      [COUNTS]: `${JSON.stringify(counts, null, 2)}\n`,
    });
  } catch (error) {
    if (signal?.aborted) throw new RecommenderError('aborted', `Interrupted; nothing was written to ${out}.`);
    throw error;
  }
  return counts;
}
