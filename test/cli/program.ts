import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { run } from '../../src/cli/main';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line in this process and keeps what it writes. */
export async function aisle(...argv: string[]): Promise<Outcome> {
  return aisleUntil(new AbortController().signal, ...argv);
}

/** The same with a signal that stands for Ctrl-C. */
export async function aisleUntil(signal: AbortSignal, ...argv: string[]): Promise<Outcome> {
  const written = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const code = await run(argv, { stdout: sink('stdout'), stderr: sink('stderr'), signal });
  return { code, ...written };
}

/** A folder that is gone after the test. */
export async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'aisle-test-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A file with this content in a folder of its own. */
export async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(await folder(), name);
  await writeFile(path, content);
  return path;
}

/** Until the test ends, no file handle can write any more. */
export async function fillDisk(anyFile: string): Promise<void> {
  const handle = await open(anyFile, 'r');
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  const spy = vi.spyOn(prototype, 'writeFile').mockImplementation(async () => {
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
  });
  onTestFinished(() => spy.mockRestore());
}
