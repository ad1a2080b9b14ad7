import { RecommenderError } from '../errors';
import type { Collector } from './collector';
import { unreadEvents } from './columns';
import { countSupport, type Dropped, type EventLog, type FeatureColumn } from './event-log';
import { GA4_EVENTS } from './ga4';
import { LOOK_AHEAD } from './json-rows';
import type { ReadOptions } from './options';
import { sortByTime } from './sort';

/** Sessions while they are formed: rows of the file in order, and where each session starts. */
interface Draft {
  /** Row of each event. */
  rows: Int32Array;
  /** Start of each session in `rows`, and the end of the last. */
  offsets: Int32Array;
  /** Key of each session: its id, or its user. */
  keys: Int32Array;
}

/**
 * Forms sessions from collected rows: groups, orders by time, collapses and filters by the options, and numbers the items.
 *
 * @param file Name for messages.
 * @throws RecommenderError `bad-input` if nothing is left, or fewer items than `minItems`.
 */
export function buildLog(columns: Collector, options: ReadOptions, file: string): EventLog {
  const { minSupport = 1, minLength = 2, iterative = false, sessionsBy = { by: 'id' } } = options;
  let draft = group(columns);
  for (let s = 0; s < draft.keys.length; s++)
    sortByTime(draft.rows, draft.offsets[s]!, draft.offsets[s + 1]!, timeOf(columns));
  if (sessionsBy.by === 'gap') draft = cutAtGaps(draft, columns, sessionsBy.minutes * 60);
  const formed = draft.keys.length;
  const before = draft.rows.length;
  if (options.collapseRepeats) draft = collapse(draft, columns);
  const repeats = before - draft.rows.length;
  const filtered = applyMinima(draft, columns, minSupport, minLength, iterative);
  const dropped: Dropped = { badRows: columns.badRows, otherKinds: columns.otherKinds, repeats, ...filtered.dropped };
  draft = orderSessions(filtered.draft, columns);
  if (draft.keys.length === 0) throw nothingLeft(file, columns, formed, minLength, dropped);
  return finish(draft, columns, options, dropped, file);
}

function timeOf(columns: Collector): (row: number) => number {
  const { time } = columns;
  return time ? (row) => time.get(row) : () => 0;
}

/** Rows by key, in file order within each; keys in the order in which the file first names them. */
function group({ key, keys }: Collector): Draft {
  const place = new Int32Array(keys.size).fill(-1);
  const order: number[] = [];
  const counts = new Int32Array(keys.size);
  for (let row = 0; row < key.length; row++) {
    const k = key.get(row);
    if (place[k]! < 0) place[k] = order.push(k) - 1;
    counts[place[k]!]!++;
  }
  const offsets = new Int32Array(order.length + 1);
  for (let s = 0; s < order.length; s++) offsets[s + 1] = offsets[s]! + counts[s]!;
  const next = offsets.slice();
  const rows = new Int32Array(key.length);
  for (let row = 0; row < key.length; row++) rows[next[place[key.get(row)]!]!++] = row;
  return { rows, offsets, keys: Int32Array.from(order) };
}

/** A session ends where its user pauses for more than so many seconds. */
function cutAtGaps({ rows, offsets, keys }: Draft, { time }: Collector, seconds: number): Draft {
  const starts: number[] = [];
  const owners: number[] = [];
  for (let u = 0; u < keys.length; u++) {
    for (let k = offsets[u]!; k < offsets[u + 1]!; k++) {
      if (k > offsets[u]! && time!.get(rows[k]!) - time!.get(rows[k - 1]!) <= seconds) continue;
      starts.push(k);
      owners.push(keys[u]!);
    }
  }
  return { rows, offsets: Int32Array.from([...starts, rows.length]), keys: Int32Array.from(owners) };
}

/** Keeps the events for which `keep` holds, in place, and the sessions that still have at least `minLength` of them. */
function compact(draft: Draft, minLength: number, keep: (k: number, start: number) => boolean): Draft {
  const { rows, offsets, keys } = draft;
  let events = 0;
  let sessions = 0;
  for (let s = 0, from = 0; s < keys.length; s++) {
    const to = offsets[s + 1]!;
    const start = events;
    for (let k = from; k < to; k++) if (keep(k, from)) rows[events++] = rows[k]!;
    if (events - start < minLength) events = start;
    else {
      keys[sessions] = keys[s]!;
      offsets[++sessions] = events;
    }
    from = to;
  }
  return {
    rows: rows.subarray(0, events),
    offsets: offsets.subarray(0, sessions + 1),
    keys: keys.subarray(0, sessions),
  };
}

function collapse(draft: Draft, { item }: Collector): Draft {
  // `compact` overwrites rows behind the one it looks at, so the item before is remembered, not looked up.
  let previous = -1;
  const { rows } = draft;
  return compact(draft, 1, (k, start) => {
    const current = item.get(rows[k]!);
    const repeats = k > start && current === previous;
    previous = current;
    return !repeats;
  });
}

