import type { Command } from 'commander';
import { RecommenderError } from '../../errors';
import { type LatePart, type SplitCounts, splitCounts, splitLog } from '../../session/split';
import { contextOf, printJson } from '../context';
import { readEventsFile } from '../events-file';
import { addEventsOptions, type EventsFlags, oneOf, parseDate, parseLast, readOptions } from '../options';
import { whole } from '../progress';
import { writeSplit } from '../write-split';

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
    .requiredOption('--data <file>', 'events file: TSV, CSV, .gz or Parquet')
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
      const test = part('test', flags.testFrom, flags.test);
      if (!test)
        throw new RecommenderError('bad-config', 'Which part is the test? Pass --test-from DATE or --test last:7d.');
      const valid = part('valid', flags.validFrom, flags.valid);
      const log = await readEventsFile(flags.data, { ...readOptions(flags), features: 'all' }, context);
      const split = splitLog(log, { by: flags.by, test, ...(valid && { valid }) });
      const counts = splitCounts(split);
      await writeSplit(flags.out, split, context.signal);
      if (flags.json) printJson(context, counts);
      else context.stdout.write(table(counts, flags.out));
    });
}

function part(name: string, from: number | undefined, last: LatePart | undefined): LatePart | undefined {
  if (from === undefined) return last;
  if (last === undefined) return { from };
  throw new RecommenderError('bad-config', `--${name}-from and --${name} exclude each other: pass one of them.`);
}

function table(counts: SplitCounts, out: string): string {
  const lines = (['train', 'valid', 'test'] as const).flatMap((name) => {
    const part = counts[name];
    if (!part) return [];
    const cells = [part.sessions, part.events, part.items].map((count) => whole(count).padStart(12));
    return [name.padEnd(6) + cells.join('')];
  });
  const header = ' '.repeat(6) + ['sessions', 'events', 'items'].map((title) => title.padStart(12)).join('');
  return `${[header, ...lines].join('\n')}\nWritten to ${out}\n`;
}
