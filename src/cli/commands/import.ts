/** `aisle import`: from the weights of a reference implementation to an artifact folder. */
import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import { importers } from '../../checkpoint/imports/index';
import { parseJson } from '../../checkpoint/json';
import { decodeSafetensors } from '../../checkpoint/safetensors';
import { sha256 } from '../../checkpoint/sha256';
import { encodeSafetensors } from '../../checkpoint/write-safetensors';
import { run as runOnDevice } from '../../compute/executor';
import { RecommenderError } from '../../errors';
import { models } from '../../models/index';
import { type ClickLog, reindex, sessionCount } from '../../session/event-log';
import { importerOf, importWeights } from '../../train/import-weights';
import type { NdArray } from '../../types';
import { checkReplaceable, writeArtifactFolder } from '../artifact-folder';
import { type ImportCommand, importCommand, UNLICENSED } from '../command-line';
import { type Context, contextOf, printJson } from '../context';
import { readEventsFile } from '../events-file';
import { importedCard } from '../model-card';
import { addEventsOptions, readOptions } from '../options';
import { whole } from '../progress';
import { readInput } from '../read-input';
import { startFirst } from '../start-backend';
import { VERSION } from '../version';

interface ImportFlags extends ImportCommand {
  readonly json?: boolean;
}

const RECIPE = `
From a PyTorch checkpoint to --weights, with the packages torch and safetensors:
  import torch, safetensors.torch
  state = torch.load('model.pt', map_location='cpu')  # a state dict, or model.state_dict()
  safetensors.torch.save_file({k: v.contiguous().clone() for k, v in state.items()}, 'model.safetensors')

Example:
  $ aisle import --from gru4rec --weights model.safetensors --config config.json --items items.txt --out my-model
`;

export function register(program: Command): void {
  const command = program
    .command('import')
    .description('write an artifact folder from weights that a reference implementation has trained')
    .requiredOption('--from <name>', `reference implementation: ${Object.keys(importers).join(' | ')}`)
    .requiredOption('--weights <file>', 'its state dict as safetensors')
    .requiredOption('--config <file>', 'JSON object of its parameters, by its own names')
    .requiredOption('--items <file>', 'ids in the order of its item indices, without padding: JSON list, or one a line')
    .requiredOption('--out <dir>', 'folder to write; an artifact that is there is replaced')
    .option('--prefix <text>', 'read only tensors whose names start so, and leave that off, such as model.')
    .option(
      '--data <file>',
      'events file that the weights were not trained on: what turns scores into probabilities is fitted on it, which ' +
        'learning on devices needs',
    )
    .option('--licence <text>', 'what others may do with the model', UNLICENSED);
  addEventsOptions(command).option('--json', 'print one JSON object').addHelpText('after', RECIPE).action(run);
}

async function run(flags: ImportFlags, command: Command): Promise<void> {
  const context = contextOf(command);
  const { from, out, licence } = flags;
  importerOf(from); // a name that is none is told before files that are missing
  await checkReplaceable(out);
  const reference = await readConfig(flags.config);
  const itemIds = await readIds(flags.items);
  const weights = await readWeights(flags);
  const log = flags.data === undefined ? undefined : await readKnown(flags, flags.data, itemIds, context);
  const imported = await runOnDevice(async (slice) => {
    await startFirst(slice, 'auto', context.stderr);
    const names = { weights: flags.weights, config: flags.config, items: flags.items };
    return importWeights({ from, reference, weights, itemIds, names, ...(log && { log }) });
  });
  const { architecture, config, tensors, golden, scale, unused } = imported;
  if (unused.length > 0)
    context.stderr.write(`Not used, since ${from} itself never reads them: ${unused.join(', ')}\n`);
  const training = {
    imported: { from, weights: basename(flags.weights) },
    command: importCommand(flags),
    software: { aisle: VERSION, node: process.version },
  };
  const about = {
    name: basename(resolve(out)),
    version: (await sha256(encodeSafetensors(tensors))).slice(0, 12),
    architecture,
    config,
    items: itemIds.length,
    ...(scale !== undefined && { scale }),
    golden,
    training,
    licence,
  };
  const { logitScale } = await models[architecture]!.network();
  if ((scale ?? logitScale?.(config)) === undefined) {
    const why = log
      ? `on ${flags.data} it ranks no better than by chance`
      : 'pass a log that it was not trained on, --data FILE';
    context.stderr.write(`Warning: the model will not learn on devices, nor be mixed by probabilities: ${why}.\n`);
  }
  await writeArtifactFolder(out, { info: { ...about, modelCard: importedCard(about) }, itemIds, tensors });
  const count = Object.keys(weights).length;
  if (flags.json)
    printJson(context, { artifact: out, architecture, items: itemIds.length, scale, tensors: count, unused });
  else {
    context.stdout.write(
      `Imported ${count} tensors of ${from} with ${whole(itemIds.length)} items as ${architecture}.\n` +
        `Written to ${out}. Try it:  aisle recommend --artifact ${out} --item ID\n`,
    );
  }
}

/** The sessions of the log that hold two items of the model, in its indices. */
async function readKnown(
  flags: ImportFlags,
  path: string,
  itemIds: readonly string[],
  context: Context,
): Promise<ClickLog> {
  const { log, dropped } = reindex(
    await readEventsFile(path, { ...readOptions(flags), minItems: 1 }, context),
    itemIds,
  );
  const count = sessionCount(log);
  if (count === 0) {
    throw new RecommenderError(
      'bad-input',
      `${path}: no session holds two items of ${flags.items}, expected at least one.`,
    );
  }
  context.stderr.write(
    `Scale by ${whole(count)} sessions of ${path}; events of unknown items, left out: ${whole(dropped.events)}\n`,
  );
  return log;
}

async function readConfig(path: string): Promise<Readonly<Record<string, unknown>>> {
  const value = parseJson(await readInput(path), path);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new RecommenderError('bad-config', `${path}: expected a JSON object of the reference's parameters.`);
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

async function readWeights({ weights, prefix = '' }: ImportFlags): Promise<Record<string, NdArray>> {
  const { tensors } = decodeSafetensors(await readInput(weights), weights);
  const chosen = Object.entries(tensors).filter(([name]) => name.startsWith(prefix));
  if (chosen.length > 0) return Object.fromEntries(chosen.map(([name, array]) => [name.slice(prefix.length), array]));
  const some = Object.keys(tensors).slice(0, 3).join(', ');
  throw new RecommenderError(
    'bad-input',
    `${weights}: no tensor's name starts with "${prefix}"; ${some ? `the first are ${some}` : 'it holds none'}.`,
  );
}
