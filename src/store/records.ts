/**
 * How events are written: each record is a text of its own key that is written once and never changed, so a write that
 * fails harms no event that was acknowledged before.
 *
 *     key     e/TAB/SEQUENCE
 *     value   1 CHECKSUM ["TAB", [[number, time, "item id", "kind"], …]]
 *
 * An event with features has them as a fifth entry, an object, which releases that know none pass over.
 */

/** An event with its identity: the page that saw it, and the how-manieth it was there. Items by id, never by index. */
export interface StoredEvent {
  readonly tab: string;
  readonly number: number;
  /** Seconds since 1970. */
  readonly time: number;
  readonly itemId: string;
  readonly event: string;
  /** What else the page knows of it, by name. */
  readonly features?: Readonly<Record<string, number | string>>;
}

/** A record that cannot be read, and why. */
export interface Unreadable {
  readonly reason: string;
  /** Whether another release wrote it, which may want it back: such a record is passed over, not moved. */
  readonly foreign: boolean;
}

const VERSION = '1';
export const EVENTS = 'e/';
export const ASIDE = 'aside/';

export const keyOf = (tab: string, sequence: number): string => `${EVENTS}${tab}/${sequence}`;

/** For a tab, or a life of the database: 52 bits, unlikely to be drawn twice. Nobody is kept out by it. */
export const randomName = (): string => Math.random().toString(36).slice(2);

/** @param events One or more, all of one tab. */
export function encode(events: readonly StoredEvent[]): string {
  const rows = events.map(({ number, time, itemId, event, features }) => [
    ...[number, time, itemId, event],
    ...(features ? [features] : []),
  ]);
  const json = JSON.stringify([events[0]?.tab, rows]);
  return `${VERSION} ${checksum(json)} ${json}`;
}

/** What lies there as a text. An object may lie there that becomes none: `{ toString: 1, valueOf: 1 }`. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : `no text but ${typeof value}`);

export function decode(value: unknown): readonly StoredEvent[] | Unreadable {
  const unreadable = (reason: string, foreign = false): Unreadable => ({ reason, foreign });
  const [, version, sum, json] = /^(\d+) (\w+) (.*)$/s.exec(textOf(value)) ?? [];
  if (version === undefined) return unreadable('it does not begin as a record does');
  if (version !== VERSION) return unreadable(`it is of version ${version}, this release reads ${VERSION}`, true);
  if (checksum(json!) !== sum) return unreadable('its checksum is wrong: it is cut off or was changed');
  try {
    const [tab, rows] = JSON.parse(json!) as [unknown, unknown[][]];
    const events = rows.map(([number, time, itemId, event, features]) => ({
      ...{ tab, number, time, itemId, event },
      ...(features !== undefined && { features }),
    }));
    if (events.every(isEvent)) return events;
  } catch {
    // Falls through: text that is no JSON, or JSON of another shape.
  }
  return unreadable('it does not hold events');
}

export function isEvent(value: unknown): value is StoredEvent {
  const { tab, number, time, itemId, event, features } = (value ?? {}) as Record<keyof StoredEvent, unknown>;
  const texts = [tab, itemId, event].every((text) => typeof text === 'string' && text !== '');
  return texts && Number.isInteger(number) && Number.isFinite(time) && (features === undefined || isFeatures(features));
}

/** By time; of one time, those of the older page come first. */
export function inOrder(a: StoredEvent, b: StoredEvent): number {
  return a.time - b.time || (a.tab === b.tab ? a.number - b.number : a.tab < b.tab ? -1 : 1);
}

const isFeatures = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).every((feature) => typeof feature === 'number' || typeof feature === 'string');

/** FNV-1a over UTF-16 units: finds what is torn; it is no signature. http://www.isthe.com/chongo/tech/comp/fnv/ */
function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(36);
}

/** A record as it lies in the database. */
export interface Entry {
  readonly key: string;
  /** Characters of key and value. */
  readonly size: number;
  /** Seconds since 1970 of the newest event. */
  readonly time: number;
}

/**
 * The keys of the records to delete, so that `target` characters are left at most: the oldest sessions go first and
 * whole; where only one is left, its oldest records.
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
