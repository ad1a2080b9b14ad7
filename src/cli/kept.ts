/** Results that long work keeps for its next run, in JSON with a checksum. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { replaceFile } from './durable';

/** @throws RecommenderError `io` if the disk refuses. */
export async function keep(path: string, value: object): Promise<void> {
  await replaceFile(path, `${JSON.stringify({ ...value, checksum: checksumOf(value) }, null, 2)}\n`);
}

/** What was kept there; nothing where there is nothing, or it is damaged: the work is then done again. */
export async function kept<T extends object>(path: string): Promise<T | undefined> {
  try {
    const { checksum, ...value } = JSON.parse(await readFile(path, 'utf8'));
    return checksum === checksumOf(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const checksumOf = (value: object): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');
