import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readZip, writeZip } from '../../src/pipeline/zip';

const files = new Map([
  ['manifest.json', new TextEncoder().encode('{"name":"größer"}')],
  ['weights.safetensors', Uint8Array.from({ length: 70_000 }, (_, i) => i * 7)],
  ['empty', new Uint8Array(0)],
]);
const blobOf = (bytes: Uint8Array<ArrayBuffer>) => new Blob([bytes]);

test('what is written is read again, and the same files make the same archive', async () => {
  const bytes = writeZip(files);
  expect(await readZip(blobOf(bytes), 'a.zip')).toEqual(files);
  expect(writeZip(files)).toEqual(bytes);
});

test('reads files that another program has compressed, and leaves folders out', async () => {
  const content = new TextEncoder().encode('a'.repeat(5000));
  const bytes = compressed('model/items.json', content);
  expect(await readZip(blobOf(bytes), 'a.zip')).toEqual(new Map([['model/items.json', content]]));
});

describe('refuses, with the name of the archive,', () => {
  const good = writeZip(files);
  const changed = good.slice();
  changed[200] = changed[200]! ^ 1; // in the weights
  const longer = compressed('a', new Uint8Array(100));
  const entry = longer.length - 22 - 47; // of the directory, whose name has a letter
  new DataView(longer.buffer).setUint32(entry + 24, 10, true);
  test.each([
    ['what is no archive', new TextEncoder().encode('session_id,item_id\n'), 'this is no zip archive'],
    ['one that is cut off', good.slice(0, -30), 'this is no zip archive, or one that is cut off'],
    ['one that is damaged', changed, 'weights.safetensors in it is damaged'],
    ['a file that is longer than it says', longer, 'a file in it is longer than it says'],
  ])('%s', async (_, bytes, message) => {
    const failure = await readZip(blobOf(bytes), 'a.zip').catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'bad-input', message: expect.stringContaining(`a.zip: `) });
    expect((failure as Error).message).toContain(message);
  });
});

/** An archive of one file as other programs write it, with a folder before it. */
function compressed(name: string, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const stored = writeZip(new Map([[name, content]]));
  const view = new DataView(stored.buffer);
  const head = 30 + name.length;
  const packed = deflateRawSync(content);
  const directory = stored.slice(head + content.length);
  const bytes = new Uint8Array(Buffer.concat([stored.subarray(0, head), packed, directory]));
  const central = head + packed.length;
  const out = new DataView(bytes.buffer);
  out.setUint16(8, 8, true);
  out.setUint16(central + 10, 8, true);
  for (const at of [18, central + 20]) out.setUint32(at, packed.length, true);
  out.setUint32(bytes.length - 6, central, true);
  expect(view.getUint32(0, true)).toBe(0x04034b50);
  return bytes;
}
