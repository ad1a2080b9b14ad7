/**
 * A delta as one file: safetensors whose metadata hold all but the arrays as JSON under `delta`, and under
 * `checksum` a sum over the whole. The reader checks everything: a stored record or an imported file may come from anywhere.
 */
import { RecommenderError } from '../errors';
import { isName } from '../limits';
import type { NdArray, NdArrays } from '../types';
import type { Delta, GateState, GuardState, TuneMethod } from './delta';
import { isRecord, parseJson, quote } from './json';
import { readSafetensors, toNdArray } from './safetensors';
import { toStored, writeSafetensors } from './write-safetensors';

/**
 * Most bytes of a file. An adapter has a few vectors, and a few numbers for each item that was touched: 2 to 9 kB as a rule. All
 * parameters of the demo's models with their optimiser's state are 0.2 to 2 MB; a page should write no more than 4 MB in the
 * background, which stays far below what a browser gives to a site.
 */
export const MAX_DELTA_BYTES: Readonly<Record<TuneMethod, number>> = { adapter: 64 * 1024, full: 4 * 1024 * 1024 };

const FILE = 'The delta';

/**
 * Writes a delta: equal ones to equal bytes.
 *
 * @throws RecommenderError `bad-delta` where it is larger than its method may be.
 */
export function encodeDelta({ arrays, ...rest }: Delta): Uint8Array {
  const delta = JSON.stringify(rest);
  const tensors = new Map(Object.entries(arrays).map(([name, array]) => [name, toStored(array)]));
  const file = writeSafetensors(tensors, { delta, checksum: checksumOf(delta, arrays) });
  checkSize(file.length, rest.method);
  return file;
}

/**
 * Reads a delta.
 *
 * @param bytes The whole file. The arrays are views into it where they are aligned.
 * @throws RecommenderError `bad-delta` that says what is wrong, whatever the bytes are.
 */
export function decodeDelta(bytes: Uint8Array): Delta {
  checkSize(bytes.length, 'full');
  try {
    const { tensors, metadata } = readSafetensors(bytes, FILE, bytes.length); // its metadata are most of a small one
    const json = metadata['delta'];
    if (json === undefined) throw bad('has no metadata named "delta"');
    const rest = checkRest(parseJson(new TextEncoder().encode(json), `${FILE}: its metadata`));
    checkSize(bytes.length, rest.method);
    const arrays: Record<string, NdArray> = Object.create(null); // what is not in the file is not there
    for (const [name, tensor] of tensors) {
      if (tensor.dtype !== 'F32' && tensor.dtype !== 'I32') throw bad(`has ${quote(name)} of type ${tensor.dtype}`);
      arrays[name] = checkArray(name, toNdArray(tensor, name, FILE), rest.itemIds.length);
    }
    if (metadata['checksum'] !== checksumOf(json, arrays))
      throw bad('has a wrong checksum: it is cut off or was changed');
    return { ...rest, arrays };
  } catch (error) {
    // The readers of JSON and tensors speak of artifacts; here it is a delta.
    if (!(error instanceof RecommenderError) || error.code === 'bad-delta') throw error;
    throw new RecommenderError('bad-delta', error.message, { cause: error });
  }
}

function checkSize(bytes: number, method: TuneMethod): void {
  const limit = MAX_DELTA_BYTES[method];
  if (bytes > limit) throw bad(`takes ${bytes} bytes; learnt by "${method}" it may take ${limit}`);
}

function checkArray(name: string, array: NdArray, rows: number): NdArray {
  if (!/^[\w.]{1,200}$/.test(name)) throw bad(`has an array named ${quote(name)}`);
  if (/^(slot\.)?rows\./.test(name) && array.shape[0] !== rows) {
    throw bad(`has ${array.shape[0] ?? 'no'} rows in ${quote(name)}, but ${rows} items`);
  }
  if (!array.data.every(Number.isFinite)) throw bad(`has numbers in ${quote(name)} that are not finite`);
  return array;
}

