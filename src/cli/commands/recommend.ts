/** `aisle recommend`: the next items for one session, as the page would show them. */
import type { Command } from 'commander';
import type { EngineEvent, Recommendations } from '../../engine/types';
import { printable } from '../../pipeline/format';
import { type RecommendOptions, readSession, recommend } from '../../pipeline/recommend';
import { contextOf, print } from '../context';
import { UsageError } from '../errors';
import { backendOption, integer, parseDate } from '../options';
import { observe } from '../progress';
import { table } from '../table';

interface RecommendFlags extends Omit<RecommendOptions, 'session' | 'signal'> {
  readonly session?: string;
  readonly item?: readonly string[];
  readonly sessionJson?: string;
  readonly now?: number;
  readonly json?: boolean;
}

export function register(program: Command): void {
  program
    .command('recommend')
    .description('print the next items for a session')
    .requiredOption('--artifact <dir>', 'artifact folder')
    .option('--session <ids>', 'clicked items, oldest first, separated by commas; empty: a visitor without a click')
    .option('--item <id...>', 'clicked items, oldest first, for ids that hold commas; may be repeated')
    .option('--session-json <file>', 'JSON list of ids, or of { "itemId", "time", "features" }, oldest first')
    .option('--user <id>', 'who asks, for models that know users; default: nobody in particular')
    .option('--k <n>', 'how many items', integer(1), 20)
    .option(
      '--now <time>',
      'the time of clicks that have none, ISO 8601 or seconds since 1970; default: now',
      parseDate,
    )
    .addOption(backendOption('plan'))
    .option('--allow-unknown', 'print what is popular where the model knows no clicked item; default: refused')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  $ aisle recommend --artifact my-model --session sku-42,sku-7 --k 5\n')
    .action(run);
}

async function run(flags: RecommendFlags, command: Command): Promise<void> {
  const context = contextOf(command);
  const { now = Date.now() / 1000 } = flags;
  const session = await clicksOf(flags, now);
  const { model, ...answer } = await recommend({ ...flags, session, ...observe(context) });
  const { name, version } = model;
  const { items, backend, why, milliseconds } = answer;
  print(context, flags, { items, model: { name, version }, backend, milliseconds }, () => textOf(answer));
  if (!flags.json) context.stderr.write(`${name} ${version} on ${backend}, ${milliseconds.toFixed(1)} ms. ${why}\n`);
}

async function clicksOf({ session, item, sessionJson }: RecommendFlags, now: number): Promise<EngineEvent[]> {
  const given = [session, item, sessionJson].filter((way) => way !== undefined).length;
  if (given !== 1) {
    throw new UsageError(
      `Pass the session in one way: --session, --item or --session-json; got ${given === 0 ? 'none' : given}. ` +
        "A visitor without a click is --session ''.",
    );
  }
  if (sessionJson !== undefined) return readSession(sessionJson, now);
  const ids = item ?? session!.split(',').filter((id) => id !== '');
  return ids.map((itemId) => ({ itemId, time: now }));
}

/** One line an item. */
function textOf({ items }: Recommendations): string {
  if (items.length === 0) return 'No items: everything is excluded or unavailable.\n';
  const rows = items.map(({ itemId, score, reason }, i) => [`${i + 1}`, score.toFixed(4), reason, printable(itemId)]);
  return `${table([['#', 'score', 'reason', 'item'], ...rows], ['right', 'right', 'left', 'left']).join('\n')}\n`;
}
