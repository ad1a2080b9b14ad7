import type { Command } from 'commander';

/** Where text goes: a stream of Node, or an array in a test. */
export interface Sink {
  write(text: string): unknown;
  /** A terminal, on which a line may be drawn again. */
  readonly isTTY?: boolean | undefined;
  /** Width in characters, of a terminal. */
  readonly columns?: number | undefined;
}

/** What every command gets from the program: where to write, and when to stop. */
export interface Context {
  /** Results only; with `--json` exactly one JSON object. */
  readonly stdout: Sink;
  /** Progress, warnings, errors. */
  readonly stderr: Sink;
  /** Fires on the first Ctrl-C: write what must be kept, and throw `aborted`: the program then exits with 130. */
  readonly signal: AbortSignal;
  /** Whether to show where errors come from. */
  readonly isVerbose: boolean;
}

/** What the caller of `run` provides; the rest has defaults. */
export type Io = Partial<Context> & Pick<Context, 'stdout' | 'stderr'>;

const contexts = new WeakMap<Command, Context>();

/** Attaches a context to a program; its commands find it with `contextOf`. */
export function setContext(program: Command, context: Context): void {
  contexts.set(program, context);
}

/** The context of the program that a command belongs to; pass the command, as an action's last argument. */
export function contextOf(command: Command): Context {
  for (let at: Command | null = command; at; at = at.parent) {
    const context = contexts.get(at);
    if (context) return context;
  }
  throw new RangeError(`contextOf: the command "${command.name()}" belongs to no program that was given a context.`);
}

/** Prints a result: with `--json` as one JSON object, else as text. */
export function print(context: Context, flags: { readonly json?: boolean }, value: unknown, text: () => string): void {
  context.stdout.write(flags.json ? `${JSON.stringify(value)}\n` : text());
}
