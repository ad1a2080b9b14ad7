/** Zip archives of an artifact's files: written without compression, read with and without. */
import { RecommenderError, reasonOf } from '../errors';

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_BYTES = 22;
/** Names are UTF-8. */
const UTF8 = 0x0800;
/** 1 January 1980, the earliest date that there is: the same files make the same archive. */
const DATE = 0x21;
const [STORED, DEFLATED] = [0, 8];
/** What is read of an archive at most, as of an artifact. */
const MOST_BYTES = 512e6;

/** The bytes of an archive with these files in this order. */
export function writeZip(files: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  const entries = [...files].map(([name, content]) => ({
    name: new TextEncoder().encode(name),
    content,
    crc: crc32(content),
  }));
  const size = entries.reduce((sum, { name, content }) => sum + 76 + 2 * name.length + content.length, END_BYTES);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const u16 = (...values: readonly number[]): void => {
    for (const value of values) {
      view.setUint16(at, value, true);
      at += 2;
    }
  };
  const u32 = (...values: readonly number[]): void => {
    for (const value of values) {
      view.setUint32(at, value, true);
      at += 4;
    }
  };
  const raw = (part: Uint8Array): void => {
    bytes.set(part, at);
    at += part.length;
  };
  const about = ({ name, content, crc }: (typeof entries)[number]): void => {
    u16(20, UTF8, STORED, 0, DATE);
    u32(crc, content.length, content.length);
    u16(name.length, 0);
  };
  const starts = entries.map((entry) => {
    const start = at;
    u32(LOCAL);
    about(entry);
    raw(entry.name);
    raw(entry.content);
    return start;
  });
  const directory = at;
  entries.forEach((entry, i) => {
    u32(CENTRAL);
    u16(20);
    about(entry);
    u16(0, 0, 0);
    u32(0, starts[i]!);
    raw(entry.name);
  });
  const end = at;
  u32(END);
  u16(0, 0, entries.length, entries.length);
  u32(end - directory, directory);
  u16(0);
  return bytes;
}

/**
 * The files of an archive by their names, folders left out.
 *
 * @param file For messages.
 * @throws RecommenderError `bad-input` for what is no archive, is damaged, or holds too much.
 */
export async function readZip(blob: Blob, file: string): Promise<Map<string, Uint8Array>> {
  const refuse = (what: string, cause?: unknown): RecommenderError =>
    new RecommenderError('bad-input', `${file}: ${what}. Create the archive again.`, { cause });
  if (blob.size > MOST_BYTES) throw refuse(`the archive has ${blob.size} bytes, at most ${MOST_BYTES} are read`);
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const view = new DataView(bytes.buffer);
  let end = bytes.length - END_BYTES;
  while (end >= 0 && view.getUint32(end, true) !== END) end--;
  if (end < 0) throw refuse('this is no zip archive, or one that is cut off');
  const files = new Map<string, Uint8Array>();
  let at = view.getUint32(end + 16, true);
  let total = 0;
  try {
    for (let left = view.getUint16(end + 10, true); left > 0; left--) {
      if (view.getUint32(at, true) !== CENTRAL) throw new RangeError('its directory does not name its files');
      const [method, crc, packed, size] = [
        view.getUint16(at + 10, true),
        view.getUint32(at + 16, true),
        view.getUint32(at + 20, true),
        view.getUint32(at + 24, true),
      ];
      const [nameLength, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
      const local = view.getUint32(at + 42, true);
      const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength!));
      at += 46 + nameLength! + extra! + comment!;
      if (name.endsWith('/')) continue;
      total += size;
      if (total > MOST_BYTES) throw new RangeError(`it holds more than ${MOST_BYTES} bytes`);
      const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
      const content = await unpacked(bytes.subarray(start, start + packed), method, size);
      if (content.length !== size || crc32(content) !== crc) throw new RangeError(`${name} in it is damaged`);
      files.set(name, content);
    }
  } catch (cause) {
    throw refuse(`the archive cannot be read: ${reasonOf(cause).replace(/\.$/, '')}`, cause);
  }
  return files;
}

/** @param size What it should be; no more is unpacked. */
async function unpacked(bytes: Uint8Array<ArrayBuffer>, method: number, size: number): Promise<Uint8Array> {
  if (method === STORED) return bytes;
  if (method !== DEFLATED) throw new RangeError(`a file in it is packed by method ${method}, expected none or deflate`);
  const content = new Uint8Array(size);
  let length = 0;
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return content.subarray(0, length);
    if (length + value.length > size) throw new RangeError('a file in it is longer than it says');
    content.set(value, length);
    length += value.length;
  }
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = TABLE[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
