/** Opens an artifact from wherever its files are: a folder, a server, memory. `pack.ts` says what the files hold. */
import { RecommenderError } from '../errors';
import { loaded } from '../loaded';
import type { CatalogueItem, OpenedArtifact } from './artifact';
import { htmlHint, parseJson } from './json';
import {
  ALIASES,
  CATALOGUE,
  checkItems,
  checkManifest,
  type FileEntry,
  ITEMS,
  MANIFEST,
  MAX_MANIFEST_BYTES,
  type Manifest,
  PLAN,
  WEIGHTS,
} from './manifest';
import { unpackTensors } from './precision';
import { readSafetensors } from './safetensors';
import { sha256 } from './sha256';
import { checkTensors } from './verify';

/** Called with the manifest before any other file is read; returns files to read at once, with those of every artifact. */
export type OnManifest = (manifest: Manifest) => readonly string[];
type ReadFile = (name: string, maxBytes: number) => Promise<Uint8Array | undefined>;

/**
 * Reads and checks an artifact, whole or not at all.
 *
 * @param read Contents of a file of the folder by name; undefined where it does not exist. More than `maxBytes` need not
 *   be read: throw `tooLong`. May throw another `RecommenderError` of its own, which is passed on.
 * @param onManifest What it returns are files of `bytes` or `further`. Default: none.
 * @param readPastCache Reads a file once more that could not be read, or is not what the manifest says; and the manifest, which may be
 *   another one by then: its artifact is opened instead. Default: `read`.
 * @throws RecommenderError `bad-artifact` with one sentence that names file and tensor, or field.
 */
export async function openArtifact(
  read: ReadFile,
  onManifest: OnManifest = () => [],
  readPastCache: ReadFile = read,
): Promise<OpenedArtifact> {
  const first = await readManifest(read);
  /** The manifest of the release that has taken another one's place. @throws the error where none has. */
  const replacing = async (manifest: Manifest, error: unknown): Promise<Manifest> => {
    const next = isStall(error) ? manifest : await readManifest(readPastCache);
    if (JSON.stringify(next) === JSON.stringify(manifest)) throw error;
    return next;
  };
  const open = async (manifest: Manifest): Promise<OpenedArtifact> => {
    const { formatVersion: _, files, aliases: hasAliases, ...info } = manifest;
    const loadBy = async (how: ReadFile, name: string) =>
      checkFile(name, await readFile(how, name, files[name]!.bytes), files[name]!);
    const load = (name: string) =>
      loadBy(read, name).catch((error) => {
        if (isStall(error)) throw error;
        return loadBy(readPastCache, name);
      });
    /** A file that is read later may be of another release by then. */
    const loadLater = (name: string) =>
      load(name).catch(async (error) => {
        await replacing(manifest, error);
        throw bad('The model was replaced since it was loaded; the next page has the new one.');
      });
    const bytesOf = new Map<string, Promise<Uint8Array>>();
    const further = new Map<string, Promise<unknown>>();
    const bytes = (name: string): Promise<Uint8Array> => kept(bytesOf, name, () => load(name));
    for (const name of onManifest(manifest)) bytes(name).catch(() => {}); // the caller that asks for it gets the error
    const [weights, items, catalogue, aliases] = await Promise.all([
      load(WEIGHTS),
      load(ITEMS),
      Object.hasOwn(files, CATALOGUE) ? readCatalogue(load(CATALOGUE)) : undefined,
      hasAliases ? readAliases(load(ALIASES)) : undefined,
      info.features && checkedFeatures(info.features),
    ]);
    const itemIds = checkItems(parseJson(items, ITEMS), info.items);
    const tensors = await unpackTensors(readSafetensors(weights, WEIGHTS).tensors, WEIGHTS);
    checkTensors(tensors, info.items);
    return {
      info,
      itemIds,
      tensors,
      hash: files[WEIGHTS]!.sha256.slice(32) + files[ITEMS]!.sha256.slice(32),
      ...(catalogue && { catalogue }),
      ...aliases,
      hasPlan: Object.hasOwn(files, PLAN),
      bytes: async (name) => (Object.hasOwn(files, name) ? bytes(name) : undefined),
      async further(name) {
        if (!Object.hasOwn(files, name)) return undefined;
        return kept(further, name, async () => parseJson(await loadLater(name), name));
      },
    };
  };
  return open(first).catch(async (error) => open(await replacing(first, error)));
}

