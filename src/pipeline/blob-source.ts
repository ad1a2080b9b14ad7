/** The files that a page was given, as sources of events: read by streams, never whole. */
import { RecommenderError, reasonOf } from '../errors';
import { type Preview, previewText } from '../session/preview';
import { whole } from './format';
import { isGzip } from './gzip';
import type { EventsSource, LogSource } from './read-events';

/** A file of a page under the name that messages have. */
export interface NamedBlob {
  readonly name: string;
  readonly blob: Blob;
}

/** What the command line calls a log of these files: a glob, where there are several. */
export function logName(files: readonly Pick<NamedBlob, 'name'>[]): string {
  const [first = '', ...others] = files.map(({ name }) => name);
  if (others.length === 0) return first;
  const common = (from: (name: string, length: number) => string): string => {
    let length = 0;
    while (length < first.length && others.every((name) => from(name, length + 1) === from(first, length + 1)))
      length++;
    return from(first, length);
  };
  const start = common((name, length) => name.slice(0, length));
  // No letter counts twice.
  const end = common((name, length) => name.slice(Math.max(start.length, name.length - length)));
  return `${start}*${end}`;
}

/** Files as one log, in this order. */
export function logSource(files: readonly NamedBlob[]): LogSource {
  return {
    name: files.map(({ name }) => name).join(', '),
    size: files.reduce((sum, { blob }) => sum + blob.size, 0),
    parts: open(files),
  };
}

async function* open(files: readonly NamedBlob[]): AsyncGenerator<EventsSource> {
  for (const file of files) yield eventsSource((await unpackedParquet(file)) ?? file);
}

const eventsSource = ({ name, blob }: NamedBlob): EventsSource => ({
  name,
  size: blob.size,
  slice: (start, end) => blob.slice(start, end).arrayBuffer().catch(unreadable(name)),
  pieces: (isPacked, onBytes) => pieces({ name, blob }, isPacked, onBytes),
});

const HEAD_BYTES = 1 << 16;

/** The first rows of a file. @throws RecommenderError `bad-input` as the reading. */
export async function previewEvents(given: NamedBlob): Promise<Preview> {
  const file = (await unpackedParquet(given)) ?? given;
  const { name, size, slice } = eventsSource(file);
  const magic = new TextDecoder('latin1').decode(await slice(0, 4));
  if (size > 0 && (magic === 'PAR1' || /\.(parquet|pq)$/i.test(name))) {
    const { previewParquet } = await import('../session/read-parquet');
    return previewParquet({ byteLength: size, slice: (start, end = size) => slice(start, end) }, name);
  }
  const { head, length } = await headOf(file);
  return previewText(head, length, name);
}

/** Parquet is read from its end, so what is in a gzip file has to be unpacked as a whole. */
async function unpackedParquet({ name, blob }: NamedBlob): Promise<NamedBlob | undefined> {
  if (!(await isPackedBlob(blob).catch(unreadable(name)))) return undefined;
  const content = pieces({ name, blob }, true);
  const first = await content.next();
  if (first.done || new TextDecoder('latin1').decode(first.value.subarray(0, 4)) !== 'PAR1') {
    await content.return(undefined);
    return undefined;
  }
  const parts: Uint8Array<ArrayBuffer>[] = [first.value];
  for await (const piece of content) parts.push(piece);
  return { name, blob: new Blob(parts) };
}

const isPackedBlob = async (blob: Blob): Promise<boolean> =>
  isGzip(new Uint8Array(await blob.slice(0, 2).arrayBuffer()));

/** The whole content, unpacked where it is gzip. */
export async function contentOf({ name, blob }: NamedBlob): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of pieces({ name, blob }, await isPackedBlob(blob).catch(unreadable(name)))) parts.push(piece);
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** The first bytes of the content, unpacked where it is gzip, and the length of the whole, estimated. */
async function headOf({ name, blob }: NamedBlob): Promise<{ readonly head: Uint8Array; readonly length: number }> {
  if (!(await isPackedBlob(blob).catch(unreadable(name)))) {
    const head = await blob.slice(0, HEAD_BYTES).arrayBuffer().catch(unreadable(name));
    return { head: new Uint8Array(head), length: blob.size };
  }
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const beginning = blob.slice(0, HEAD_BYTES);
  try {
    for await (const piece of pieces({ name, blob: beginning }, true)) parts.push(piece.slice());
  } catch (error) {
    // What is cut off here need not be cut off in the file.
    if (beginning.size === blob.size || parts.length === 0) throw error;
  }
  const head = new Uint8Array(await new Blob(parts).arrayBuffer());
  return { head, length: (head.length * blob.size) / beginning.size };
}

async function* pieces(
  { name, blob }: NamedBlob,
  isPacked: boolean,
  onBytes: (bytes: number) => void = () => {},
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let read = 0;
  let unpacked = 0;
  const counted = bytesOf(blob, name, (bytes) => {
    read = bytes;
  });
  const inflating = isPacked ? inflate(counted) : undefined;
  try {
    for await (const piece of inflating?.content ?? counted) {
      unpacked += piece.length;
      onBytes(read);
      yield piece;
    }
  } catch (cause) {
    if (!inflating || cause instanceof RecommenderError) throw cause;
    if (/junk|trailing|after|extra bytes/i.test(reasonOf(cause))) {
      const what = 'the gzip file has several parts, of which a browser unpacks the first only';
      throw new RecommenderError('bad-input', `${name}: ${what}. Unpack it, and choose what was in it.`, { cause });
    }
    const what = inflating.isRead() ? 'is cut off' : 'is damaged';
    const rest = `expected a whole one, got ${whole(unpacked)} readable bytes. Copy or create the file again.`;
    throw new RecommenderError('bad-input', `${name}: the gzip file ${what}, ${rest}`, { cause });
  }
}

async function* bytesOf(
  blob: Blob,
  name: string,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = blob.stream().getReader();
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(unreadable(name));
      if (done) return;
      bytes += value.length;
      onBytes(bytes);
      yield value as Uint8Array<ArrayBuffer>;
    }
  } finally {
    await reader.cancel().catch(() => {}); // the reader may stop early
  }
}

/** A browser does not say whether a file is damaged or cut off: it is cut off if all of its bytes were good. */
function inflate(packed: AsyncIterable<Uint8Array<ArrayBuffer>>) {
  const { readable, writable } = new DecompressionStream('gzip');
  const writer = writable.getWriter();
  let isRead = false;
  let failure: unknown;
  const feed = async (): Promise<void> => {
    for await (const piece of packed) {
      await writer.ready;
      await writer.write(piece);
    }
    // A stream that fails forgets what has not been read of it.
    await writer.ready;
    isRead = true;
    await writer.close();
  };
  const feeding = feed().catch((error) => {
    failure ??= error;
    return writer.abort(error).catch(() => {}); // it may have failed by itself
  });
  async function* content(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const reader = readable.getReader();
    let isEnded = false;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        yield value as Uint8Array<ArrayBuffer>;
      }
      isEnded = true;
    } catch (error) {
      await feeding;
      throw failure instanceof RecommenderError ? failure : error;
    } finally {
      if (!isEnded) await reader.cancel().catch(() => {});
    }
  }
  return { content: content(), isRead: () => isRead };
}

const unreadable =
  (name: string) =>
  (cause: unknown): never => {
    const why = `the browser cannot read it any more (${reasonOf(cause)})`;
    throw new RecommenderError('bad-input', `${name}: ${why}. Choose the file again.`, { cause });
  };
