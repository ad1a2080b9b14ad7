/**
 * Keeps the catalogue of `catalogueUrl` in effect, and what the page itself knows of products. Loaded if a page has either.
 *
 * The engine fetches and reads; here it is decided when, and what is shown if that fails: the last good catalogue of this page, else
 * the one that an earlier page has stored, else the artifact's own.
 */
import { isArray } from '../captured';
import type { CatalogueItem } from '../checkpoint/artifact';
import { isSale, updatedBy } from '../checkpoint/products';
import type { CatalogueFiles, CatalogueInfo, Engine } from '../engine/types';
import { reasonOf } from '../errors';
import { MAX_PRODUCT_TEXT } from '../limits';
import { CATALOGUE, type DeviceNotes } from '../store/device-notes';
import {
  absoluteFolder,
  type Check,
  type Checks,
  checked,
  FEATURES,
  IDS,
  ITEM,
  isAtLeast,
  isText,
  must,
} from './arguments';
import { isHidden } from './idle';
import type { DegradationCode, Recommender, Status } from './types';

/** Milliseconds after which a catalogue is fetched again. */
const HOUR = 3_600_000;
/** The same of one that could not be had. */
const SOON = 300_000;
/** Milliseconds after which one that is on its way is late. */
const PATIENCE = 10_000;
/** Most bytes that are stored, for pages whose own request fails. */
const MAX_KEPT = 4_000_000;
const TEXT: Check = [
  `a text, at most ${MAX_PRODUCT_TEXT} characters`,
  (value) => isText(value) && value.length <= MAX_PRODUCT_TEXT,
];
const PRODUCT: Checks<CatalogueItem> = {
  id: ITEM,
  title: TEXT,
  url: TEXT,
  image: ['a text', isText],
  price: ['a number, at least 0', (value) => isAtLeast(value, 0)],
  sale: ['a price, with from and until as ISO 8601 where it ends', isSale],
  currency: TEXT,
  category: [
    `an array of texts, at most ${MAX_PRODUCT_TEXT} characters as JSON`,
    (value) => IDS[1](value) && JSON.stringify(value).length <= MAX_PRODUCT_TEXT,
  ],
  brand: TEXT,
  availability: TEXT,
  features: [FEATURES[0], (value) => !isArray(value) && FEATURES[1](value)],
  group: TEXT,
};

export interface LiveCatalogueParts {
  readonly engine: Pick<Engine, 'fetchCatalogue' | 'setCatalogue' | 'updateProducts'>;
  readonly notes: Pick<DeviceNotes, 'life' | 'read' | 'write'>;
  readonly options: { readonly catalogueUrl?: string | undefined; readonly now: () => number };
  readonly on: Recommender['on'];
  readonly status: () => Status;
  readonly degrade: (code: DegradationCode, message: string) => void;
  readonly mend: (code: DegradationCode) => void;
  /** Other products are in effect. */
  readonly onChange: (catalogue: CatalogueInfo) => void;
}

export interface LiveCatalogue {
  update(products: readonly CatalogueItem[]): Promise<void>;
  close(): void;
}

export function createLiveCatalogue(parts: LiveCatalogueParts): LiveCatalogue {
  let updates: ReadonlyMap<string, CatalogueItem> = new Map();
  let last: Promise<unknown> = Promise.resolve();
  /** Updates one after the other; one that the engine refuses leaves those of before. */
  function updated(products: readonly CatalogueItem[] = []): Promise<CatalogueInfo> {
    const updating = last.then(async () => {
      const next = new Map(updates);
      for (const product of products) next.set(product.id, updatedBy(product, next.get(product.id)));
      const info = await parts.engine.updateProducts([...next.values()]);
      updates = next;
      return info;
    });
    last = updating.catch(() => {});
    return updating;
  }
  const { catalogueUrl } = parts.options;
  const stop = catalogueUrl === undefined ? () => {} : follow(parts, catalogueUrl, () => updated());
  return {
    async update(products) {
      must('update', products, ['an array of products', Array.isArray]);
      // Holes count as undefined products, which are refused.
      const copies = Array.from(products, (product) => plain(checked('update', product, PRODUCT)));
      for (const { id } of copies) must('id', id, ITEM);
      parts.onChange(await updated(copies));
    },
    close: stop,
  };
}

