import { createReadStream, type ReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { RecommenderError } from '../errors';
import type { EventLog } from '../session/event-log';
import type { ReadOptions } from '../session/options';
import { readText } from '../session/read-text';
import type { Context } from './context';
import { createProgress, type Progress, whole } from './progress';

const PIECE = 1 << 17;

/**
 * Reads an events file: TSV or CSV, plain or gzip, or Parquet, told apart by their first bytes.
 *
 * Progress, warnings and the counts of what the filters left out go to standard error of the context.
 *
 * @param path As the user typed it; it starts every message.
 * @throws RecommenderError `bad-input` if the file cannot be opened or does not follow the contract.
 */
export async function readEventsFile(path: string, options: ReadOptions = {}, context?: Context): Promise<EventLog> {
  const file = await openFile(path);
  let log: EventLog;
  try {
    const { size } = await file.stat();
    const magic = new Uint8Array(4);
    await file.read(magic, 0, 4, 0);
    const packed = magic[0] === 0x1f && magic[1] === 0x8b;
    const parquet = /\.(parquet|pq)$/i.test(path) || new TextDecoder('latin1').decode(magic) === 'PAR1';
    const progress = context && createProgress(context.stderr, { label: `Reading ${path}`, total: size });
    try {
      log =
        parquet && !packed && size > 0
          ? await readParquetFile(file, size, path, options, context)
          : await readText(pieces(path, packed, progress), path, options, context?.signal);
    } finally {
      progress?.finish();
    }
  } catch (error) {
    if (error instanceof RecommenderError && error.code === 'aborted')
      throw new RecommenderError('aborted', `Interrupted while reading ${path}.`);
    throw error;
  } finally {
    await file.close();
  }
  if (context) for (const line of remarks(log, path)) context.stderr.write(`${line}\n`);
  return log;
}

/** Tells, once for each, of columns that a model reads and a log lacks. */
export function warnOfColumns(log: EventLog, path: string, names: readonly string[], { stderr }: Context): void {
  for (const name of names) {
    if (log.features?.has(name)) continue;
    stderr.write(`Warning: ${path} has no column "${name}", which the model reads: it counts as missing.\n`);
  }
}

async function openFile(path: string): Promise<FileHandle> {
  const fail = (what: string, cause?: unknown): RecommenderError =>
    new RecommenderError('bad-input', `${path}: ${what}; expected an events file (TSV, CSV, .gz or Parquet).`, {
      cause,
    });
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw fail(
      code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'permission denied' : `cannot be opened (${code})`,
      cause,
    );
  }
  const found = await file.stat();
  if (!found.isFile()) {
    await file.close();
    // Parquet is read from its end, and what kind a file is from its beginning: a pipe has neither.
    throw fail(found.isDirectory() ? 'this is a folder' : 'this is a pipe or a device; write it to a file first');
  }
  return file;
}

/** The file's bytes, unpacked where it is packed. */
async function* pieces(path: string, packed: boolean, progress: Progress | undefined): AsyncGenerator<Uint8Array> {
  const source: ReadStream = createReadStream(path, { highWaterMark: PIECE });
  const unpacked = packed ? createGunzip({ chunkSize: PIECE }) : undefined;
  if (unpacked) {
    source.on('error', (error) => unpacked.destroy(error));
    source.pipe(unpacked);
  }
  let bytes = 0;
  try {
    for await (const piece of unpacked ?? source) {
      bytes += piece.length;
      progress?.update(source.bytesRead);
      yield piece;
    }
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException;
    if (!code.startsWith('Z_')) throw cause;
    const what = code === 'Z_BUF_ERROR' ? 'is cut off' : 'is damaged';
    const rest = `expected a whole one, got ${whole(bytes)} readable bytes. Copy or create the file again.`;
    throw new RecommenderError('bad-input', `${path}: the gzip file ${what}, ${rest}`, { cause });
  } finally {
    source.destroy();
    unpacked?.destroy();
  }
}

async function readParquetFile(
  file: FileHandle,
  byteLength: number,
  path: string,
  options: ReadOptions,
  context: Context | undefined,
): Promise<EventLog> {
  // Loaded here: most logs are text, and the decoders are large.
  const { readParquet } = await import('../session/read-parquet');
  const slice = async (start: number, end = byteLength): Promise<ArrayBuffer> => {
    const bytes = new Uint8Array(Math.max(0, end - start));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
    return bytes.buffer.slice(0, bytesRead);
  };
  let progress: Progress | undefined;
  const onRows = (done: number, total: number): void => {
    if (context) progress ??= createProgress(context.stderr, { label: `Reading ${path}`, total, unit: 'rows' });
    progress?.update(done);
  };
  try {
    return await readParquet({ byteLength, slice }, path, options, context?.signal, onRows);
  } finally {
    progress?.finish();
  }
}

/** What a person should know of a log that was read: the kinds of its events, what was left out, warnings. */
function remarks({ report }: EventLog, path: string): string[] {
  const { dropped, eventKinds, warnings } = report;
  const lines: string[] = [];
  if (eventKinds.length > 1)
    lines.push(`${path}: ${eventKinds.map(({ name, events }) => `${whole(events)} ${name}`).join(', ')}`);
  const left: string[] = [];
  if (dropped.otherKinds > 0) left.push(`${whole(dropped.otherKinds)} events of other kinds`);
  if (dropped.repeats > 0) left.push(`${whole(dropped.repeats)} immediate repeats`);
  const { rareItems, shortSessions } = dropped;
  if (rareItems.events > 0) left.push(`${whole(rareItems.items)} rare items (${whole(rareItems.events)} events)`);
  if (shortSessions.sessions > 0)
    left.push(`${whole(shortSessions.sessions)} short sessions (${whole(shortSessions.events)} events)`);
  if (left.length > 0) lines.push(`${path}: left out ${left.join(', ')}`);
  return [...lines, ...warnings.map((warning) => `Warning: ${warning}`)];
}