/** One pass: length, support, length, as the scripts of RSC15 and SR-GNN do; or the same until nothing changes. */
function applyMinima(
  draft: Draft,
  { item, items }: Collector,
  minSupport: number,
  minLength: number,
  iterative: boolean,
): { draft: Draft; dropped: Pick<Dropped, 'rareItems' | 'shortSessions'> } {
  const rareItems = { items: 0, events: 0 };
  const shortSessions = { sessions: 0, events: 0 };
  const dropShort = (): void => {
    const next = compact(draft, minLength, () => true);
    shortSessions.sessions += draft.keys.length - next.keys.length;
    shortSessions.events += draft.rows.length - next.rows.length;
    draft = next;
  };
  const dropRare = (): void => {
    const support = new Int32Array(items.size);
    for (const row of draft.rows) support[item.get(row)]!++;
    const { rows } = draft;
    const next = compact(draft, 0, (k) => support[item.get(rows[k]!)]! >= minSupport);
    rareItems.events += rows.length - next.rows.length;
    for (const count of support) if (count > 0 && count < minSupport) rareItems.items++;
    draft = next;
  };
  dropShort();
  if (minSupport > 1) {
    for (let events = -1; events !== draft.rows.length && (iterative || events < 0); ) {
      events = draft.rows.length;
      dropRare();
      dropShort();
    }
  }
  return { draft, dropped: { rareItems, shortSessions } };
}

/** Sessions by the time of their first event; equal times in the order in which the file first names them. */
function orderSessions({ rows, offsets, keys }: Draft, columns: Collector): Draft {
  const first = timeOf(columns);
  const order = Int32Array.from(keys, (_, s) => s);
  sortByTime(order, 0, order.length, (s) => first(rows[offsets[s]!]!));
  const sorted = { rows: new Int32Array(rows.length), offsets: new Int32Array(offsets.length), keys: keys.slice() };
  for (let k = 0; k < order.length; k++) {
    const s = order[k]!;
    const at = sorted.offsets[k]!;
    sorted.rows.set(rows.subarray(offsets[s]!, offsets[s + 1]!), at);
    sorted.offsets[k + 1] = at + offsets[s + 1]! - offsets[s]!;
    sorted.keys[k] = keys[s]!;
  }
  return sorted;
}

function finish(
  { rows, offsets, keys }: Draft,
  columns: Collector,
  options: ReadOptions,
  dropped: Dropped,
  file: string,
): EventLog {
  const index = new Int32Array(columns.items.size);
  const itemIds: string[] = [];
  const items = new Int32Array(rows.length);
  const times = new Float64Array(rows.length);
  for (let e = 0; e < rows.length; e++) {
    const code = columns.item.get(rows[e]!);
    if (index[code] === 0) index[code] = itemIds.push(columns.items.text(code));
    items[e] = index[code]!;
    if (columns.time) times[e] = columns.time.get(rows[e]!);
  }
  const { minItems = 2 } = options;
  if (itemIds.length < minItems) {
    const id = JSON.stringify(itemIds[0]);
    throw new RecommenderError(
      'bad-input',
      `${file}: only one item, ${id}, expected at least ${minItems}; there is nothing to choose between. ` +
        'Is it the right item column (--columns item=…)?',
    );
  }
  const sessions = { items, times, offsets };
  const pick = (from: { get(row: number): number }, into: Int32Array | Uint8Array): void => {
    for (let e = 0; e < rows.length; e++) into[e] = from.get(rows[e]!);
  };
  const features = new Map<string, FeatureColumn>();
  for (const { name, names, codes } of columns.features) {
    const values = new Int32Array(rows.length);
    pick(codes, values);
    features.set(name, { codes: values, names: names.texts() });
  }
  const events = columns.event && new Uint8Array(rows.length);
  if (events) pick(columns.event!, events);
  const { userIds, shared } = usersOf({ rows, offsets, keys }, columns, options);
  return {
    sessions,
    itemIds,
    sessionIds: sessionIdsOf(keys, columns, options),
    ...(userIds && { userIds }),
    ...(events && { events, eventNames: columns.kindNames() }),
    ...(features.size > 0 && { features }),
    support: countSupport(items, itemIds.length),
    report: report(columns, options, dropped, { sessions: keys.length, shared }, file),
  };
}

function sessionIdsOf(keys: Int32Array, { keys: ids }: Collector, { sessionsBy }: ReadOptions): string[] {
  if (sessionsBy?.by !== 'gap') return Array.from(keys, (key) => ids.text(key));
  const running = new Int32Array(ids.size);
  return Array.from(keys, (key) => `${ids.text(key)}:${++running[key]!}`);
}

