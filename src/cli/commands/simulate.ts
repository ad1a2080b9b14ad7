/** `aisle simulate`: a believable shop's click log and catalogue from a seed. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { whole } from '../../pipeline/format';
import { CATALOGUE_FILE, EVENTS_FILE, refuseForeignShop, writeSimulation } from '../../pipeline/simulate/files';
import { DEFAULT_OPTIONS, simulate } from '../../pipeline/simulate/simulate';
import { contextOf } from '../context';
import { UsageError } from '../errors';
import { integer } from '../options';

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
    .option('--items <n>', 'products, at least 10', integer(10, 1_000_000), items)
    .option('--sessions <n>', 'sessions', integer(1, 5_000_000), sessions)
    .option(
      '--visitors <n>',
      `visitors, at most one a session; default: ${visitors} for ${sessions} sessions`,
      integer(1, 5_000_000),
    )
    .option('--seed <n>', 'the same seed gives the same bytes', integer(0, 2 ** 32 - 1), seed)
    .addHelpText('after', '\nExample:\n  $ aisle simulate --out shop --items 2000 --sessions 100000 --seed 7\n')
    .action(async (options: SimulateOptions, self: Command) => {
      const { stderr, signal } = contextOf(self);
      if (options.visitors !== undefined && options.visitors > options.sessions) {
        throw new UsageError(
          `--visitors: each visitor comes at least once, so expected at most ${options.sessions}, as many as --sessions; ` +
            `got ${options.visitors}.`,
        );
      }
      await refuseForeignShop(options.out);
      const log = simulate({
        ...options,
        visitors: options.visitors ?? Math.max(1, Math.round((options.sessions * visitors) / sessions)),
      });
      await writeSimulation(log, options.out, signal);
      const { items: events, offsets, shop } = log;
      const counts = `${whole(events.length)} events, ${whole(offsets.length - 1)} sessions`;
      stderr.write(`${join(options.out, EVENTS_FILE)}: ${counts}\n`);
      stderr.write(`${join(options.out, CATALOGUE_FILE)}: ${whole(shop.products.length)} products\n`);
    });
}
