/** The files of a log that rows train on and are tested on. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../../../src/cli/main';
import { shortHash } from '../../../src/pipeline/files/disk';
import type { LogName, QualityLog } from './logs';

export interface LogFiles {
  readonly train: string;
  readonly test: string;
}

/**
 * What is trained on and what is tested, cut once for each way of cutting: another way has a folder of another name, and what an
 * interrupted cut leaves behind is never read.
 *
 * @param data Folder of the log as it came.
 * @param work Folder for what is cut.
 * @throws Error if `aisle split` refuses; what it said stands on stderr.
 */
export async function filesOf(
  name: LogName,
  { cut }: Pick<QualityLog, 'cut'>,
  data: string,
  work: string,
): Promise<LogFiles> {
  if (cut === 'given') return { train: join(data, 'train.tsv.gz'), test: join(data, 'test.tsv.gz') };
  if ('write' in cut) {
    const folder = await whole(folderOf(work, name, cut.name), (out) => cut.write(data, out));
    return { train: join(folder, cut.train), test: join(folder, cut.test) };
  }
  const folder = await whole(folderOf(work, name, cut), async (out) => {
    const io = { stdout: { write: () => {} }, stderr: process.stderr };
    const code = await run(['split', '--data', join(data, 'sessions.tsv.gz'), '--out', out, ...cut], io);
    if (code !== 0) throw new Error(`The log ${name} could not be cut.`);
  });
  return { train: join(folder, 'train.tsv.gz'), test: join(folder, 'test.tsv.gz') };
}

function folderOf(work: string, name: LogName, cut: unknown): string {
  const hash = shortHash(cut);
  return join(work, `${name}-${hash}`);
}

/** The folder, written under another name and renamed when it is whole. */
async function whole(folder: string, write: (out: string) => void | Promise<void>): Promise<string> {
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const fresh = mkdtempSync(`${folder}.new-`);
  try {
    await write(fresh);
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    // Another process may have been as far.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