/** The user of each session, the first that it names: who signs in during a visit has no name before. */
function usersOf({ rows, offsets, keys }: Draft, columns: Collector, options: ReadOptions) {
  const by = options.sessionsBy?.by ?? 'id';
  if (by !== 'id' || !columns.time) return { userIds: Array.from(keys, (key) => columns.keys.text(key)) };
  const { user, users } = columns;
  if (!user) return {};
  const { noUser } = options.recipe ?? {};
  const shared: string[] = [];
  const userIds = Array.from(keys, (key, s) => {
    let first = '';
    let known = -1;
    for (let e = offsets[s]!; e < offsets[s + 1]!; e++) {
      const code = user.get(rows[e]!);
      const named = code === known ? first : users!.text(code);
      const id = named === noUser ? '' : named;
      if (first === '') [first, known] = [id, code];
      if (id === '' || id === first) continue;
      shared.push(columns.keys.text(key));
      break;
    }
    return first;
  });
  return { userIds, shared };
}

function report(
  columns: Collector,
  options: ReadOptions,
  dropped: Dropped,
  { sessions, shared = [] }: { readonly sessions: number; readonly shared?: readonly string[] | undefined },
  file: string,
): EventLog['report'] {
  const warnings: string[] = [];
  if (sessions === 1) warnings.push(`${file}: only one session; a model of it can be no more than an example.`);
  const kinds = columns.kindNames();
  if (shared.length > 0)
    warnings.push(
      `${file}: sessions that name several users: ${shared.length.toLocaleString('en')}, such as ${JSON.stringify(shared[0])}. If session ids ` +
        'begin anew with each user, cut sessions by user: --sessions-by gap:30.',
    );
  for (const kind of options.events ?? [])
    if (!kinds.includes(kind)) warnings.push(`${file}: no event of kind "${kind}"; there are ${kinds.join(', ')}.`);
  const removals = options.events ? 0 : (columns.kindCounts[kinds.indexOf('remove')] ?? 0);
  if (removals > 0)
    warnings.push(
      `${file}: events of kind "remove" (${removals.toLocaleString('en')}) are read as clicks, which a page does not do; ` +
        `--events ${kinds.filter((kind) => kind !== 'remove').join(',')} leaves them out.`,
    );
  if (columns.badRows > 0)
    warnings.push(`${file}: ${columns.badRows} bad rows left out, the first: ${columns.badRowExamples[0]}.`);
  if (columns.incomplete > 0)
    warnings.push(
      `${file}: ${columns.incomplete} events of Google Analytics left out, because they have no visitor, session or item.`,
    );
  if (columns.lateColumns.size > 0)
    warnings.push(
      `${file}: left out ${[...columns.lateColumns].join(', ')}: no column of a later line or file is read that the first ` +
        `${LOOK_AHEAD.toLocaleString('en')} lines lack.`,
    );
  const unread = columns.kinds === undefined ? unreadEvents(columns.otherColumns) : undefined;
  if (unread !== undefined)
    warnings.push(
      `${file}: the column "${unread}" is not read, so that views, carts and purchases count alike; ` +
        `if it has the kinds of events, ${options.recipe ? 'name it event in the file' : `add event=${unread} to --columns`}.`,
    );
  return {
    rows: columns.rows,
    badRows: columns.badRows,
    badRowExamples: columns.badRowExamples,
    ...(columns.times.unit && columns.time && { timeUnit: columns.times.unit }),
    eventKinds: kinds.map((name, kind) => ({ name, events: columns.kindCounts[kind] ?? 0 })),
    otherColumns: columns.otherColumns,
    dropped,
    warnings,
  };
}

function nothingLeft(
  file: string,
  columns: Collector,
  sessions: number,
  minLength: number,
  dropped: Dropped,
): RecommenderError {
  const kept = columns.key.length;
  if (columns.rows === 0) {
    return new RecommenderError('bad-input', `${file}: no events, only a header; expected at least one row below it.`);
  }
  if (kept === 0) {
    const kinds = columns.kindNames().join(', ');
    const why =
      kinds !== '' && dropped.otherKinds > 0
        ? `no event of the kinds asked for; there are ${kinds} (--events)`
        : columns.incomplete > 0
          ? 'no event of Google Analytics has a visitor (user_pseudo_id), a session (ga_session_id) and an item ' +
            `(items.item_id), ${columns.incomplete} lack one; visits without consent have no visitor`
          : dropped.otherKinds > 0
            ? `no event of Google Analytics that names items; expected ${GA4_EVENTS}, got ${dropped.otherKinds} of other kinds`
            : `all ${columns.rows} rows are bad`;
    return new RecommenderError('bad-input', `${file}: ${why}.`);
  }
  const rare = dropped.rareItems.events > 0 ? ` after leaving out ${dropped.rareItems.items} rare items` : '';
  return new RecommenderError(
    'bad-input',
    `${file}: no session with at least ${minLength} events${rare}, expected one or more; ` +
      `got ${sessions} sessions with ${kept} events. Is it the right session column (--columns session=…), ` +
      'or does it need --sessions-by gap:MINUTES?',
  );
}
