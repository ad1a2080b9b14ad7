/** `aisle pack`: an artifact with smaller weights, of fewer items, or with counting inside. */
import type { Command } from 'commander';
import { PRECISIONS } from '../../checkpoint/pack-tensors';
import { whole } from '../../pipeline/format';
import type { PackOptions } from '../../pipeline/options';
import { type PackResult, pack } from '../../pipeline/pack';
import { contextOf, print } from '../context';
import { integer, oneOf, parseMix } from '../options';
import { observe } from '../progress';

interface PackFlags extends Omit<PackOptions, 'signal'> {
  readonly json?: boolean;
}

export function register(program: Command): void {
  program
    .command('pack')
    .description('write an artifact again with smaller weights, of fewer items, or with counting inside')
    .requiredOption('--artifact <dir>', 'artifact folder')
    .requiredOption(
      '--precision <name>',
      `of the weights: ${PRECISIONS.join(' | ')}; int8 has a scale for each row; pq, for catalogues of thousands of items, a byte for 4 to 8 numbers`,
      oneOf(...PRECISIONS),
    )
    .option('--top-items <n>', 'keep the n items with most events in the training log; default: all', integer(2))
    .option(
      '--mix <dir:share>',
      'put a counting model of the same items inside, with that share of the probabilities',
      parseMix,
    )
    .requiredOption('--out <dir>', 'folder to write; an artifact that is there is replaced')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
What is written answers from the weights at that precision: judge it with aisle evaluate, beside the original. Items that are
left out are never recommended, and count for nothing where a visitor clicks them. The share of --mix is chosen by aisle evaluate
--mix, on a validation part; session neighbours bring sessions of the log with them, which whoever loads the model can read.

Examples:
  $ aisle pack --artifact my-model --precision int8 --out my-model-int8
  $ aisle pack --artifact my-model --mix neighbours:0.3 --precision int8 --out my-mixture
`,
    )
    .action(run);
}

async function run(flags: PackFlags, command: Command): Promise<void> {
  const context = contextOf(command);
  const result = await pack({ ...flags, ...observe(context) });
  print(context, flags, result, () => textOf(result));
}

function textOf({ artifact, precision, items, bytes, top }: PackResult): string {
  const { of, stay, inOrder } = top;
  const share = ((100 * bytes.after) / bytes.before).toFixed(0);
  const left =
    items.after === items.before ? `all ${whole(items.after)}` : `${whole(items.after)} of ${whole(items.before)}`;
  return (
    `Weights as ${precision}, ${left} items: ${whole(bytes.after)} bytes, ${share} % of ${whole(bytes.before)}.\n` +
    `Of the best ${of} items of the golden session ${stay} stay${inOrder ? ', in their order' : ''}.\n` +
    `Written to ${artifact}.\n`
  );
}
