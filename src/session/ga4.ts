/**
 * The BigQuery export of Google Analytics 4: a row is an event, with lists of its parameters and of its items.
 *
 * @see https://support.google.com/analytics/answer/7029846
 */
import type { Collector } from './collector';
import { COLUMNS } from './options';

/** Columns that every row has, except those of a visitor who did not consent. */
const NEEDED = ['event_name', 'event_timestamp', 'event_params', 'items'];
/** What is read of a row. */
export const GA4_COLUMNS = [...NEEDED, 'user_pseudo_id'];
/** What a row becomes. */
export const GA4_NAMES = [COLUMNS.session, COLUMNS.item, COLUMNS.time, COLUMNS.user, COLUMNS.event];
/** The kinds of events that name items one by one, and our words for them; lists and promotions are no clicks. */
const KINDS: Readonly<Record<string, string>> = {
  view_item: 'view',
  add_to_cart: 'cart',
  remove_from_cart: 'remove',
  purchase: 'purchase',
};

export const GA4_EVENTS = Object.keys(KINDS).join(', ');

export const isGa4 = (names: readonly string[]): boolean => NEEDED.every((name) => names.includes(name));

type Fields = Readonly<Record<string, unknown>>;
export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Adds an event for each item of the row; a row of another kind is counted only. */
export function addGa4Row(collector: Collector, row: Fields, line: number): void {
  collector.rows++;
  const { event_name: name, event_timestamp: microseconds, user_pseudo_id: user, event_params: params, items } = row;
  if (typeof name !== 'string' || !Object.hasOwn(KINDS, name)) {
    collector.otherKinds++;
    return;
  }
  const seconds = Number(microseconds ?? Number.NaN) / 1e6;
  if (!(seconds >= 0)) {
    const got = typeof microseconds === 'object' ? 'nothing' : `${microseconds ?? 'nothing'}`;
    collector.bad(line, 'event_timestamp is no time', `expected microseconds since 1970, got ${got}`);
    return;
  }
  const session = idOf(parameterOf(params, 'ga_session_id'));
  const ids = listOf(items).map((item) => idOf(item['item_id']));
  if (ids.length === 0) ids.push('');
  for (const item of ids) {
    const visitor = idOf(user);
    if (visitor === '' || session === '' || item === '') collector.incomplete++;
    else collector.addEvent(`${visitor}.${session}`, item, seconds, visitor, KINDS[name]!, line);
  }
}

const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isFields) : []);

function parameterOf(params: unknown, key: string): unknown {
  const value = listOf(params).find((param) => param['key'] === key)?.['value'];
  return isFields(value) ? (value['int_value'] ?? value['string_value']) : undefined;
}

/** An id as text; empty where there is none, which Google Analytics writes as `(not set)`. */
function idOf(value: unknown): string {
  const text = typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? String(value) : '';
  return text === '(not set)' ? '' : text;
}
