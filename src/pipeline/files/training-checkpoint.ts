/** The state of an interrupted training as one file beside the artifact to be. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { prefixed, within } from '../../checkpoint/prefixes';
import { decodeSafetensors } from '../../checkpoint/safetensors';
import { encodeSafetensors } from '../../checkpoint/write-safetensors';
import { RecommenderError } from '../../errors';
import type { FitState } from '../../train/fit';
import type { NdArray } from '../../types';
import { systemCodeOf } from '../errors';
import { join, replaceFile } from './disk';

/** Name of the file in the folder named by `--out`. */
export const CHECKPOINT = 'checkpoint.safetensors';

/** What identifies a run: a run with other values cannot resume from its checkpoint. */
export type RunIdentity = Readonly<Record<string, unknown>>;

/** @throws RecommenderError `io` if the disk refuses. */
export async function writeCheckpoint(dir: string, identity: RunIdentity, state: FitState): Promise<void> {
  const { trainer, best, ends = [], ...rest } = state;
  const { arrays, ...counters } = trainer;
  const plain = {
    identity,
    ...rest,
    trainer: counters,
    ...(best && { best: best.epoch }),
    ...(ends.length > 0 && { ends: ends.length }),
  };
  const tensors = Object.assign(
    prefixed('trainer.', arrays),
    best && prefixed('best.', best.weights),
    ...ends.map((weights, i) => prefixed(`ends.${i}.`, weights)),
  ) as Record<string, NdArray>;
  const text = JSON.stringify(plain);
  const bytes = encodeSafetensors(tensors, { state: text, sha256: checksum(text, tensors) });
  await replaceFile(join(dir, CHECKPOINT), bytes);
}

/**
 * Reads a checkpoint of the same run.
 *
 * @param isRemoved Whether a key of the configuration, which an older version wrote, says nothing that is not so anyway.
 * @throws RecommenderError `bad-input` if there is none, it is damaged, or it belongs to a run with other data, model,
 *   configuration or seed.
 */
export async function readCheckpoint(
  dir: string,
  identity: RunIdentity,
  isRemoved: (key: string, value: unknown) => boolean = () => false,
): Promise<FitState> {
  const path = join(dir, CHECKPOINT);
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    if (systemCodeOf(cause) !== 'ENOENT') throw cause;
    throw new RecommenderError(
      'bad-input',
      `${path} does not exist, so there is nothing to resume: that training has not been interrupted, or has ended ` +
        'since and left its artifact. To train again, call it without `resume`.',
      { cause },
    );
  }
  const { tensors, metadata } = decodeSafetensors(bytes, path);
  const text = metadata['state'];
  if (text === undefined || metadata['sha256'] === undefined) {
    throw new RecommenderError('bad-input', `${path} is no checkpoint of a training; name another folder.`);
  }
  if (metadata['sha256'] !== checksum(text, tensors)) {
    throw new RecommenderError(
      'bad-input',
      `${path} is damaged: its content does not have the checksum that it was written with. \`restart\` starts over.`,
    );
  }
  const {
    identity: theirs,
    trainer,
    best,
    ends,
    ...rest
  } = JSON.parse(text) as Omit<FitState, 'trainer' | 'best' | 'ends'> & {
    identity: RunIdentity;
    trainer: Omit<FitState['trainer'], 'arrays'>;
    best?: NonNullable<FitState['best']>['epoch'];
    ends?: number;
  };
  const known = Object.keys(theirs).filter((key) => Object.hasOwn(identity, key) || !isRemoved(key, theirs[key]));
  for (const key of new Set([...Object.keys(identity), ...known])) {
    const [now, then] = [identity[key], theirs[key]].map((value) => JSON.stringify(value));
    if (now !== then) {
      throw new RecommenderError(
        'bad-input',
        `${path} belongs to another run: its ${key} was ${then}, now it is ${now}. Repeat the command as it was, or ` +
          'start over with `restart`.',
      );
    }
  }
  return {
    ...rest,
    trainer: { ...trainer, arrays: within('trainer.', tensors) },
    ...(best && { best: { epoch: best, weights: within('best.', tensors) } }),
    ...(ends && { ends: Array.from({ length: ends }, (_, i) => within(`ends.${i}.`, tensors)) }),
  };
}

/** Over the whole content of a checkpoint, so that no run resumes from a damaged one. */
function checksum(text: string, tensors: Readonly<Record<string, NdArray>>): string {
  const hash = createHash('sha256').update(text);
  for (const [name, { data }] of Object.entries(tensors).sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(name).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}
