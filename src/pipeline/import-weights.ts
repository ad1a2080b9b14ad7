/** From the weights of a reference implementation to an artifact folder. */

import { decodeSafetensors } from '../checkpoint/decode-safetensors';
import { parseJson } from '../checkpoint/json';
import { within } from '../checkpoint/prefixes';
import { run as runOnDevice } from '../compute/executor';
import { RecommenderError } from '../errors';
import { type ClickLog, reindex, sessionCount } from '../session/event-log';
import { importerOf, importWeights as importModel } from '../train/import-weights';
import type { NdArray } from '../types';
import { importCommand, UNLICENSED } from './commands';
import { readSettings } from './configuration';
import { defined } from './defined';
import { checkReplaceable } from './files/artifact-folder';
import { startFirst } from './files/backend';
import { basename, readInput } from './files/disk';
import { readEventsFile } from './files/events-file';
import { software } from './files/usage';
import { whole } from './format';
import { importedCard } from './model-card';
import { inform } from './observer';
import type { ImportOptions } from './options';
import { hasScale, warnOfNoScale, writeModel } from './write-model';

export interface ImportResult {
  /** The folder. */
  readonly artifact: string;
  readonly architecture: string;
  readonly items: number;
  readonly scale?: number | undefined;
  /** Tensors of the state dict that were read. */
  readonly tensors: number;
  /** Of these, the ones that no computation reads. */
  readonly unused: readonly string[];
}

/**
 * Imports weights and writes an artifact folder.
 *
 * @throws RecommenderError `bad-config` for an unknown reference or parameter; `bad-input`; `weights-mismatch` that names a tensor;
 *   `io` if the disk refuses; `aborted`.
 */
export async function importWeights(options: ImportOptions): Promise<ImportResult> {
  const { from, out, data, licence = UNLICENSED } = options;
  importerOf(from); // refuse an unknown name before missing files
  await checkReplaceable(out);
  const reference = await readSettings(options.config, "the reference's parameters");
  const itemIds = await readIds(options.items);
  const weights = await readWeights(options);
  const log = data === undefined ? undefined : await readKnown(options, data, itemIds);
  const { unused, scale, ...imported } = await runOnDevice(async (slice) => {
    await startFirst(slice, 'auto', options);
    const names = { weights: options.weights, config: options.config, items: options.items };
    return importModel({ from, reference, weights, itemIds, names, ...defined({ log }) });
  });
  if (unused.length > 0) inform(options, `Not used, since ${from} itself never reads them: ${unused.join(', ')}`);
  const { architecture, config } = imported;
  if (!(await hasScale(architecture, config, scale))) {
    const why = log
      ? `on ${data} it ranks no better than by chance`
      : 'pass a log that it was not trained on as `data`';
    warnOfNoScale(why, options);
  }
  const training = {
    imported: { from, weights: basename(options.weights) },
    command: importCommand(options),
    software: software(),
  };
  const model = { ...imported, itemIds, training, licence, ...defined({ scale }) };
  await writeModel(out, model, importedCard, options);
  const tensors = Object.keys(weights).length;
  return { artifact: out, architecture, items: itemIds.length, scale, tensors, unused };
}

/** The sessions of the log that hold two items of the model, in its indices. */
async function readKnown(options: ImportOptions, path: string, itemIds: readonly string[]): Promise<ClickLog> {
  const { log, dropped } = reindex(await readEventsFile(path, { ...options.read, minItems: 1 }, options), itemIds);
  const count = sessionCount(log);
  if (count === 0) {
    throw new RecommenderError(
      'bad-input',
      `${path}: no session holds two items of ${options.items}, expected at least one.`,
    );
  }
  inform(
    options,
    `Scale by ${whole(count)} sessions of ${path}; events of unknown items, left out: ${whole(dropped.events)}`,
  );
  return log;
}

/** Ids as a JSON list, where the file starts like one, else line by line. */
async function readIds(path: string): Promise<readonly string[]> {
  const refuse = (why: string): never => {
    throw new RecommenderError('bad-input', `${path}: ${why}`);
  };
  const bytes = await readInput(path);
  const text = new TextDecoder('utf-8', { ignoreBOM: false }).decode(bytes);
  const isJson = text.trimStart().startsWith('[');
  const list = isJson ? parseJson(bytes, path) : text.replace(/\r?\n$/, '').split(/\r?\n/);
  const seen = new Map<unknown, number>();
  const ids = (list as unknown[]).map((id, k) => {
    const at = isJson ? `entry ${k + 1}` : `line ${k + 1}`;
    if (typeof id !== 'string' || id === '')
      return refuse(`${at}: expected an item id as text, got ${JSON.stringify(id)}.`);
    if (seen.has(id)) return refuse(`${at}: the id ${JSON.stringify(id)} stands at ${seen.get(id)} already.`);
    seen.set(id, k + 1);
    return id;
  });
  return ids.length > 0 ? ids : refuse('expected at least one item id, got none.');
}

async function readWeights({ weights, prefix = '' }: ImportOptions): Promise<Record<string, NdArray>> {
  const { tensors } = decodeSafetensors(await readInput(weights), weights);
  const chosen = within(prefix, tensors);
  if (Object.keys(chosen).length > 0) return chosen;
  const some = Object.keys(tensors).slice(0, 3).join(', ');
  throw new RecommenderError(
    'bad-input',
    `${weights}: no tensor's name starts with "${prefix}"; ${some ? `the first are ${some}` : 'it holds none'}.`,
  );
}
