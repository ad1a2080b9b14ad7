/** `aisle simulate`: a believable shop's click log and catalogue from a seed. */
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { CATALOGUE_FILE, EVENTS_FILE, writeSimulation } from '../simulate/files';
import { DEFAULT_OPTIONS, simulate } from '../simulate/simulate';

interface SimulateOptions {
  readonly out: string;
  readonly items: number;
  readonly sessions: number;
  readonly visitors?: number;
  readonly seed: number;
}

export function register(program: Command): void {
  const { items, sessions, visitors, seed } = DEFAULT_OPTIONS;
  program
    .command('simulate')
    .description('invent a shop: its click log and its catalogue with drawn pictures')
    .requiredOption('--out <dir>', `folder for ${EVENTS_FILE} and ${CATALOGUE_FILE}`)
    .option('--items <n>', 'products, at least 10', wholeNumber, items)
    .option('--sessions <n>', 'sessions', wholeNumber, sessions)
    .option(
      '--visitors <n>',
      `visitors, at most one a session; default: ${visitors} for ${sessions} sessions`,
      wholeNumber,
    )
    .option('--seed <n>', 'the same seed gives the same bytes', wholeNumber, seed)
    .addHelpText('after', '\nExample:\n  $ aisle simulate --out shop --items 2000 --sessions 100000 --seed 7\n')
    .action(async (options: SimulateOptions) => {
      const log = simulate({
        ...options,
        visitors: options.visitors ?? Math.max(1, Math.round((options.sessions * visitors) / sessions)),
      });
      await writeSimulation(log, options.out);
      const counts = `${log.items.length} events, ${log.offsets.length - 1} sessions, ${log.shop.products.length} products`;
      console.error(`${join(options.out, EVENTS_FILE)} and ${CATALOGUE_FILE}: ${counts}.`);
    });
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError(`expected a whole number, got "${text}".`);
  return Number(text);
}
