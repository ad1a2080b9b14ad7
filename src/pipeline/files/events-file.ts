/** The files of a log on disk, or what comes in through standard input. */
import { createHash } from 'node:crypto';
import { createReadStream, ReadStream, rmSync } from 'node:fs';
import { type FileHandle, open, readdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative, sep } from 'node:path';
import { addAbortSignal, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ARTIFACT_FILES } from '../../checkpoint/manifest';
import { RecommenderError } from '../../errors';
import type { EventLog } from '../../session/event-log';
import type { ReadOptions } from '../../session/options';
import { systemCodeOf, systemMeaning } from '../errors';
import { whole } from '../format';
import { isGzip } from '../gzip';
import { inform, type Observer, startTask } from '../observer';
import { type EventsSource, readLog } from '../read-events';
import { basename, dirname, exists, isFolder, join, refused, remove, resolve, temporaryFolder } from './disk';

const PIECE = 1 << 17;

/** Names of files in a folder that are parts of a log. */
const PART = /\.(parquet|pq|tsv|csv|jsonl|ndjson|inter)(\.gz)?$/i;
/** What BigQuery calls files of objects, one a line; beside parts by other names it is something else, such as a schema. */
const JSON_PART = /\.json(\.gz)?$/i;
/** Files that writers of parts put beside them: `_SUCCESS`, `.part-0.csv.crc`. */
const HIDDEN = /^[._]/;

/**
 * Reads a log as `readLog` does.
 *
 * @param path As the user typed it: a file; a folder; a glob with `*`, `?` or `**`; `-` for standard input. It starts every
 *   message. The parts of a folder or glob are read in the order of their names; folders in it that are named `key=value`
 *   become columns.
 * @param options How it is read. Default: every session of two events or more is kept.
 * @param observer Stops the reading, and gets its progress and messages.
 * @throws RecommenderError `bad-input` if a file cannot be opened or does not follow the contract; `aborted`.
 */
export async function readEventsFile(path: string, options?: ReadOptions, observer: Observer = {}): Promise<EventLog> {
  return readFiles(await filesOf(path, observer), path, options, observer);
}

/**
 * Reads files as one log, in this order.
 *
 * @param out Where the log is to be written, without links: none of the files.
 */
export async function readEventsFiles(
  paths: readonly string[],
  options?: ReadOptions,
  observer: Observer = {},
  out?: string,
): Promise<EventLog> {
  const files: Files[] = [];
  for (const path of paths) files.push(await filesOf(path, observer));
  const all = { names: files.flatMap(({ names }) => names), isFolder: false };
  for (const name of all.names) {
    if (out === undefined || (await realpath(name).catch(() => undefined)) !== out) continue;
    throw new RecommenderError('bad-input', `\`out\` would replace ${name}, which is read; name another file.`);
  }
  return readFiles(all, paths.map(shownAs).join(', '), options, observer);
}

async function readFiles({ names, isFolder }: Files, path: string, options: ReadOptions = {}, observer: Observer) {
  let size = 0;
  for (const name of names) {
    const found = name === '-' ? (await received(observer)).stat() : stat(name).catch(() => undefined);
    size += (await found)?.size ?? 0;
  }
  const log = { name: shownAs(path), size, parts: openAll(names, isFolder, observer) };
  return readLog(log, options, observer);
}

/** Opens one file after the other, and closes each. */
async function* openAll(names: readonly string[], isFolder: boolean, observer: Observer): AsyncGenerator<EventsSource> {
  for (const name of names) {
    const shown = shownAs(name);
    let unpacked: FileHandle | undefined;
    const file = name === '-' ? await received(observer) : await openFile(name, EXPECTED);
    try {
      // Parquet is read from its end, so what is in a gzip file has to be on the disk.
      if (await isPackedParquet(file, shown)) {
        const unpacking = pieces(file, true, () => {}, shown);
        unpacked = await spool(unpacking, shown);
      }
      const source = unpacked ?? file;
      yield {
        ...(isFolder && { constants: constantsOf(name) }),
        name: shown,
        size: (await source.stat()).size,
        async slice(start, end) {
          const bytes = new Uint8Array(Math.max(0, end - start));
          const { bytesRead } = await source.read(bytes, 0, bytes.length, start);
          return bytes.buffer.slice(0, bytesRead);
        },
        pieces: (isPacked, onBytes) => pieces(unpacked ?? (name === '-' ? file : name), isPacked, onBytes, shown),
      };
    } finally {
      await unpacked?.close();
      if (name !== '-') await file.close();
    }
  }
}

