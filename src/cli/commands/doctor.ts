/** `aisle doctor`: checks a page and its files, or a folder that is about to be uploaded. */
import type { Command } from 'commander';
import { countsOf } from '../../ui/doctor/findings';
import { contextOf, print } from '../context';
import { type Diagnosis, diagnose } from '../doctor/doctor';
import { NotPassed } from '../errors';

export function register(program: Command): void {
  program
    .command('doctor')
    .description('check a page with its files and headers, or a folder before it is uploaded')
    .argument(
      '<url-or-dir>',
      'address of a page, of embed.js or of a manifest.json; or folder of a site, of embed.js, of a model or of a catalogue',
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Requested are the page, and the files of Aisle, of the model and of the catalogue that its tag names; scripts are not run.
What only a browser shows, such as ids and consent, is in the page's own doctor: open it with ?aisle-doctor.
Exit code: 0 without errors, warnings or not; 3 with errors; 2 if there is nothing to check; 1 if the address does not answer.

Examples:
  $ aisle doctor https://shop.example/product/42
  $ aisle doctor my-model --json
`,
    )
    .action(async (target: string, flags: { readonly json?: boolean }, command: Command) => {
      const context = contextOf(command);
      const diagnosis = await diagnose(target, context.signal);
      print(context, flags, diagnosis, () => textOf(diagnosis));
      const { errors } = diagnosis;
      if (errors > 0) throw new NotPassed(`${errors} ${errors === 1 ? 'error was' : 'errors were'} found.`);
    });
}

/** Files of one finding that are named. */
const NAMED = 4;

function textOf({ findings }: Diagnosis): string {
  const lines = findings.flatMap(({ severity, what, todo, files }) => {
    const more = files.length > NAMED ? ` and ${files.length - NAMED} more` : '';
    return [
      `${severity.padEnd(8)} ${files.slice(0, NAMED).join(', ')}${more}: ${what}`,
      ...(todo === undefined ? [] : [`${' '.repeat(9)}${todo}`]),
    ];
  });
  return `${[...lines, countsOf(findings)].join('\n')}\n`;
}
