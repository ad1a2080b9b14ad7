/** `aisle convert`: the files of a well-known log to an events file. */
import type { Command } from 'commander';
import { convert } from '../../pipeline/convert';
import { whole } from '../../pipeline/format';
import type { ConvertOptions } from '../../pipeline/options';
import { RECIPES } from '../../session/recipes';
import { contextOf, print } from '../context';
import { addSessionsOption, addSkipOption } from '../options';
import { observe } from '../progress';
import { table } from '../table';

interface ConvertFlags extends Pick<ConvertOptions, 'out' | 'sessionsBy' | 'skipBadRows'> {
  readonly json?: boolean;
}

export function register(program: Command): void {
  const command = program
    .command('convert')
    .description('turn the files of a well-known log into an events file; nothing is downloaded')
    .argument('<name>', 'which log, see below')
    .argument('<files...>', 'its files as published, also .gz; a folder, a "glob" or - for standard input')
    .requiredOption('--out <file>', 'events file to write, TSV, packed where it ends in .gz');
  addSkipOption(addSessionsOption(command, 'those of the log'))
    .option('--json', 'print what was written as one JSON object')
    .addHelpText('after', `\nLogs, the files that they expect, and where these are described:\n${recipes()}\n`)
    .addHelpText(
      'after',
      `
Sessions of movielens and amazon are the users' whole histories, those of retailrocket are cut at pauses of 30 minutes, those
of tmall are days. --sessions-by changes that, here or when the events file is read: it has user_id then.

Example:
  $ aisle convert yoochoose yoochoose-clicks.dat yoochoose-buys.dat --out events.tsv.gz
`,
    )
    .action(async (name: string, files: string[], flags: ConvertFlags, self: Command) => {
      const context = contextOf(self);
      const summary = await convert({ ...flags, name, files, ...observe(context) });
      print(context, flags, summary, () => {
        const { file, events, sessions, items, users } = summary;
        const counts = `${whole(events)} events, ${whole(sessions)} sessions, ${whole(items)} items`;
        return `${file}: ${counts}${users === undefined ? '' : `, ${whole(users)} users`}\n`;
      });
    });
}

const recipes = (): string =>
  table(
    RECIPES.map(({ name, files, page }) => [`  ${name}`, files, page]),
    ['left', 'left', 'left'],
  ).join('\n');