const EXPECTED = 'an events file (TSV, CSV, JSONL, .gz or Parquet)';
const shownAs = (name: string): string => (name === '-' ? 'standard input' : name);

/** What came in, by stream: a command that reads a log twice finds it again. Open until the process ends. */
const inputs = new Map<object, Promise<FileHandle>>();

function received(observer: Observer): Promise<FileHandle> {
  const { stdin } = process;
  let file = inputs.get(stdin);
  if (!file) {
    file = receive(stdin, observer);
    inputs.set(stdin, file);
  }
  return file;
}

async function receive(stdin: NodeJS.ReadStream, observer: Observer): Promise<FileHandle> {
  if (stdin.isTTY) {
    const how = 'pipe a log into it, such as  zcat events.tsv.gz | aisle inspect -';
    throw new RecommenderError('bad-input', `standard input: this is a terminal, expected ${EXPECTED}; ${how}`);
  }
  const { signal } = observer;
  if (signal) addAbortSignal(signal, stdin);
  const task = startTask(observer, { label: 'Receiving standard input', total: 0, unit: 'MB' });
  let bytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const piece of stdin as AsyncIterable<Buffer>) {
      bytes += piece.length;
      task.update(bytes / 1e6);
      yield piece;
    }
  }
  try {
    return await spool(counted(), 'standard input');
  } catch (error) {
    throw signal?.aborted ? new RecommenderError('aborted', 'Interrupted while reading standard input.') : error;
  } finally {
    task.finish();
  }
}

const temporary: string[] = [];
function removeAtExit(folder: string): void {
  if (temporary.push(folder) > 1) return;
  process.once('exit', () => {
    for (const one of temporary) rmSync(one, { recursive: true, force: true });
  });
}

/** Writes to a temporary file, which has no name any more: nothing is left of it, however the process ends. */
async function spool(source: AsyncIterable<Uint8Array>, name: string): Promise<FileHandle> {
  const folder = await temporaryFolder('aisle-input');
  let file: FileHandle | undefined;
  try {
    file = await open(join(folder, 'input'), 'wx+');
    // Windows may keep the name of a file that is open.
    await remove(folder).catch(() => removeAtExit(folder));
    // Node 20 takes any iterable here; its types leave them out.
    await file.writeFile(source as unknown as Uint8Array);
    return file;
  } catch (error) {
    await file?.close();
    await remove(folder);
    throw refused(`Writing ${name} to a temporary file in ${folder}`, error);
  }
}

async function isPackedParquet(file: FileHandle, shown: string): Promise<boolean> {
  const { buffer } = await file.read(new Uint8Array(2), 0, 2, 0);
  if (!isGzip(buffer)) return false;
  const first = pieces(file, true, () => {}, shown);
  for await (const piece of first) return new TextDecoder('latin1').decode(piece.subarray(0, 4)) === 'PAR1';
  return false;
}

/** The SHA-256 of the files that a path stands for; a folder may be a catalogue's, too. */
export async function inputHash(path: string, observer: Observer): Promise<string> {
  const names: string[] = [];
  if (await isFolder(path)) for await (const name of walk(`${path}/`, Number.POSITIVE_INFINITY)) names.push(name);
  else names.push(...(await filesOf(path, observer)).names);
  const hash = createHash('sha256');
  for (const name of names.sort()) {
    if (names.length > 1) hash.update(`${name}\0`);
    const bytes = name === '-' ? bytesOf(await received(observer)) : createReadStream(name);
    for await (const piece of bytes) hash.update(piece as Uint8Array);
  }
  return hash.digest('hex');
}

/** What a path stands for. */
interface Files {
  readonly names: readonly string[];
  /** Whether the path names several files at once, so that folders in their paths may be columns. */
  readonly isFolder: boolean;
}

/**
 * Refuses to write among the files of a log, where the next command would read what was written as a part of it.
 *
 * @param logs As the user typed them; only folders and globs can be written into.
 * @param path Of a folder with `out`, else of a file.
 * @throws RecommenderError `bad-input`.
 */
