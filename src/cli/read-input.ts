import { readFile } from 'node:fs/promises';
import { RecommenderError } from '../errors';
import { codeOf } from './durable';

/**
 * Reads a file that the user named.
 *
 * @throws RecommenderError `bad-input` that names the file.
 */
export async function readInput(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const code = codeOf(cause);
    const why =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'this is a folder' : 'it is unreadable';
    throw new RecommenderError('bad-input', `${path} cannot be read: ${why} (${code}).`, { cause });
  }
}
