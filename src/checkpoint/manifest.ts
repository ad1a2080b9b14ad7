/** `manifest.json`: its fields, and a check of each, since anybody may serve or edit it. */
import type { RecommenderError } from '../errors';
import { MAX_GOLDEN } from '../limits';
import type { ClickFeatures } from '../types';
import type { ArtifactInfo, GoldenCheck, MixedCounter } from './artifact';
import { isRecord, bad as malformed, quote, show } from './json';

/** Raised whenever an older reader would misread a newer folder. */
export const FORMAT_VERSION = 1;
export const MANIFEST = 'manifest.json';
export const WEIGHTS = 'weights.safetensors';
export const ITEMS = 'items.json';
export const CATALOGUE = 'catalogue.json';
export const ALIASES = 'aliases.json';
/** The model as a compiled plan; `compute/plan/format.ts` says how. Read where it computes. */
export const PLAN = 'plan.bin';
/** Read when a slot wants one of its strategies. */
export const STRATEGIES = 'strategies.json';
/** Read when a page has slots. */
export const RULES = 'rules.json';
/** The files of an artifact that pages may read. */
export const ARTIFACT_FILES = [MANIFEST, WEIGHTS, ITEMS, CATALOGUE, ALIASES, STRATEGIES, RULES, PLAN];
/** The model card, and what a training has measured, for people: the manifest does not list them, and no page reads them. */
export const README = 'README.md';
export const REPORT = 'report.html';
/** No manifest is longer than this; it says how long the other files are. */
export const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;

export interface FileEntry {
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** Length of the file. */
  readonly bytes: number;
}

export interface Manifest extends ArtifactInfo {
  /** 1; raised where an older release would misread a newer folder. */
  readonly formatVersion: number;
  /** `aliases.json`, where the folder has it. */
  readonly aliases?: typeof ALIASES;
  /** Every file that a page may read, by name. */
  readonly files: Readonly<Record<string, FileEntry>>;
}

/**
 * Checks every field of a parsed `manifest.json`, but of `features` and `mix` only that they are objects: few models have them, and
 * `manifest-features.ts` and `ranking/mixture.ts` check what is inside.
 *
 * @throws RecommenderError `bad-artifact` that names the field, what was expected and what came.
 */
export function checkManifest(value: unknown): Manifest {
  const manifest = record(value, 'the whole');
  const { formatVersion, items } = manifest;
  if (!isWhole(formatVersion) || formatVersion < 1)
    throw expected('formatVersion', 'a whole number from 1', formatVersion);
  if (formatVersion > FORMAT_VERSION) {
    throw bad(
      `has formatVersion ${formatVersion}, but this release reads ${FORMAT_VERSION}; update Aisle, or export the model with the release that runs it.`,
    );
  }
  if (!isWhole(items) || items < 1) throw expected('items', 'a whole number from 1', items);
  const files = checkFiles(manifest['files'], MANIFEST);
  for (const name of [WEIGHTS, ITEMS]) {
    if (!Object.hasOwn(files, name)) throw bad(`does not list the file ${name}, which every artifact has.`);
  }
  const { aliases } = manifest;
  if (aliases !== undefined && (aliases !== ALIASES || !Object.hasOwn(files, ALIASES)))
    throw expected('aliases', `"${ALIASES}", a file in files`, aliases);
  return {
    formatVersion,
    name: text(manifest['name'], 'name', 1),
    version: text(manifest['version'], 'version', 1),
    architecture: text(manifest['architecture'], 'architecture', 1),
    config: record(manifest['config'], 'config'),
    items,
    ...(manifest['features'] !== undefined && {
      features: record(manifest['features'], 'features') as unknown as ClickFeatures,
    }),
    ...(manifest['scale'] !== undefined && { scale: checkScale(manifest['scale']) }),
    ...(manifest['mix'] !== undefined && { mix: record(manifest['mix'], 'mix') as unknown as MixedCounter }),
    ...(aliases !== undefined && { aliases }),
    files,
    golden: checkGolden(manifest['golden'], items),
    training: record(manifest['training'], 'training'),
    licence: text(manifest['licence'], 'licence'),
    modelCard: text(manifest['modelCard'], 'modelCard'),
  };
}