type Rest = Omit<Delta, 'arrays'>;
type Check = (value: unknown) => boolean;
/** A check for each field, so that the compiler misses none. */
type Fields<T> = { readonly [K in keyof T]-?: Check };

const isText: Check = (value) => isName(value);
/** An id of a model may be empty. */
const isId: Check = (value) => value === '' || isName(value);
const isNumber: Check = Number.isFinite;
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isFlag: Check = (value) => typeof value === 'boolean';
const isIds: Check = (value) => Array.isArray(value) && value.every(isId) && new Set(value).size === value.length;
/** Of these fields, all of them and no other. */
const has =
  <T>(fields: Fields<T>): Check =>
  (value) =>
    isRecord(value) &&
    Object.keys(value).length === Object.keys(fields).length &&
    Object.entries<Check>(fields).every(([name, check]) => Object.hasOwn(value, name) && check(value[name]));

const GATE: Fields<GateState> = {
  isOpen: isFlag,
  events: isCount,
  evidence: isNumber,
  against: isNumber,
  sum: isNumber,
  squares: isNumber,
  base: isNumber,
  tuned: isNumber,
  openings: isCount,
  rollbacks: isCount,
};
const REFUSED: Fields<GuardState['refused']> = { rate: isCount, repetition: isCount, entropy: isCount };
const RECENT: Fields<GuardState['recent'][number]> = { itemId: isId, time: isNumber };
const GUARD: Fields<GuardState> = {
  refused: has(REFUSED),
  recent: (value) => Array.isArray(value) && value.every(has(RECENT)),
  surprise: isNumber,
};
const REST: Fields<Rest> = {
  format: (value) => value === 1,
  method: (value) => value === 'adapter' || value === 'full',
  base: has<Delta['base']>({
    name: isText,
    version: isText,
    architecture: isText,
    hash: (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
    items: isCount,
  }),
  itemIds: isIds,
  step: isCount,
  learnt: has<Delta['learnt']>({
    events: isCount,
    through: (value) => value === null || isNumber(value),
    atThrough: isCount,
  }),
  gate: has(GATE),
  guard: has(GUARD),
};

function checkRest(value: unknown): Rest {
  if (!isRecord(value)) throw bad('has metadata that is not a JSON object');
  if (Object.hasOwn(value, 'format') && value['format'] !== 1) {
    throw bad(`is of format ${quote(String(value['format']))}, this release reads 1`);
  }
  for (const [name, check] of Object.entries(REST)) {
    if (!Object.hasOwn(value, name)) throw bad(`has no field "${name}"`);
    if (!check(value[name])) throw bad(`has a field "${name}" that is not what it should be`);
  }
  if (!has(REST)(value)) throw bad('has fields that it should not have');
  return value as unknown as Rest;
}

/** FNV-1a over UTF-16 units and 32-bit words: finds what is torn; it is no signature. http://www.isthe.com/chongo/tech/comp/fnv/ */
function checksumOf(json: string, arrays: NdArrays): string {
  let hash = 0x811c9dc5;
  const add = (unit: number): void => {
    hash = Math.imul(hash ^ unit, 0x01000193);
    hash ^= hash >>> 15; // a word's upper bits would never reach the sum's lower ones
  };
  const addText = (text: string): void => {
    for (let i = 0; i < text.length; i++) add(text.charCodeAt(i));
  };
  addText(json);
  for (const name of Object.keys(arrays).sort()) {
    const { data, shape } = arrays[name]!;
    addText(JSON.stringify([name, data instanceof Float32Array ? 'F32' : 'I32', shape]));
    for (const word of new Uint32Array(data.buffer, data.byteOffset, data.length)) add(word);
  }
  return (hash >>> 0).toString(16);
}

function bad(text: string): RecommenderError {
  return new RecommenderError('bad-delta', `${FILE} ${text}.`);
}
