/** One command that runs others, in the same process. */
import { RecommenderError } from '../errors';
import type { Context } from './context';
import { CommandError, EXIT, HINT } from './errors';

// biome-ignore lint/suspicious/noExplicitAny: the shapes of the commands' JSON are contracts of their own.
export type Printed = any;

/**
 * The JSON object that a command prints; its progress and warnings go where those of the running command go.
 *
 * @throws RecommenderError `aborted`.
 * @throws CommandError if the command fails.
 */
export async function runJson(
  argv: readonly string[],
  { run, stderr, signal }: Pick<Context, 'run' | 'stderr' | 'signal'>,
): Promise<Printed> {
  const printed: string[] = [];
  let said = '';
  const stdout = { write: (text: string) => printed.push(text) };
  const watched = {
    ...{ isTTY: stderr.isTTY, columns: stderr.columns },
    write(text: string) {
      if (text.startsWith('aisle: ')) said = text.slice('aisle: '.length).trim().replace(HINT, '');
      else stderr.write(text);
    },
  };
  const exitCode = await run([...argv, '--json'], { stdout, stderr: watched, signal });
  if (exitCode === EXIT.interrupted) throw new RecommenderError('aborted', said || 'Interrupted.');
  if (exitCode !== EXIT.done) throw new CommandError(exitCode, said || `it ended with exit code ${exitCode}.`);
  return JSON.parse(printed.join(''));
}
