/** From the weights of a reference implementation to an artifact, wherever the files are. */

import { decodeSafetensors } from '../checkpoint/decode-safetensors';
import { importers } from '../checkpoint/imports/index';
import { parseJson } from '../checkpoint/json';
import { within } from '../checkpoint/prefixes';
import { run as runOnDevice } from '../compute/executor';
import { RecommenderError } from '../errors';
import { type ClickLog, reindex, sessionCount } from '../session/event-log';
import { isText, textFault } from '../session/utf8';
import { importWeights as importModel } from '../train/import-weights';
import type { NdArray } from '../types';
import { buildModel, hasScale, warnOfNoScale } from './build-model';
import { importCommand, UNLICENSED } from './commands';
import { type ConfigurationFiles, readSettings } from './configuration';
import { defined } from './defined';
import { badInput } from './errors';
import { baseName, whole } from './format';
import type { TrainingHost } from './host';
import { importedCard } from './model-card';
import { inform, warn } from './observer';
import type { ImportOptions } from './options';

/** Reference implementations whose weights can be imported. */
export const REFERENCES: readonly string[] = Object.keys(importers);

export interface ImportResult {
  /** The folder. */
  readonly artifact: string;
  /** Name of the architecture that the weights became. */
  readonly architecture: string;
  /** Number of items. */
  readonly items: number;
  /** What turns scores into logits; absent where nothing fits. */
  readonly scale?: number | undefined;
  /** Tensors of the state dict that were read. */
  readonly tensors: number;
  /** Of these, the ones that no computation reads. */
  readonly unused: readonly string[];
}

/**
 * Imports weights and writes an artifact.
 *
 * @throws RecommenderError `bad-config` for an unknown reference or parameter; `bad-input`; `weights-mismatch` that names a tensor;
 *   `io` if the disk refuses; `aborted`.
 */
export async function importOn(host: TrainingHost, options: ImportOptions): Promise<ImportResult> {
  const { from, out, data, licence = UNLICENSED } = options;
  const reference = await readSettings(host, options.config, "the reference's parameters");
  const itemIds = await readIds(host, options.items);
  const weights = await readWeights(host, options);
  const log = data === undefined ? undefined : await readKnown(host, options, data, itemIds);
  const { unused, scale, ...imported } = await runOnDevice(async (slice) => {
    await host.startBackend(slice, 'auto', options);
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
  if (!log)
    warn(
      options,
      'visitors without a click get no suggestions, since no events say what is popular: pass a log as `data`.',
    );
  const training = {
    imported: { from, weights: baseName(options.weights) },
    command: importCommand(options),
    software: host.software(),
  };
  const model = { ...imported, itemIds, training, licence, ...defined({ scale }) };
  await host.writeArtifact(out, await buildModel(host.nameOf(out), model, importedCard, options), {});
  const tensors = Object.keys(weights).length;
  return { artifact: out, architecture, items: itemIds.length, scale, tensors, unused };
}

/** The sessions of the log that hold two items of the model, in its indices. */
async function readKnown(
  { readLog }: ConfigurationFiles,
  options: ImportOptions,
  path: string,
  itemIds: readonly string[],
): Promise<ClickLog> {
  const { log, dropped } = reindex(await readLog(path, { ...options.read, minItems: 1 }, options), itemIds);
  const count = sessionCount(log);
  if (count === 0) {
    throw new RecommenderError(
      'bad-input',
      `${path}: no session holds two items of ${options.items}, expected at least one.`,
    );
  }
  inform(
    options,
    `Scale and popularity by ${whole(count)} sessions of ${path}; events of unknown items, left out: ${whole(dropped.events)}`,
  );
  return log;
}

/** Ids as a JSON list, where the file starts like one, else line by line. */
async function readIds({ readInput }: ConfigurationFiles, path: string): Promise<readonly string[]> {
  const refuse = (why: string): never => badInput(`${path}: ${why}`);
  const bytes = await readInput(path);
  if (!isText(bytes, 0, bytes.length)) return refuse(`expected UTF-8, got ${textFault(bytes, 0, bytes.length)}.`);
  const text = new TextDecoder().decode(bytes);
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

async function readWeights(
  { readInput }: ConfigurationFiles,
  { weights, prefix = '' }: ImportOptions,
): Promise<Record<string, NdArray>> {
  const { tensors } = decodeSafetensors(await readInput(weights), weights);
  const chosen = within(prefix, tensors);
  if (Object.keys(chosen).length > 0) return chosen;
  const some = Object.keys(tensors).slice(0, 3).join(', ');
  throw new RecommenderError(
    'bad-input',
    `${weights}: no tensor's name starts with "${prefix}"; ${some ? `the first are ${some}` : 'it holds none'}.`,
  );
}
