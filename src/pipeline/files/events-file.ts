/** An events file on disk. */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { RecommenderError } from '../../errors';
import type { EventLog } from '../../session/event-log';
import type { ReadOptions } from '../../session/options';
import { systemCodeOf, systemMeaning } from '../errors';
import { whole } from '../format';
import type { Observer } from '../observer';
import { readEvents } from '../read-events';

const PIECE = 1 << 17;

/**
 * Reads an events file as `readEvents` does.
 *
 * @param path As the user typed it; it starts every message.
 * @throws RecommenderError `bad-input` if the file cannot be opened or does not follow the contract; `aborted`.
 */
export async function readEventsFile(path: string, options?: ReadOptions, observer?: Observer): Promise<EventLog> {
  const file = await openFile(path, 'an events file (TSV, CSV, .gz or Parquet)');
  try {
    const { size } = await file.stat();
    const source = {
      name: path,
      size,
      async slice(start: number, end: number): Promise<ArrayBuffer> {
        const bytes = new Uint8Array(Math.max(0, end - start));
        const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
        return bytes.buffer.slice(0, bytesRead);
      },
      pieces: (isPacked: boolean, onBytes: (bytes: number) => void) => pieces(path, isPacked, onBytes),
    };
    return await readEvents(source, options, observer);
  } finally {
    await file.close();
  }
}

/**
 * Opens a file for reading.
 *
 * @param expected What it should be, for messages.
 * @throws RecommenderError `bad-input` if it cannot be opened, or is no file.
 */
export async function openFile(path: string, expected: string): Promise<FileHandle> {
  const fail = (what: string, cause?: unknown): RecommenderError =>
    new RecommenderError('bad-input', `${path}: ${what}; expected ${expected}.`, { cause });
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (cause) {
    throw fail(systemMeaning(cause) ?? `cannot be opened (${systemCodeOf(cause)})`, cause);
  }
  const found = await file.stat();
  if (!found.isFile()) {
    await file.close();
    // Reading seeks: the format is detected at the beginning, and Parquet is read from its end.
    throw fail(found.isDirectory() ? 'this is a folder' : 'this is a pipe or a device; write it to a file first');
  }
  return file;
}

/** The file's bytes, unpacked where it is packed. */
export async function* pieces(
  path: string,
  isPacked: boolean,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const source = createReadStream(path, { highWaterMark: PIECE });
  const unpacked = isPacked ? createGunzip({ chunkSize: PIECE }) : undefined;
  if (unpacked) {
    source.on('error', (error) => unpacked.destroy(error));
    source.pipe(unpacked);
  }
  let bytes = 0;
  try {
    for await (const piece of unpacked ?? source) {
      bytes += piece.length;
      onBytes(source.bytesRead);
      yield piece;
    }
  } catch (cause) {
    const code = systemCodeOf(cause);
    if (!code?.startsWith('Z_')) throw cause;
    const what = code === 'Z_BUF_ERROR' ? 'is cut off' : 'is damaged';
    const rest = `expected a whole one, got ${whole(bytes)} readable bytes. Copy or create the file again.`;
    throw new RecommenderError('bad-input', `${path}: the gzip file ${what}, ${rest}`, { cause });
  } finally {
    source.destroy();
    unpacked?.destroy();
  }
}
