/** The checkpoint of a training, beside the artifact to be. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { systemCodeOf } from '../errors';
import {
  CHECKPOINT,
  type Checkpoint,
  type CreateHash,
  decodeCheckpoint,
  encodeCheckpoint,
  type RunIdentity,
} from '../training-checkpoint';
import { join, replaceFile } from './disk';

export const createSha256: CreateHash = () => createHash('sha256');

/** @throws RecommenderError `io` if the disk refuses. */
export async function writeCheckpoint(dir: string, identity: RunIdentity, state: Checkpoint): Promise<void> {
  await writeCheckpointFile(dir, encodeCheckpoint(createSha256, identity, state));
}

/** @throws RecommenderError as `decodeCheckpoint`. */
export async function readCheckpoint(dir: string, identity: RunIdentity): Promise<Checkpoint> {
  return decodeCheckpoint(createSha256, await readCheckpointFile(dir), join(dir, CHECKPOINT), identity);
}

/** @throws RecommenderError `io` if the disk refuses. */
export const writeCheckpointFile = (dir: string, bytes: Uint8Array): Promise<void> =>
  replaceFile(join(dir, CHECKPOINT), bytes);

/** The file's content; undefined where there is none. */
export const readCheckpointFile = (dir: string): Promise<Uint8Array | undefined> =>
  readFile(join(dir, CHECKPOINT)).catch((error) => {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
    return undefined;
  });