export async function refuseAmong(
  logs: readonly (string | undefined)[],
  path: string,
  { option = 'out', isFile = option !== 'out' }: { option?: 'out' | 'log' | 'ranks'; isFile?: boolean } = {},
): Promise<void> {
  const place = await withoutLinks(path);
  for (const log of logs) {
    const found = log === undefined ? undefined : await stat(log).catch(() => undefined);
    const isGlob = log !== undefined && !found && GLOB.test(log);
    if (!isGlob && !found?.isDirectory()) continue;
    const root = isGlob ? rootOf(log) : log!;
    const below = relative(await withoutLinks(root), place);
    const names = below.split(sep);
    if (isAbsolute(below) || names.some((name) => HIDDEN.test(name))) continue; // not below it, or passed over
    const isRead = !isGlob || globReads(log.slice(root.length), names.filter(Boolean), isFile);
    if (!isRead) continue;
    throw new RecommenderError(
      'bad-input',
      `\`${option}\` ${path} is among the files of ${log}: what is written there would be read as a part of the log. ` +
        'Choose a place elsewhere.',
    );
  }
}

/** Whether a glob matches a file, or files that a folder may get; both by their names below the glob's root. */
function globReads(glob: string, names: readonly string[], isFile: boolean): boolean {
  const path = names.join('/');
  if (isFile) return patternOf(glob).test(path);
  const parts = glob.split('/');
  // Without `**` a glob matches what lies exactly as deep as it has names.
  const isOnTheWay = names.length < parts.length && patternOf(parts.slice(0, names.length).join('/')).test(path);
  return glob.includes('**') || isOnTheWay;
}

/** The path without links, also where its end is not there yet. */
async function withoutLinks(path: string): Promise<string> {
  const full = resolve(path);
  const parent = dirname(full);
  return realpath(full).catch(async () => (parent === full ? full : join(await withoutLinks(parent), basename(full))));
}

const GLOB = /[*?]/;
/** The folder whose files a glob is about, with `/` behind it. */
const rootOf = (glob: string): string => glob.replace(/[^/]*[*?].*$/s, '');