/** Then nothing is read again: whoever waits has waited long enough. */
const isStall = (error: unknown): boolean => (error as Partial<RecommenderError>).code === 'timeout';

/** What is made by name, once: after a failure, the next call tries again. */
async function kept<T>(known: Map<string, Promise<T>>, name: string, make: () => Promise<T>): Promise<T> {
  const one = known.get(name) ?? make();
  known.set(name, one);
  try {
    return await one;
  } catch (error) {
    known.delete(name);
    throw error;
  }
}

async function readCatalogue(file: Promise<Uint8Array>): Promise<readonly CatalogueItem[]> {
  const code = loaded(import('./catalogue-file'), 'the catalogue');
  const [{ checkCatalogue }, bytes] = await Promise.all([code, file]);
  return checkCatalogue(parseJson(bytes, CATALOGUE));
}

async function checkedFeatures(features: unknown): Promise<void> {
  const { checkFeatures } = await loaded(import('./manifest-features'), 'features');
  checkFeatures(features);
}

async function readAliases(file: Promise<Uint8Array>): Promise<Pick<OpenedArtifact, 'aliases' | 'namesOf'>> {
  const [{ checkAliases, namesOf }, bytes] = await Promise.all([loaded(import('./aliases'), 'aliases'), file]);
  const aliases = checkAliases(parseJson(bytes, ALIASES));
  return { aliases, namesOf: (known) => namesOf(aliases, known) };
}

/**
 * Reads and checks `manifest.json` alone.
 *
 * @throws RecommenderError `bad-artifact`.
 */
async function readManifest(read: ReadFile): Promise<Manifest> {
  return checkManifest(parseJson(await readFile(read, MANIFEST, MAX_MANIFEST_BYTES), MANIFEST));
}

/** What a reader throws where a file has more bytes than it may have. */
export function tooLong(name: string, maxBytes: number): RecommenderError {
  return bad(`${name} is longer than ${maxBytes} bytes, the most that it may have; copy the whole folder again.`);
}

async function readFile(read: ReadFile, name: string, maxBytes: number): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined;
  try {
    bytes = await read(name, maxBytes);
  } catch (cause) {
    if (cause instanceof RecommenderError || (cause as Error)?.name === 'AbortError') throw cause;
    throw new RecommenderError('bad-artifact', `${name} could not be read (${(cause as Error)?.message}).`, { cause });
  }
  if (!bytes) throw bad(`${name} is missing; copy the whole folder of the artifact.`);
  return bytes;
}

/**
 * Checks the length and the hash of a file.
 *
 * @param manifest Name of the file that lists it.
 * @throws RecommenderError `bad-artifact` that names the file.
 */
export async function checkFile<B extends Uint8Array>(
  name: string,
  bytes: B,
  entry: FileEntry,
  manifest = MANIFEST,
): Promise<B> {
  if (bytes.length !== entry.bytes) {
    throw bad(
      `${name} is ${bytes.length} bytes long, ${manifest} says ${entry.bytes}; copy the whole folder again.${htmlHint(bytes)}`,
    );
  }
  const got = await sha256(bytes);
  if (got !== entry.sha256) {
    throw bad(
      `${name} has the SHA-256 ${got.slice(0, 12)}…, ${manifest} says ${entry.sha256.slice(0, 12)}…; copy the whole folder again.`,
    );
  }
  return bytes;
}

function bad(message: string): RecommenderError {
  return new RecommenderError('bad-artifact', message);
}
