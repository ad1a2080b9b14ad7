/** `aisle import`: from the weights of a reference implementation to an artifact folder. */
import type { Command } from 'commander';
import { importers } from '../../checkpoint/imports/index';
import { RecommenderError } from '../../errors';
import { UNLICENSED } from '../../pipeline/commands';
import { whole } from '../../pipeline/format';
import { importWeights } from '../../pipeline/import-weights';
import type { ImportOptions } from '../../pipeline/options';
import { quoted } from '../../session/columns';
import { contextOf, print } from '../context';
import { addEventsOptions, type EventsFlags, readOptions } from '../options';
import { observe } from '../progress';

interface ImportFlags extends EventsFlags, Omit<ImportOptions, 'read' | 'signal'> {
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
        'learning on devices needs, and its events say what is popular',
    )
    .option('--licence <text>', 'what others may do with the model', UNLICENSED);
  addEventsOptions(command).option('--json', 'print one JSON object').addHelpText('after', RECIPE).action(run);
}

/** Turns flags into options. */
export const optionsOf = (flags: ImportFlags): ImportOptions => ({ ...flags, read: readOptions(flags) });

async function run(flags: ImportFlags, command: Command): Promise<void> {
  const context = contextOf(command);
  const [reading] = flags.data === undefined ? Object.keys(readOptions(flags)) : [];
  if (reading !== undefined) {
    throw new RecommenderError('bad-config', `\`${reading}\` does not go without \`data\`. Leave it out.`);
  }
  const result = await importWeights({ ...optionsOf(flags), ...observe(context) });
  const { artifact, architecture, items, tensors } = result;
  print(
    context,
    flags,
    result,
    () =>
      `Imported ${tensors} tensors of ${flags.from} with ${whole(items)} items as ${architecture}.\n` +
      `Written to ${artifact}. Try it:  aisle recommend --artifact ${quoted(artifact)} --item ID\n`,
  );
}