async function filesOf(path: string, observer: Observer): Promise<Files> {
  const found = path === '-' ? undefined : await stat(path).catch(() => undefined);
  const isGlob = !found && GLOB.test(path);
  const brackets = /[[{]/.test(path) ? '; brackets stand for themselves, a glob has *, ? and **' : '';
  if (!found && !isGlob && brackets !== '' && !(await exists(path)))
    throw new RecommenderError('bad-input', `${path}: no such file${brackets}.`);
  if (!found?.isDirectory() && !isGlob) return { names: [path], isFolder: false };
  const pattern = isGlob ? patternOf(path) : undefined;
  const root = isGlob ? rootOf(path) : path.replace(/\/*$/, '/');
  const depth = isGlob && !path.includes('**') ? path.slice(root.length).split('/').length : Number.POSITIVE_INFINITY;
  const all: string[] = [];
  for await (const name of walk(root, depth)) all.push(name);
  const names = pattern ? all.filter((name) => pattern.test(name)) : partsOf(all);
  names.sort((a, b) => (a < b ? -1 : 1));
  if (names.length === 0) {
    const isHidden = /(^|\/)[._]/.test(path.slice(root.length));
    const unnamed = isHidden
      ? 'files and folders whose names begin with . or _ are passed over'
      : 'no file has such a name';
    const what = isGlob ? unnamed + brackets : 'this is a folder without parts of a log';
    throw new RecommenderError(
      'bad-input',
      `${path}: ${what}, expected one or more files in .parquet, .tsv, .csv, .jsonl, .json or .inter, also with .gz. ` +
        `Name a file, or the files by a glob in quotes such as "${root}*.csv".`,
    );
  }
  const parts = new Set(names);
  const others = all.filter((name) => !parts.has(name));
  if (!isGlob && others.length > 0) {
    const examples = others.slice(0, 3).join(', ');
    inform(
      observer,
      `${path}: ${whole(names.length)} parts; left out ${whole(others.length)} other files: ${examples}${others.length > 3 ? ', …' : ''}`,
    );
  }
  return { names, isFolder: true };
}

/** Whether a folder holds parts of a log. */
export async function hasParts(folder: string): Promise<boolean> {
  const all: string[] = [];
  for await (const name of walk(`${folder}/`, Number.POSITIVE_INFINITY)) all.push(name);
  return partsOf(all).length > 0;
}

/** Those of a folder's files that are parts; the files of an artifact are none, though its manifest be missing. */
function partsOf(files: readonly string[]): string[] {
  const parts = files.filter((name) => PART.test(name));
  if (parts.length > 0) return parts;
  return files.filter((name) => JSON_PART.test(name) && !ARTIFACT_FILES.includes(basename(name)));
}

/** The files below a folder whose path ends in `/`, without hidden ones. */
async function* walk(folder: string, depth: number): AsyncGenerator<string> {
  const entries = await readdir(folder === '' ? '.' : folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new RecommenderError(
      'bad-input',
      `${folder}: the folder cannot be read, ${systemMeaning(error)} (${systemCodeOf(error)}).`,
      { cause: error },
    );
  });
  for (const entry of entries) {
    if (HIDDEN.test(entry.name)) continue;
    const path = folder + entry.name;
    // A link to a folder is not followed: it might lead back here, and its events would count twice.
    if (!entry.isDirectory()) yield path;
    else if (depth > 1) yield* walk(`${path}/`, depth - 1);
  }
}

/** `*` and `?` stand for characters of a name, `**` also for folders. */
function patternOf(glob: string): RegExp {
  const source = glob.replace(/\*\*\/|\*\*|\*|\?|[.+^${}()|[\]\\]/g, (token) => {
    if (token === '**/') return '(?:.*/)?';
    if (token === '?') return '[^/]';
    if (token === '**') return '.*';
    return token === '*' ? '[^/]*' : `\\${token}`;
  });
  return new RegExp(`^${source}$`, 's');
}

/** What Hive writes into a path for a value that is missing. */
const NO_VALUE = '__HIVE_DEFAULT_PARTITION__';

/** The columns that the folders of a path give: `day=2024-05-01/part-0.parquet`. */
function constantsOf(path: string): Record<string, string> {
  const folders = path.split('/').slice(0, -1);
  const pairs = folders.flatMap((folder) => {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(folder) ?? [];
    return key === undefined ? [] : [[decoded(key), value === NO_VALUE ? '' : decoded(value!)]];
  });
  return Object.fromEntries(pairs);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
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

/** The bytes of an open file from its beginning, which stays open: a stream of Node's would close it. */
async function* bytesOf(file: FileHandle, onBytes: (bytes: number) => void = () => {}): AsyncGenerator<Uint8Array> {
  for (let at = 0; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(PIECE), 0, PIECE, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    onBytes(at);
    yield buffer.subarray(0, bytesRead);
  }
}

/** The file's bytes, unpacked where it is packed. @param name For messages. */
export async function* pieces(
  file: string | FileHandle,
  isPacked: boolean,
  onBytes: (bytes: number) => void,
  name: string,
): AsyncGenerator<Uint8Array> {
  let read = 0;
  const counted = (file: FileHandle): Readable =>
    Readable.from(
      bytesOf(file, (at) => {
        read = at;
      }),
      { objectMode: false, highWaterMark: PIECE },
    );
  const source: Readable = typeof file === 'string' ? createReadStream(file, { highWaterMark: PIECE }) : counted(file);
  const unpacked = isPacked ? createGunzip({ chunkSize: PIECE }) : undefined;
  if (unpacked) {
    source.on('error', (error) => unpacked.destroy(error));
    source.pipe(unpacked);
  }
  let bytes = 0;
  try {
    for await (const piece of unpacked ?? source) {
      bytes += piece.length;
      onBytes(source instanceof ReadStream ? source.bytesRead : read);
      yield piece;
    }
  } catch (cause) {
    const code = systemCodeOf(cause);
    if (!code?.startsWith('Z_')) throw cause;
    const what = code === 'Z_BUF_ERROR' ? 'is cut off' : 'is damaged';
    const rest = `expected a whole one, got ${whole(bytes)} readable bytes. Copy or create the file again.`;
    throw new RecommenderError('bad-input', `${name}: the gzip file ${what}, ${rest}`, { cause });
  } finally {
    source.destroy();
    unpacked?.destroy();
  }
}
