import { buildLog } from '../../src/session/build';
import type { EventLog } from '../../src/session/event-log';
import type { ReadOptions } from '../../src/session/options';
import { type AsyncBuffer, readParquet as rowsOfParquet } from '../../src/session/read-parquet';
import { readText as rowsOfText } from '../../src/session/read-text';

const encoder = new TextEncoder();

/** A file's bytes in pieces of `size`, each in one and the same buffer, as a file reader may do it. */
export async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(size);
  for (let at = 0; at < bytes.length; at += size) {
    const part = bytes.subarray(at, at + size);
    piece.set(part);
    yield piece.subarray(0, part.length);
  }
}

/** Reads one text file. */
export async function readText(
  source: AsyncIterable<Uint8Array>,
  name: string,
  options: ReadOptions = {},
): Promise<EventLog> {
  return buildLog(await rowsOfText(source, { name }, options), options, name);
}

/** Reads one Parquet file. */
export async function readParquet(buffer: AsyncBuffer, name: string, options: ReadOptions = {}): Promise<EventLog> {
  return buildLog(await rowsOfParquet(buffer, { name }, options), options, name);
}

/** Reads a text as `log.tsv`. */
export function read(text: string | Uint8Array, options: ReadOptions = {}, pieceSize = 1 << 16): Promise<EventLog> {
  const bytes = typeof text === 'string' ? encoder.encode(text) : text;
  return readText(inPieces(bytes, pieceSize), 'log.tsv', options);
}

/** A log as `[session, item, time]` rows, and as sessions of ids. */
export function rowsOf({ sessions, itemIds, sessionIds }: EventLog): [string, string, number][] {
  return sessionIds.flatMap((id, s) =>
    Array.from(
      sessions.items.subarray(sessions.offsets[s]!, sessions.offsets[s + 1]!),
      (item, k): [string, string, number] => [id, itemIds[item - 1]!, sessions.times[sessions.offsets[s]! + k]!],
    ),
  );
}

export function idsBySession(log: EventLog): Record<string, string> {
  const sessions = new Map<string, string[]>();
  for (const [id, item] of rowsOf(log)) sessions.set(id, [...(sessions.get(id) ?? []), item]);
  return Object.fromEntries([...sessions].map(([id, items]) => [id, items.join(' ')]));
}
