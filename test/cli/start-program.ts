import { spawn } from 'node:child_process';
import { plainEnv } from '../build/built';

export interface Process {
  readonly written: { stdout: string; stderr: string };
  /** Settles once standard error holds this. */
  reads(text: string): Promise<void>;
  readonly child: ReturnType<typeof spawn>;
  readonly code: Promise<number | null>;
}

/**
 * Starts the built command line as a process of its own.
 *
 * @param program Path of `aisle.js`.
 * @param preload Code that runs in the process before the program.
 */
export function startProgram(program: string, argv: readonly string[], preload?: string): Process {
  const first = preload === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(preload)}`];
  const child = spawn(process.execPath, [...first, program, ...argv], { env: plainEnv() });
  const written = { stdout: '', stderr: '' };
  const waiting: { text: string; found: () => void }[] = [];
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      written[name] += text;
      for (const { text, found } of waiting) if (written.stderr.includes(text)) found();
    });
  }
  const code = new Promise<number | null>((ended) => child.on('close', ended));
  const reads = (text: string) =>
    new Promise<void>((found, fail) => {
      if (written.stderr.includes(text)) found();
      waiting.push({ text, found });
      code.then(() => fail(new Error(`The process ended without "${text}": ${written.stderr}`)));
    });
  return { child, written, reads, code };
}
