/** Files of well-known public logs, and of Google Analytics, to an events file. */
import { RecommenderError } from '../errors';
import { nearestName } from '../nearest-name';
import { RECIPES } from '../session/recipes';
import { writeTsv } from '../session/write';
import { defined } from './defined';
import { refuseInsideModel } from './files/artifact-folder';
import { pieces, replaceable, replaceFile } from './files/disk';
import { readEventsFiles, refuseAmong } from './files/events-file';
import type { ConvertOptions } from './options';
import { type FileSummary, inspectLog } from './read-events';

/**
 * Writes the events of a published log as TSV, packed where the name ends in `.gz`: whole sessions, those of one event too.
 *
 * @returns What was written.
 * @throws RecommenderError `bad-config` for a name that has no recipe; `bad-input` for files that are not of that log, and for an
 *   `out` that is one of them, no file or in the folder of a model; `io`; `aborted`, with nothing written.
 */
export async function convert(options: ConvertOptions): Promise<FileSummary> {
  const { name, files, out, sessionsBy, skipBadRows, signal } = options;
  const recipe = RECIPES.find((one) => one.name === name);
  if (!recipe) {
    const names = RECIPES.map((one) => one.name);
    const near = nearestName(name, names);
    const hint = near === undefined ? '' : ` Did you mean ${near}?`;
    throw new RecommenderError('bad-config', `No log is called "${name}"; expected ${names.join(', ')}.${hint}`);
  }
  const read = {
    recipe,
    minLength: 1,
    minItems: 1,
    ...defined({ sessionsBy: sessionsBy ?? recipe.sessionsBy, skipBadRows }),
  };
  await refuseAmong(files, out, { isFile: true });
  const replaced = await replaceable(out);
  await refuseInsideModel(replaced, 'a file');
  const log = await readEventsFiles(files, read, options, replaced);
  const { noUser } = recipe;
  if (noUser !== undefined && (read.sessionsBy?.by ?? 'id') !== 'id' && log.userIds?.includes(noUser)) {
    throw new RecommenderError(
      'bad-input',
      `${files.join(', ')}: \`sessionsBy\` would make one user of all visitors without one ("${noUser}"); ` +
        'leave it out: the log has sessions of its own.',
    );
  }
  try {
    await replaceFile(out, pieces(writeTsv(log), { gzip: /\.gz$/i.test(out), signal }));
  } catch (error) {
    if (signal?.aborted) throw new RecommenderError('aborted', `Interrupted; ${out} was not written.`);
    throw error;
  }
  return inspectLog(log, out);
}