/** A copy: a page may change the product later, and a worker cannot be sent the proxies by which a framework observes it. */
const plain = (product: CatalogueItem): CatalogueItem =>
  Object.fromEntries(Object.entries(product).map(([name, value]) => [name, copyOf(value)])) as unknown as CatalogueItem;

function copyOf(value: unknown): unknown {
  if (isArray(value)) return [...value];
  return typeof value === 'object' ? { ...value } : value;
}

/**
 * @param current What is shown.
 * @returns Stops.
 */
function follow(
  { engine, notes, options, on, status, degrade, mend, onChange }: LiveCatalogueParts,
  address: string,
  current: () => Promise<CatalogueInfo>,
) {
  const { now } = options;
  const url = absoluteFolder('catalogueUrl', folderOf(address, languageOfPage()));
  /** What this page has fetched itself: its requests must not depend on what is stored. */
  let fetched: CatalogueFiles | undefined;
  /** What is in effect, from there or from an earlier page. */
  let shown: CatalogueFiles | undefined;
  let taking: Promise<void> = Promise.resolve();
  let stored: CatalogueFiles | undefined;
  let hasLooked = false;
  let isRunning = false;
  let isClosed = false;
  let asked = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Why it cannot be had. */
  let problem: string | undefined;
  let model: string | undefined;

  /** Puts one catalogue after the other into effect; a stored one only if there is none yet. */
  function take(files: CatalogueFiles, isStored = false): Promise<void> {
    const taken = taking.then(async () => {
      if (shown && (isStored || (await isSame(files, shown)))) return;
      const info = await engine.setCatalogue(files);
      shown = files;
      onChange(info);
    });
    taking = taken.catch(() => {});
    return taken;
  }

  const refresh = (): void => void fetchAgain().catch(() => {}); // the page forbids reporting it
  async function fetchAgain(): Promise<void> {
    isRunning = true;
    asked = now();
    const late = setTimeout(() => report(`It has not come within ${PATIENCE / 1000} s.`), PATIENCE);
    try {
      const files = await engine.fetchCatalogue({ url, ...(fetched && { have: fetched }) });
      clearTimeout(late);
      if (files) await take(files);
      fetched = files ?? fetched;
      report(undefined);
      whenStored();
    } catch (error) {
      report(reasonOf(error));
    } finally {
      clearTimeout(late);
      isRunning = false;
      schedule();
    }
  }

  /** Says what is shown, and why it is not the newest; undefined: it is. */
  function report(why: string | undefined): void {
    problem = why;
    if (why === undefined) mend('catalogue-stale');
    if (why === undefined || isClosed) return;
    const version = status().catalogue?.version;
    const instead = version == null ? "the model's own" : `the last good one, version ${version},`;
    degrade('catalogue-stale', `The catalogue ${url} cannot be used; ${instead} is shown. ${why}`);
  }

  /** Fetches what is due, or waits for that while the page is visible: no timer wakes a hidden one. */
  function schedule(): void {
    clearTimeout(timer);
    if (isClosed || isRunning || isHidden()) return;
    asked = Math.min(asked, now()); // the clock may have been set back
    const left = asked + (problem === undefined ? HOUR : SOON) - now();
    if (left <= 0) refresh();
    else timer = setTimeout(schedule, left);
  }

  function whenOnline(): void {
    if (problem !== undefined || isRunning) asked = Number.NEGATIVE_INFINITY; // what runs may be cut off
    schedule();
  }

  /** Stores what this page has fetched, unless it is stored already. */
  async function keep(): Promise<void> {
    if (status().storage !== 'indexeddb' || fetched === undefined || stored === fetched) return;
    stored = fetched;
    const { life } = notes;
    const before = filesOf(await notes.read(CATALOGUE), url);
    if (before && (await isSame(before, stored))) return;
    const files = [...stored.files];
    const isSmall = files.reduce((sum, [, { size }]) => sum + size, 0) <= MAX_KEPT;
    const bytes = files.map(async ([name, file]) => [name, await file.arrayBuffer()] as const);
    const manifest = await stored.manifest.arrayBuffer();
    await notes.write(CATALOGUE, isSmall ? { url, manifest, files: new Map(await Promise.all(bytes)) } : {}, life);
  }

  /** Shows what an earlier page has stored, until the network answers. */
  async function restore(): Promise<void> {
    if (shown || hasLooked || status().storage !== 'indexeddb') return;
    hasLooked = true;
    const files = filesOf(await notes.read(CATALOGUE), url);
    if (!files || isClosed) return;
    await take(files, true);
    if (problem !== undefined) report(problem);
  }

  function whenStored(): void {
    keep().catch(() => {}); // a page that closes, or a copy that cannot be read: the next page stores another one
    restore().catch(() => {}); // a damaged copy counts as none
  }

  /** A catalogue that came before the model, or another release of it, may turn out to be another model's. */
  async function whenLoaded(): Promise<void> {
    const files = shown;
    const info = files && (await current());
    if (!files || info?.version !== null) return;
    shown = fetched = undefined;
    onChange(info);
    await take(files).catch((error) => report(reasonOf(error)));
  }

  function whenChanged(): void {
    whenStored();
    const before = model;
    model = status().model?.hash;
    if (model !== before) whenLoaded().catch(() => {});
  }

  const unsubscribe = on('status', whenChanged);
  globalThis.addEventListener?.('visibilitychange', schedule);
  globalThis.addEventListener?.('online', whenOnline);
  model = status().model?.hash;
  whenStored();
  refresh();
  return () => {
    isClosed = true;
    clearTimeout(timer);
    unsubscribe();
    globalThis.removeEventListener?.('visibilitychange', schedule);
    globalThis.removeEventListener?.('online', whenOnline);
  };
}

