import type { Command } from 'commander';
import { RecommenderError } from '../../errors';
import { whole } from '../../pipeline/format';
import { split } from '../../pipeline/split';
import type { LatePart, SplitCounts } from '../../session/split';
import { contextOf, print } from '../context';
import { addEventsOptions, EVENTS_FILES, type EventsFlags, oneOf, parseDate, parseLast, readOptions } from '../options';
import { observe } from '../progress';
import { table } from '../table';

interface SplitFlags extends EventsFlags {
  readonly data: string;
  readonly out: string;
  readonly by: 'start' | 'end';
  readonly testFrom?: number;
  readonly test?: LatePart;
  readonly validFrom?: number;
  readonly valid?: LatePart;
  readonly json?: boolean;
}

/** `aisle split`: a log in train, validation and test parts by time. */
export function register(program: Command): void {
  const command = program
    .command('split')
    .description('split an events file by time into train, validation and test')
    .requiredOption('--data <file>', EVENTS_FILES)
    .requiredOption('--out <dir>', 'folder for train.tsv.gz, valid.tsv.gz, test.tsv.gz and split.json')
    .option('--by <time>', 'place a session by its start or its end', oneOf('start', 'end'), 'start')
    .option('--test-from <date>', 'test on the sessions from this day or time on (UTC)', parseDate)
    .option('--test <part>', 'test on the last part: last:7d or last:10%', parseLast)
    .option('--valid-from <date>', 'validate on the sessions from here to the test part', parseDate)
    .option('--valid <part>', 'validate on the last part of what is left: last:7d or last:10%', parseLast);
  addEventsOptions(command)
    .option('--json', 'print the counts as one JSON object')
    .addHelpText(
      'after',
      '\nExample:\n  $ aisle split --data events.tsv.gz --out parts --by start --test last:7d --valid last:7d\n',
    )
    .action(async (flags: SplitFlags, self: Command) => {
      const context = contextOf(self);
      const { data, out, by } = flags;
      const test = part('test', flags.testFrom, flags.test);
      if (!test)
        throw new RecommenderError('bad-config', 'Which part is the test? Pass --test-from DATE or --test last:7d.');
      const valid = part('valid', flags.validFrom, flags.valid);
      const read = readOptions(flags);
      const counts = await split({ data, read, out, by, test, ...(valid && { valid }), ...observe(context) });
      print(context, flags, counts, () => textOf(counts, out));
    });
}

function part(name: string, from: number | undefined, last: LatePart | undefined): LatePart | undefined {
  if (from === undefined) return last;
  if (last === undefined) return { from };
  throw new RecommenderError('bad-config', `--${name}-from and --${name} exclude each other: pass one of them.`);
}

function textOf(counts: SplitCounts, out: string): string {
  const rows = (['train', 'valid', 'test'] as const).flatMap((name) => {
    const part = counts[name];
    return part ? [[name, ...[part.sessions, part.events, part.items].map(whole)]] : [];
  });
  const lines = table([['', 'sessions', 'events', 'items'], ...rows], [-6, 12, 12, 12]);
  return `${lines.join('\n')}\nWritten to ${out}\n`;
}
