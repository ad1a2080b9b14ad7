/** Trainings in Node: artifacts, logs and checkpoints are files. */
import { RecommenderError } from '../../errors';
import type { TrainingHost } from '../host';
import { CHECKPOINT } from '../training-checkpoint';
import { refuseUnfinished } from '../training-checks';
import { checkReplaceable, readArtifactFolder, refuseInsideModel, writeArtifactFolder } from './artifact-folder';
import { startFirst } from './backend';
import { readCatalogueFile } from './catalogue-file';
import { basename, exists, join, readInput, remove, resolve } from './disk';
import { readEventsFile, refuseAmong } from './events-file';
import { openThread } from './threads';
import { createSha256, readCheckpointFile, writeCheckpointFile } from './training-checkpoint';
import { checkTrainingLog, startTrainingLog } from './training-log';
import { peakMemory, software, stopwatch } from './usage';

const checkpointOf = (out: string): string => join(out, CHECKPOINT);

export const nodeHost: TrainingHost = {
  async check(options) {
    const { data, valid, out, log } = options;
    await refuseAmong([data, valid], out);
    await checkReplaceable(out, [CHECKPOINT]);
    refuseUnfinished(options, await exists(checkpointOf(out)));
    if (log === undefined) return;
    await refuseAmong([data, valid], log, { option: 'log' });
    await checkLog(log, out);
  },
  readLog: readEventsFile,
  readInput,
  readArtifact: readArtifactFolder,
  readCatalogue: readCatalogueFile,
  nameOf: (out) => basename(resolve(out)),
  checkpointOf,
  createHash: createSha256,
  readCheckpoint: readCheckpointFile,
  writeCheckpoint: writeCheckpointFile,
  removeCheckpoint: (out) => remove(checkpointOf(out)),
  writeArtifact: (out, artifact, options) => writeArtifactFolder(out, artifact, { ...options, discard: [CHECKPOINT] }),
  startLog: startTrainingLog,
  startBackend: startFirst,
  openThread,
  stopwatch,
  peakMemory,
  software,
};

/** Refuses a log inside the artifact, whose folder is replaced, or inside another one, and what `checkTrainingLog` refuses. */
async function checkLog(path: string, out: string): Promise<void> {
  if (!`${resolve(path)}/`.startsWith(`${resolve(out)}/`)) {
    await refuseInsideModel(path, 'a file');
    return checkTrainingLog(path);
  }
  throw new RecommenderError('bad-config', `\`log\` ${path} is in ${out}, which is replaced; name a file elsewhere.`);
}
