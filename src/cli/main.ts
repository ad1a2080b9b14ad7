/// <reference types="vite/client" />
/**
 * The `aisle` program: finds the command, runs it, and turns its outcome into an exit code. Commands throw; only this file
 * handles errors and exit codes.
 */
import { existsSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { sentenceOf } from '../pipeline/errors';
import { VERSION } from '../pipeline/version';
import { type Context, type Io, setContext } from './context';
import { describe, EXIT, exitCode, traceOf } from './errors';
import { tameLibraries } from './libraries';

/** A file of `commands/`: adds its command to the program. */
interface CommandModule {
  register(program: Command): void;
}

/** One file per command, loaded on demand: `inspect` does not wait for what `train` needs. */
const modules = import.meta.glob<CommandModule>('./commands/*.ts');

/**
 * Runs the command line in this process.
 *
 * @param argv Arguments without the program's own name.
 * @returns The exit code: 0 done, 1 failed at run time, 2 wrong use, input, config or artifact, 3 a check has found
 *   errors, 130 interrupted.
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const verbose = argv.includes('--verbose');
  const context: Context = { signal: new AbortController().signal, isVerbose: verbose, ...io };
  try {
    const program = createProgram(context);
    await addCommands(program, argv);
    if (argv.length === 0) program.outputHelp();
    else await program.parseAsync(argv, { from: 'user' });
    return EXIT.done; // also after a Ctrl-C that came too late to stop the work
  } catch (error) {
    const texts = [describe(error, verbose), verbose ? traceOf(error) : ''];
    for (const text of texts) if (text !== '') context.stderr.write(`${text}\n`);
    return exitCode(error);
  }
}

function createProgram(context: Context): Command {
  const program = new Command('aisle')
    .description('Session-based product recommendations that run inside the shopper’s browser.')
    .version(VERSION, '-V, --version')
    .option('--verbose', 'show where an error comes from')
    .helpCommand(true)
    .showHelpAfterError('(--help shows the options)')
    .exitOverride()
    .configureHelp({
      // As the descriptions say it of defaults that are no values.
      optionDescription: ({ description, defaultValue: value }) =>
        value === undefined ? description : `${description}; default: ${value}`,
    })
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'aisle: ')),
    })
    .addHelpText('after', '\nExample:\n  $ aisle train --data events.tsv.gz --model gru4rec --out my-model\n');
  setContext(program, context);
  return program;
}

/** Loads the named command, or all of them for help and for suggestions. */
async function addCommands(program: Command, argv: readonly string[]): Promise<void> {
  const named = argv.find((argument) => !argument.startsWith('-'));
  const one = modules[`./commands/${named}.ts`];
  for (const load of one ? [one] : Object.values(modules)) (await load()).register(program);
}

/** The program as started from a shell. */
async function start(): Promise<void> {
  tameLibraries(process.argv.includes('--verbose'));
  const interruption = new AbortController();
  process.on('SIGINT', () => {
    if (interruption.signal.aborted) process.exit(EXIT.interrupted);
    process.stderr.write('\nInterrupted: ending in order. Ctrl-C again ends at once.\n');
    interruption.abort();
  });
  // A closed pipe is no error: `head` closes it.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.done);
    process.stderr.write(`aisle: standard output: ${sentenceOf(error)}\n`);
    process.exit(EXIT.failed);
  });
  // A closed terminal does not stop the work.
  process.stderr.on('error', () => {});
  const { stdout, stderr } = process;
  process.exitCode = await run(process.argv.slice(2), { stdout, stderr, signal: interruption.signal });
}

// Not awaited: a command's chunk may import from this one, which would then wait for itself.
const script = process.argv[1];
if (script && existsSync(script) && realpathSync(script) === fileURLToPath(import.meta.url)) void start();