function checkScale(value: unknown): number {
  if (typeof value !== 'number' || !(value > 0 && value < Number.POSITIVE_INFINITY)) {
    throw expected('scale', 'a number above 0', value);
  }
  return value;
}

/** @param manifest Name of the file that lists them, and so not itself. */
export function checkFiles(value: unknown, manifest: string): Record<string, FileEntry> {
  const files = record(value, 'files', manifest);
  const checked = Object.entries(files).map(([name, entry]) => {
    if (!isFileName(name) || name === manifest) {
      throw bad(`has files with the name ${quote(name)}; a plain file name is needed.`, manifest);
    }
    const field = `files[${quote(name)}]`;
    const { sha256, bytes } = record(entry, field, manifest);
    if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) {
      throw expected(`${field}.sha256`, '64 lower-case hexadecimal digits', sha256, manifest);
    }
    if (!isWhole(bytes) || bytes < 0) throw expected(`${field}.bytes`, 'a whole number from 0', bytes, manifest);
    return [name, { sha256, bytes }] as const;
  });
  return Object.fromEntries(checked);
}

/** A name inside the folder: no path, no hidden file. */
function isFileName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(name) && name !== '__proto__';
}

function checkGolden(value: unknown, items: number): GoldenCheck {
  const { session, top } = record(value, 'golden');
  const isIndex = (x: unknown): x is number => isWhole(x) && x >= 1 && x <= items;
  const isList = (list: unknown): list is unknown[] => Array.isArray(list) && list.length <= MAX_GOLDEN;
  if (!isList(session) || session.length === 0 || !session.every(isIndex)) {
    throw expected('golden.session', `a list of 1 to ${MAX_GOLDEN} item indices 1…${items}`, session);
  }
  if (!isList(top) || top.length > items)
    throw expected('golden.top', `a list of at most ${Math.min(MAX_GOLDEN, items)}`, top);
  const checked = top.map((entry: unknown, k) => {
    const { index, score } = record(entry, `golden.top[${k}]`);
    if (!isIndex(index)) throw expected(`golden.top[${k}].index`, `an item index 1…${items}`, index);
    if (!Number.isFinite(score)) throw expected(`golden.top[${k}].score`, 'a finite number', score);
    return { index, score: score as number };
  });
  return { session, top: checked };
}

/**
 * Checks a parsed `items.json`.
 *
 * @throws RecommenderError `bad-artifact` that names the entry.
 */
export function checkItems(value: unknown, count: number): readonly string[] {
  if (!Array.isArray(value)) throw bad(`must be a list of item ids, got ${show(value)}.`, ITEMS);
  if (value.length !== count) {
    throw bad(`has ${value.length} items, ${MANIFEST} says ${count}; export both from the same vocabulary.`, ITEMS);
  }
  const seen = new Map<string, number>();
  value.forEach((id: unknown, k) => {
    if (typeof id !== 'string') throw bad(`has ${show(id)} at position ${k}; every item id is text.`, ITEMS);
    const first = seen.get(id);
    if (first !== undefined) throw bad(`has the id ${quote(id)} twice, at positions ${first} and ${k}.`, ITEMS);
    seen.set(id, k);
  });
  return value as string[];
}

export function record(value: unknown, field: string, file = MANIFEST): Record<string, unknown> {
  if (!isRecord(value)) throw expected(field, 'a JSON object', value, file);
  return value;
}

export function text(value: unknown, field: string, minLength = 0, file = MANIFEST): string {
  if (typeof value !== 'string' || value.length < minLength) {
    throw expected(field, minLength > 0 ? 'text that is not empty' : 'text', value, file);
  }
  return value;
}

export function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

export function expected(field: string, what: string, got: unknown, file = MANIFEST): RecommenderError {
  return bad(`field ${field} must be ${what}, got ${show(got)}.`, `${file}:`);
}

export function bad(message: string, file: string = MANIFEST): RecommenderError {
  return malformed(file, message);
}
