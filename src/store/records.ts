/**
 * The format of stored events. Each record has a key of its own and is written once; only events that are too old or damaged are ever
 * taken out of it. So a failed write cannot damage an event that was acknowledged before.
 *
 *     key     e2/TAB/SEQUENCE
 *     value   { version: 2, checksum, tab, rows: [[number, time, "item id", "kind"], …] }
 *
 * The browser clones the value: neither the page's `JSON` nor a `toJSON` of the page has a part in it. An event with features has
 * them as a fifth entry, an object. An event with candidates has them as a sixth entry, a list of `[id, kind, source]`, and the
 * name of its page view as a seventh; a purchase with a transaction has that as an eighth.
 *
 * Version 1 had the same as a text, `1 CHECKSUM ["TAB", [[…], …]]`, under keys that begin with `e/`. It is still read. A release
 * that wrote it does not see the keys of version 2, so it cannot set aside what it could not read.
 */
import { hasOwn, isArray } from '../captured';
import { isListOf, isName, MAX_CANDIDATES, MAX_FEATURES, MAX_WORD } from '../limits';
import type { Candidate, CandidateKind } from '../types';

/** An event with its identity: the page that recorded it and its number there. Items are named by id, never by index. */
export interface StoredEvent {
  readonly tab: string;
  readonly number: number;
  /** Seconds since 1970. */
  readonly time: number;
  readonly itemId: string;
  readonly event: string;
  /** Further properties by name. */
  readonly features?: Readonly<Record<string, number | string>>;
  /** What the page calls the item, best first: 1 to 8. `itemId` is the first one's id. */
  readonly candidates?: readonly Candidate[];
  /** Names the page view, with `candidates` only. */
  readonly pageView?: string;
  /** Id of the order that a purchase belongs to. */
  readonly transaction?: string;
}

const KINDS: Readonly<Record<CandidateKind, true>> = {
  sku: true,
  productID: true,
  item_id: true,
  gtin: true,
  mpn: true,
  group: true,
  variant: true,
  platform: true,
  url: true,
};

export const VERSION = 2;
export const EVENTS = 'e2/';
/** How keys of version 1 begin. Of all keys, those of events are the ones from here to the last of `EVENTS`. */
export const FIRST_EVENTS = 'e/';
export const QUARANTINE = 'aside/';

export const keyOf = (tab: string, sequence: number): string => `${EVENTS}${tab}/${sequence}`;

/** A name for a tab or a life of the database: 52 random bits. It is not a secret. */
export const randomName = (): string => Math.random().toString(36).slice(2);

/** @param events One or more, all of one tab. */
export function encode(events: readonly StoredEvent[]) {
  const { tab } = events[0]!;
  const rows = events.map(rowOf);
  return { version: VERSION, checksum: checksumOf(tab, rows), tab, rows };
}

function rowOf({ number, time, itemId, event, features, candidates, pageView, transaction }: StoredEvent): unknown[] {
  const row = [number, time, itemId, event];
  if (!candidates && transaction === undefined) return features ? [...row, features] : row;
  const said = candidates?.map(({ id, kind, source }) => [id, kind, source]);
  return [...row, features ?? {}, said, pageView, ...(transaction === undefined ? [] : [transaction])];
}

/** Characters that events take in a record. */
export const lengthOf = (events: readonly StoredEvent[]): number => textIn(events.map(rowOf)).length;

export const checksumOf = (tab: unknown, rows: unknown): string => checksum(textIn(tab) + textIn(rows));

/** @throws RangeError for what is too deep, or holds itself. */
export function textIn(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return `[${(isArray(value) ? value : Object.entries(value)).map(textIn).join()}]`;
}

export const isCandidates = (value: unknown): value is readonly Candidate[] =>
  isArray(value) && value.length > 0 && value.length <= MAX_CANDIDATES && isListOf(value, isCandidate);

function isCandidate(value: unknown): value is Candidate {
  const { id, kind, source } = (value ?? {}) as Record<keyof Candidate, unknown>;
  return isName(id) && typeof kind === 'string' && hasOwn(KINDS, kind) && (source === '' || isName(source, MAX_WORD));
}

/** Whether a value is numbers and texts by name, within the limit. */
export function isFeatures(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  let length = 0;
  return Object.entries(value).every(([name, feature]) => {
    length += name.length + (typeof feature === 'string' ? feature.length : 8);
    return (typeof feature === 'number' || typeof feature === 'string') && length <= MAX_FEATURES;
  });
}

/** FNV-1a over UTF-16 units: detects damage; it is no signature. http://www.isthe.com/chongo/tech/comp/fnv/ */
export function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(36);
}