/**
 * The folder of a language: of `{en|de}` the longest tag that the language begins with, else the first one. `{file}` is none.
 *
 * @param language As BCP 47, such as `de-AT`; may be empty.
 * @see RFC 4647, section 3.4, "Lookup", https://www.rfc-editor.org/rfc/rfc4647#section-3.4
 */
export function folderOf(address: string, language: string): string {
  return address.replace(/\{([^{}]*\|[^{}]*)\}/g, (_, list: string) => {
    const tags = list.split('|').map((tag) => tag.trim());
    for (let wanted = language.toLowerCase(); wanted !== ''; wanted = wanted.replace(/(^|-)[^-]*$/, '')) {
      const found = tags.find((tag) => tag.toLowerCase() === wanted);
      if (found !== undefined) return found;
    }
    return tags[0]!;
  });
}

const languageOfPage = (): string =>
  (globalThis as { document?: { documentElement: { lang: string } } }).document?.documentElement.lang ?? '';

const isSame = async (one: CatalogueFiles, other: CatalogueFiles): Promise<boolean> =>
  (await one.manifest.text()) === (await other.manifest.text());

/** The stored files of this folder. Any script of the origin can write them: the engine checks what is in them. */
function filesOf(note: unknown, url: string): CatalogueFiles | undefined {
  const { url: from, manifest, files } = Object(note) as Readonly<Record<string, unknown>>;
  if (from !== url || !(files instanceof Map)) return undefined;
  const fileOf = (bytes: unknown) => new Blob([bytes as ArrayBuffer]);
  return { manifest: fileOf(manifest), files: new Map([...files].map(([name, bytes]) => [name, fileOf(bytes)])) };
}
