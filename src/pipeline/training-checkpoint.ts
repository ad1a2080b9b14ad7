/** The state of an interrupted training as one file. */

import { decodeSafetensors } from '../checkpoint/decode-safetensors';
import { prefixed, within } from '../checkpoint/prefixes';
import { encodeSafetensors } from '../checkpoint/write-safetensors';
import type { BackendChoice, BackendName } from '../compute/types';
import { RecommenderError } from '../errors';
import type { FitState } from '../train/fit';
import type { TrainedModel } from '../train/train-from-log';
import type { NdArray } from '../types';
import type { TrainFlags } from './commands';

/** Name of the file, beside the artifact to be. */
export const CHECKPOINT = 'checkpoint.safetensors';

/** Makes a SHA-256 that is given its content piece by piece: Node's own is many times faster than a page's. */
export type CreateHash = () => { update(bytes: Uint8Array): unknown; digest(): Uint8Array };

/** What identifies a run: a run with other values cannot resume from its checkpoint. */
export type RunIdentity = Readonly<Record<string, unknown>>;

export interface Checkpoint extends FitState {
  /** The model whose epochs the validation part has chosen, where the training that `FitState` is of is the one on everything. */
  readonly validated?: TrainedModel;
  /** What computes; older versions did not note it. */
  readonly backend?: BackendName;
}

const NO_FLAGS: TrainFlags = { learning: [], writing: [] };

/** @param flags Those of the command, such as `--seed 2`, for messages of a run that resumes with others. */
export function encodeCheckpoint(
  createHash: CreateHash,
  identity: RunIdentity,
  state: Checkpoint,
  flags = NO_FLAGS,
): Uint8Array {
  const { trainer, best, ends = [], validated, ...rest } = state;
  const { arrays, ...counters } = trainer;
  const { tensors: weights = {}, ...model } = validated ?? {};
  const plain = {
    identity,
    flags: flags.learning,
    writing: flags.writing,
    ...rest,
    trainer: counters,
    ...(validated && { validated: model }),
    ...(best && { best: best.epoch }),
    ...(ends.length > 0 && { ends: ends.length }),
  };
  const tensors = Object.assign(
    prefixed('trainer.', arrays),
    best && prefixed('best.', best.weights),
    prefixed('validated.', weights),
    ...ends.map((weights, i) => prefixed(`ends.${i}.`, weights)),
  ) as Record<string, NdArray>;
  const text = JSON.stringify(plain);
  return encodeSafetensors(tensors, { state: text, sha256: checksum(createHash, text, tensors) });
}

/**
 * Reads a checkpoint of the same run.
 *
 * @param bytes Undefined where there is none.
 * @param path For messages.
 * @param isRemoved Whether a key of the configuration, which an older version wrote, says nothing that is not so anyway.
 * @param flags As `encodeCheckpoint` takes them: those that differ are named.
 * @param say Receives a sentence on flags that differ and change no epoch.
 * @throws RecommenderError `bad-input` if there is none, it is damaged, or it belongs to a run with other data, model,
 *   configuration or seed.
 */
