/** Product feeds on disk, the records of a feed in work, and the folder of a finished catalogue. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { checkAliases } from '../../checkpoint/aliases';
import { CATALOGUE_MANIFEST, COLD_START, checkCatalogueManifest, PART_NAME } from '../../checkpoint/catalogue-folder';
import { parseJson } from '../../checkpoint/json';
import { type FileEntry, MANIFEST, RULES } from '../../checkpoint/manifest';
import { sha256 } from '../../checkpoint/sha256';
import { RecommenderError, throwIfAborted } from '../../errors';
import { isGzip } from '../gzip';
import { readRules } from '../rules';
import { type Content, namesIn, pieces, readInput, refused, remove, replaceFiles, temporaryFolder } from './disk';
import { openFile, pieces as piecesOf } from './events-file';

/** A feed, plain or gzip. */
export async function openFeed(path: string) {
  const file = await openFile(path, 'a product feed (table, XML or JSON, or one of them as .gz)');
  try {
    const { size } = await file.stat();
    const { buffer } = await file.read(new Uint8Array(2), 0, 2, 0);
    const isPacked = isGzip(buffer);
    return { size, pieces: (onBytes: (bytes: number) => void) => piecesOf(path, isPacked, onBytes, path) };
  } finally {
    await file.close();
  }
}

/** Characters that wait for being written. */
const BATCH = 1 << 20;

/** Lines in a temporary file. */
export async function createSpool() {
  const folder = await temporaryFolder('aisle-catalogue');
  const path = join(folder, 'records');
  const file = await open(path, 'wx');
  let waiting: string[] = [];
  let length = 0;
  const write = async (): Promise<void> => {
    const text = waiting.join('');
    waiting = [];
    length = 0;
    try {
      await file.appendFile(text);
    } catch (error) {
      throw refused(`Writing ${path}`, error);
    }
  };
  return {
    /** @param line Without a newline. */
    add(line: string): void {
      waiting.push(line, '\n');
      length += line.length;
    },
    /** Writes what waits, once that is much. */
    drain: async (): Promise<void> => void (length > BATCH && (await write())),
    /** All lines from the first; nothing is added afterwards. */
    async *lines(): AsyncGenerator<string> {
      if (length > 0) await write();
      const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
      let rest = '';
      for await (const piece of createReadStream(path, { highWaterMark: BATCH })) {
        const lines = (rest + decoder.decode(piece as Buffer, { stream: true })).split('\n');
        rest = lines.pop()!;
        yield* lines;
      }
    },
    async remove(): Promise<void> {
      await file.close();
      await remove(folder);
    },
  };
}

/**
 * Checks that a catalogue may be written to a folder.
 *
 * @throws RecommenderError `bad-input` where it is that of a model, whose files carry hashes of their own, or where files would go that are of no catalogue.
 */
export async function refuseForeignFolder(out: string): Promise<void> {
  const names = await namesIn(out);
  const foreign = names.includes(CATALOGUE_MANIFEST) ? undefined : names.find(isReplaced);
  const why = names.includes(MANIFEST)
    ? 'is the folder of a model, whose own catalogue belongs to it; name another folder for a catalogue that lives apart.'
    : foreign &&
      `holds ${foreign} and no ${CATALOGUE_MANIFEST}, so it is no catalogue and is left alone; name a new or empty folder.`;
  if (why) throw new RecommenderError('bad-input', `${out} ${why}`);
}

/**
 * Writes a catalogue: each file under a temporary name, all of them renamed once they are complete, the manifest last. Parts
 * of an earlier catalogue go.
 *
 * @param files Content by name.
 * @param manifestOf The manifest, from the length and SHA-256 of each file.
 * @throws RecommenderError `io` if the disk refuses; the old catalogue is then still there.
 */
export async function writeCatalogueFolder(
  out: string,
  files: Readonly<Record<string, AsyncIterable<string> | Iterable<string>>>,
  manifestOf: (entries: Readonly<Record<string, FileEntry>>) => string,
  signal?: AbortSignal,
): Promise<void> {
  const entries: Record<string, FileEntry> = {};
  async function* sealed(name: string, source: AsyncIterable<string> | Iterable<string>): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const text of source) {
      throwIfAborted(signal);
      const piece = Buffer.from(text);
      hash.update(piece);
      bytes += piece.length;
      yield piece;
    }
    entries[name] = { sha256: hash.digest('hex'), bytes };
  }
  const contents: Record<string, Content | undefined> = {};
  for (const [name, source] of Object.entries(files)) contents[name] = pieces(sealed(name, source));
  for (const name of (await namesIn(out)).filter(isReplaced)) contents[name] ??= undefined;
  // Made when its turn comes, after all others.
  contents[CATALOGUE_MANIFEST] = () => pieces([manifestOf(entries)])();
  await replaceFiles(out, contents);
}

/**
 * The products of all parts of a catalogue's folder, not yet checked, its aliases and its rules.
 *
 * @throws RecommenderError `bad-input` where a file is missing, or is not the one that the manifest lists.
 */
export async function readCatalogueFolder(dir: string) {
  const path = join(dir, CATALOGUE_MANIFEST);
  const bad = (what: string): RecommenderError =>
    new RecommenderError('bad-input', `${what}; run "aisle catalogue" again.`);
  const { parts, aliases, files } = checkCatalogueManifest(parseJson(await readInput(path), path));
  const read = async (name: string): Promise<Uint8Array> => {
    const bytes = await readInput(join(dir, name));
    if ((await sha256(bytes)) === files[name]!.sha256) return bytes;
    throw bad(`${join(dir, name)} is not the file that ${CATALOGUE_MANIFEST} lists`);
  };
  const products: unknown[] = [];
  for (const name of parts) {
    const list = parseJson(await read(name), join(dir, name));
    if (!Array.isArray(list)) throw bad(`${join(dir, name)} is no list of products`);
    for (const product of list) products.push(product);
  }
  return {
    products,
    ...(aliases && { aliases: checkAliases(parseJson(await read(aliases), join(dir, aliases))) }),
    ...(Object.hasOwn(files, RULES) && { rules: await readRules(join(dir, RULES), { readInput: () => read(RULES) }) }),
  };
}

const isReplaced = (name: string): boolean => PART_NAME.test(name) || name === COLD_START || name === RULES;
