/** Where and of what a figure was measured, and how it is written. */
import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';

/** The commit of the code; with a `+` where `src` differs from it. */
export function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--', '../../src') ? '+' : '');
}

/** The machine without the version of Node. */
export const host = (): string =>
  `${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}`;

export const machine = (): string => `${host()}, Node ${process.versions.node}`;

/** To three digits. */
export const round = (value: number): number => Number(value.toPrecision(3));
export const short = (value: number): string => String(round(value));