export function decodeCheckpoint(
  createHash: CreateHash,
  bytes: Uint8Array | undefined,
  path: string,
  identity: RunIdentity,
  isRemoved: (key: string, value: unknown) => boolean = () => false,
  flags = NO_FLAGS,
  say: (text: string) => void = () => {},
): Checkpoint {
  if (!bytes) {
    throw new RecommenderError(
      'bad-input',
      `${path} does not exist, so there is nothing to resume: that training has not been interrupted, or has ended ` +
        'since and left its artifact. To train again, call it without `resume`.',
    );
  }
  const { tensors, metadata } = decodeSafetensors(bytes, path, bytes.length); // its header has the whole state
  const text = metadata['state'];
  if (text === undefined || metadata['sha256'] === undefined) {
    throw new RecommenderError('bad-input', `${path} is no checkpoint of a training; name another folder.`);
  }
  if (metadata['sha256'] !== checksum(createHash, text, tensors)) {
    throw new RecommenderError(
      'bad-input',
      `${path} is damaged: its content does not have the checksum that it was written with. \`restart\` starts over.`,
    );
  }
  const {
    identity: theirs,
    // Older versions did not note all of them.
    flags: theirLearning = flags.learning,
    writing: theirWriting = flags.writing,
    trainer,
    best,
    ends,
    validated,
    ...rest
  } = JSON.parse(text) as Omit<Checkpoint, 'trainer' | 'best' | 'ends' | 'validated'> & {
    identity: RunIdentity;
    flags?: readonly string[];
    writing?: readonly string[];
    validated?: Omit<TrainedModel, 'tensors'>;
    trainer: Omit<FitState['trainer'], 'arrays'>;
    best?: NonNullable<FitState['best']>['epoch'];
    ends?: number;
  };
  const known = Object.keys(theirs).filter((key) => Object.hasOwn(identity, key) || !isRemoved(key, theirs[key]));
  for (const key of new Set([...Object.keys(identity), ...known])) {
    const [now, then] = [identity[key], theirs[key]].map((value) => JSON.stringify(value));
    if (now !== then) {
      throw anotherRun(path, changesOf(flags.learning, theirLearning) || `its ${key} was ${then}, now it is ${now}`);
    }
  }
  const others = changesOf([...flags.learning, ...flags.writing], [...theirLearning, ...theirWriting]);
  if (others) say(`${path} goes on with other flags: ${others}. They apply from now on, and change no epoch.`);
  return {
    ...rest,
    trainer: { ...trainer, arrays: within('trainer.', tensors) },
    ...(validated && { validated: { ...validated, tensors: within('validated.', tensors) } }),
    ...(best && { best: { epoch: best, weights: within('best.', tensors) } }),
    ...(ends && { ends: Array.from({ length: ends }, (_, i) => within(`ends.${i}.`, tensors)) }),
  };
}

/**
 * Refuses to go on with another backend, which rounds otherwise; `auto` goes on with the checkpoint's.
 *
 * @throws RecommenderError `bad-input`.
 */
export function refuseOtherBackend(path: string, { backend: then }: Checkpoint, now: BackendChoice): void {
  if (then !== undefined && now !== 'auto' && then !== now)
    throw anotherRun(path, `\`backend\` ${now} was \`backend\` ${then}`);
}

const anotherRun = (path: string, what: string): RecommenderError =>
  new RecommenderError(
    'bad-input',
    `${path} belongs to another run: ${what}. Repeat the command as it was, or start over with \`restart\`.`,
  );

/** Flags that differ, in words. */
function changesOf(now: readonly string[], then: readonly string[]): string {
  const byName = (flags: readonly string[]) => new Map(flags.map((flag) => [nameOf(flag), flag]));
  const [ours, theirs] = [byName(now), byName(then)];
  const changed = [...ours].flatMap(([name, flag]) => {
    const other = theirs.get(name);
    if (other === flag) return [];
    return [other === undefined ? `${flag} was not given` : `${flag} was ${other}`];
  });
  const missing = [...theirs].flatMap(([name, flag]) => (ours.has(name) ? [] : [`${flag} is missing now`]));
  return [...changed, ...missing].join(', ');
}

/** `--seed` of `--seed 2`, and `--set layers` of `--set layers=8`. */
const nameOf = (flag: string): string => /^--set '?[^=]+|^\S+/.exec(flag)![0];

/** Over the whole content of a checkpoint, so that no run resumes from a damaged one. */
function checksum(createHash: CreateHash, text: string, tensors: Readonly<Record<string, NdArray>>): string {
  const hash = createHash();
  const utf8 = new TextEncoder();
  hash.update(utf8.encode(text));
  for (const [name, { data }] of Object.entries(tensors).sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(utf8.encode(name));
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return Array.from(hash.digest(), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
