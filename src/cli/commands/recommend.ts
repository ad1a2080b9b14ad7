/** `aisle recommend`: the next items for one session, as the page would show them. */
import type { Command } from 'commander';
import { parseJson } from '../../checkpoint/json';
import type { BackendChoice } from '../../compute/types';
import type { EngineEvent, Recommendations } from '../../engine/types';
import { RecommenderError } from '../../errors';
import { loadEngine } from '../../pipeline/files/artifact-engine';
import { readItemIds } from '../../pipeline/files/artifact-folder';
import { readInput } from '../../pipeline/files/disk';
import { parseTime } from '../../session/time';
import { type Context, contextOf, print } from '../context';
import { UsageError } from '../errors';
import { backendOption, integer, parseDate } from '../options';
import { table } from '../table';
import { namesOfUnknown, printable } from '../unknown-items';

interface RecommendFlags {
  readonly artifact: string;
  readonly session?: string;
  readonly item?: readonly string[];
  readonly sessionJson?: string;
  readonly user?: string;
  readonly k: number;
  readonly now?: number;
  readonly backend: BackendChoice;
  readonly allowUnknown?: boolean;
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
    .option('--now <time>', 'the time of the request, ISO 8601 or seconds since 1970; default: now', parseDate)
    .addOption(backendOption())
    .option('--allow-unknown', 'print what is popular where the model knows no clicked item; default: refused')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  $ aisle recommend --artifact my-model --session sku-42,sku-7 --k 5\n')
    .action(async (flags: RecommendFlags, command: Command) => {
      const context = contextOf(command);
      const now = flags.now ?? Date.now() / 1000;
      const session = await readSession(flags, now);
      const { engine, model } = await loadEngine(flags.artifact, flags.backend, context.signal);
      try {
        await tellUnknown(session, flags, context);
        const { user, k } = flags;
        const request = { session, k, exclude: [], now, ...(user !== undefined && { user }) };
        const answer = await engine.recommend(request, { signal: context.signal });
        const { name, version } = model;
        const { items, backend, why, milliseconds } = answer;
        print(context, flags, { items, model: { name, version }, backend, milliseconds }, () => textOf(answer));
        if (!flags.json)
          context.stderr.write(`${name} ${version} on ${backend}, ${milliseconds.toFixed(1)} ms. ${why}\n`);
      } finally {
        await engine.dispose();
      }
    });
}

/**
 * Warns of clicked items that the model does not know, and that its answer therefore ignores.
 *
 * @throws UsageError where it knows none of them: what is popular is no answer to this session.
 */
async function tellUnknown(
  session: readonly EngineEvent[],
  { artifact, allowUnknown }: RecommendFlags,
  { stderr }: Context,
): Promise<void> {
  if (session.length === 0) return;
  const itemIds = await readItemIds(artifact);
  const known = new Set(itemIds);
  const clicked = [...new Set(session.map(({ itemId }) => itemId))];
  const unknown = clicked.filter((id) => !known.has(id));
  if (unknown.length === 0) return;
  const names = namesOfUnknown(unknown, itemIds);
  if (unknown.length === clicked.length && !allowUnknown) {
    throw new UsageError(
      `The model does not know ${names}. Pass at least one item that it knows; --allow-unknown prints what is popular.`,
    );
  }
  const then = unknown.length === clicked.length ? 'These items are popular' : 'It answers by the other items';
  stderr.write(`Warning: the model does not know ${names}. ${then}.\n`);
}

async function readSession({ session, item, sessionJson }: RecommendFlags, now: number): Promise<EngineEvent[]> {
  const given = [session, item, sessionJson].filter((way) => way !== undefined).length;
  if (given !== 1) {
    throw new UsageError(
      `Pass the session in one way: --session, --item or --session-json; got ${given === 0 ? 'none' : given}. ` +
        "A visitor without a click is --session ''.",
    );
  }
  if (sessionJson !== undefined) return readJson(sessionJson, now);
  const ids = item ?? session!.split(',').filter((id) => id !== '');
  return ids.map((itemId) => ({ itemId, time: now }));
}

async function readJson(file: string, now: number): Promise<EngineEvent[]> {
  const refuse = (why: string): never => {
    throw new RecommenderError('bad-input', `${file}: ${why}`);
  };
  const list = parseJson(await readInput(file), file);
  if (!Array.isArray(list)) return refuse('expected a JSON list, such as ["sku-42", "sku-7"].');
  return list.map((entry: unknown, at) => {
    const click = typeof entry === 'object' && entry !== null ? entry : { itemId: entry };
    const { itemId, time = now, features } = click as { itemId?: unknown; time?: unknown; features?: unknown };
    if (typeof itemId !== 'string')
      return refuse(`entry ${at + 1}: expected an item id as text, got ${shown(itemId)}.`);
    const seconds = typeof time === 'number' || typeof time === 'string' ? parseTime(String(time)) : Number.NaN;
    if (Number.isNaN(seconds)) {
      return refuse(
        `entry ${at + 1}: expected a time in seconds or milliseconds since 1970 or ISO 8601, got ${shown(time)}.`,
      );
    }
    if (features !== undefined && !isFeatures(features)) {
      return refuse(`entry ${at + 1}: expected features as numbers or texts by name, got ${shown(features)}.`);
    }
    return { itemId, time: seconds, ...(features !== undefined && { features }) };
  });
}

const isFeatures = (value: unknown): value is NonNullable<EngineEvent['features']> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((feature) => typeof feature === 'number' || typeof feature === 'string');

const shown = (value: unknown): string => JSON.stringify(value) ?? String(value);

/** One line an item. */
function textOf({ items }: Recommendations): string {
  if (items.length === 0) return 'No items: everything is excluded or unavailable.\n';
  const rows = items.map(({ itemId, score, reason }, i) => [`${i + 1}`, score.toFixed(4), reason, printable(itemId)]);
  return `${table([['#', 'score', 'reason', 'item'], ...rows], ['right', 'right', 'left', 'left']).join('\n')}\n`;
}
