/**
 * The format of stored events. Each record is a text under a key of its own that is written once and never changed, so a failed
 * write cannot damage an event that was acknowledged before.
 *
 *     key     e/TAB/SEQUENCE
 *     value   1 CHECKSUM ["TAB", [[number, time, "item id", "kind"], …]]
 *
 * An event with features has them as a fifth entry, an object. An event with candidates has them as a sixth entry, a list of
 * `[id, kind, source]`, and the name of its page view as a seventh; a purchase with a transaction has that as an eighth. Older
 * releases ignore entries that they do not know.
 */
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

/** Most candidates of an event, and most characters of an id among them. */
export const MAX_CANDIDATES = 8;
export const MAX_ID = 1000;
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

/** A record that cannot be read, and why. */
export interface Unreadable {
  readonly reason: string;
  /** Whether another release wrote it. Such a record is ignored but not moved, because that release may need it. */
  readonly foreign: boolean;
}

const VERSION = '1';
export const EVENTS = 'e/';
export const QUARANTINE = 'aside/';

export const keyOf = (tab: string, sequence: number): string => `${EVENTS}${tab}/${sequence}`;

/** A name for a tab or a life of the database: 52 random bits. It is not a secret. */
export const randomName = (): string => Math.random().toString(36).slice(2);

/** @param events One or more, all of one tab. */
export function encode(events: readonly StoredEvent[]): string {
  const rows = events.map(({ number, time, itemId, event, features, candidates, pageView, transaction }) => {
    const row = [number, time, itemId, event];
    if (!candidates && transaction === undefined) return features ? [...row, features] : row;
    const said = candidates?.map(({ id, kind, source }) => [id, kind, source]);
    return [...row, features ?? {}, said, pageView, ...(transaction === undefined ? [] : [transaction])];
  });
  const json = JSON.stringify([events[0]?.tab, rows]);
  return `${VERSION} ${checksum(json)} ${json}`;
}

/** A stored value as text. An object is not converted, because `{ toString: 1, valueOf: 1 }` would throw. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : `no text but ${typeof value}`);

export function decode(value: unknown): readonly StoredEvent[] | Unreadable {
  const unreadable = (reason: string, foreign = false): Unreadable => ({ reason, foreign });
  const [, version, sum, json] = /^(\d+) (\w+) (.*)$/s.exec(textOf(value)) ?? [];
  if (version === undefined) return unreadable('it does not begin as a record does');
  if (version !== VERSION) return unreadable(`it is of version ${version}, this release reads ${VERSION}`, true);
  if (checksum(json!) !== sum) return unreadable('its checksum is wrong: it is cut off or was changed');
  try {
    const [tab, rows] = JSON.parse(json!) as [unknown, unknown[][]];
    const events = rows.map(([number, time, itemId, event, features, said, pageView, transaction]) => {
      const plain = { tab, number, time, itemId, event, ...(typeof transaction === 'string' && { transaction }) };
      const isBare = features === undefined || (said !== undefined && Object.keys(features ?? {}).length === 0);
      const known = isBare ? plain : { ...plain, features };
      if (said == null) return known;
      const candidates = (said as unknown[][]).map(([id, kind, source]) => ({ id, kind, source }));
      return { ...known, candidates, ...(typeof pageView === 'string' && { pageView }) };
    });
    if (events.every(isEvent)) return events;
  } catch {
    // The text is no JSON, or JSON of another shape.
  }
  return unreadable('it does not hold events');
}

export function isEvent(value: unknown): value is StoredEvent {
  const given = (value ?? {}) as Record<keyof StoredEvent, unknown>;
  const { tab, number, time, itemId, event, features, candidates, pageView, transaction } = given;
  const texts = [tab, itemId, event].every((text) => typeof text === 'string' && text !== '');
  return (
    texts &&
    Number.isInteger(number) &&
    Number.isFinite(time) &&
    (features === undefined || isFeatures(features)) &&
    (candidates === undefined || isCandidates(candidates)) &&
    [pageView, transaction].every((text) => text === undefined || typeof text === 'string')
  );
}

export const isCandidates = (value: unknown): value is readonly Candidate[] =>
  Array.isArray(value) && value.length > 0 && value.length <= MAX_CANDIDATES && value.every(isCandidate);

function isCandidate(value: unknown): boolean {
  const { id, kind, source } = (value ?? {}) as Record<keyof Candidate, unknown>;
  const isId = typeof id === 'string' && id !== '' && id.length <= MAX_ID;
  return isId && typeof kind === 'string' && Object.hasOwn(KINDS, kind) && typeof source === 'string';
}

/** By time. Of equal times, the events of the older page come first. */
export function inOrder(a: StoredEvent, b: StoredEvent): number {
  return a.time - b.time || (a.tab === b.tab ? a.number - b.number : a.tab < b.tab ? -1 : 1);
}

const isFeatures = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).every((feature) => typeof feature === 'number' || typeof feature === 'string');

/** FNV-1a over UTF-16 units: detects damage; it is no signature. http://www.isthe.com/chongo/tech/comp/fnv/ */
function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(36);
}

/** A stored record. */
export interface Entry {
  readonly key: string;
  /** Characters of key and value. */
  readonly size: number;
  /** Seconds since 1970 of the newest event. */
  readonly time: number;
}

/**
 * The keys of the records to delete, so that at most `target` characters are left. The oldest sessions go first, each as a
 * whole; of the last session, the oldest records go.
 */
export function surplus(entries: readonly Entry[], target: number, gap: number): string[] {
  const byTime = [...entries].sort((a, b) => a.time - b.time);
  let left = byTime.reduce((sum, { size }) => sum + size, 0);
  const lastStart = byTime.findLastIndex(({ time }, i) => i === 0 || time - byTime[i - 1]!.time > gap);
  const gone: string[] = [];
  for (const [i, { key, size, time }] of byTime.entries()) {
    const opens = i === 0 || time - byTime[i - 1]!.time > gap;
    if (left <= target && (opens || i > lastStart)) break;
    gone.push(key);
    left -= size;
  }
  return gone;
}
