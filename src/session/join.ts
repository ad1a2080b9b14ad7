import { countSupport, type EventLog, type FeatureColumn, selectSessions, sessionCount } from './event-log';

/**
 * Two logs as one, with sessions in the order of their first events. Sessions of equal ids stay apart. A column that only one of them
 * has is empty in the other, kinds of events too; users are named only if both name them.
 */
export function joinLogs(a: EventLog, b: EventLog): EventLog {
  const indexOf = new Map(a.itemIds.map((id, k) => [id, k + 1]));
  const itemIds = [...a.itemIds];
  const index = Int32Array.from([0, ...b.itemIds.map((id) => indexOf.get(id) ?? itemIds.push(id))]);
  const items = joined(
    Int32Array,
    a.sessions.items,
    b.sessions.items.map((item) => index[item]!),
  );
  const times = joined(Float64Array, a.sessions.times, b.sessions.times);
  const shifted = b.sessions.offsets.subarray(1).map((offset) => offset + a.sessions.items.length);
  const offsets = joined(Int32Array, a.sessions.offsets, shifted);
  const names = new Set([...(a.features?.keys() ?? []), ...(b.features?.keys() ?? [])]);
  const { events: _, eventNames: __, userIds: ___, ...rest } = a;
  const log: EventLog = {
    ...rest,
    sessions: { items, times, offsets },
    itemIds,
    sessionIds: [...a.sessionIds, ...b.sessionIds],
    ...(a.userIds && b.userIds && { userIds: [...a.userIds, ...b.userIds] }),
    ...joinedKinds(a, b),
    ...(names.size > 0 && { features: new Map([...names].map((name) => [name, joinedColumn(name, a, b)])) }),
    support: countSupport(items, itemIds.length),
  };
  const startOf = (s: number): number => times[offsets[s]!]!;
  const order = Array.from({ length: sessionCount(log) }, (_, s) => s).sort((s, t) => startOf(s) - startOf(t));
  return selectSessions(log, order);
}

/**
 * Indices of the sessions of `b` that `a` does not have, with equal ids, items and times. Items that `a` lacks do not count: they may
 * have been too rare for it.
 */
export function sessionsNotIn(a: EventLog, b: EventLog): number[] {
  const candidates = new Set(b.sessionIds);
  const knownItems = new Set(a.itemIds);
  const contentOf = ({ sessions: { items, offsets, times }, itemIds, sessionIds }: EventLog, s: number): string => {
    const events: [id: string, time: number][] = [];
    for (let e = offsets[s]!; e < offsets[s + 1]!; e++) {
      const id = itemIds[items[e]! - 1]!;
      if (knownItems.has(id)) events.push([id, times[e]!]);
    }
    return JSON.stringify([sessionIds[s], events]);
  };
  const known = new Set<string>();
  a.sessionIds.forEach((id, s) => {
    if (candidates.has(id)) known.add(contentOf(a, s));
  });
  return [...b.sessionIds.keys()].filter((s) => !known.has(contentOf(b, s)));
}

function joinedKinds(a: EventLog, b: EventLog): Pick<EventLog, 'events' | 'eventNames'> {
  if (!a.events && !b.events) return {};
  const [first, second] = [a, b].map(({ events, eventNames, sessions }) => ({
    events: events ?? new Uint8Array(sessions.items.length),
    kinds: eventNames ?? [''],
  })) as [Kinds, Kinds];
  const eventNames = [...new Set([...first.kinds, ...second.kinds])];
  const renamed = second.events.map((kind) => eventNames.indexOf(second.kinds[kind]!));
  return { events: joined(Uint8Array, first.events, renamed), eventNames };
}

interface Kinds {
  readonly events: Uint8Array;
  readonly kinds: readonly string[];
}

function joinedColumn(name: string, ...logs: readonly [EventLog, EventLog]): FeatureColumn {
  const [first, second] = logs.map(({ features, sessions }): FeatureColumn => {
    const empty = { codes: new Int32Array(sessions.items.length), names: [''] };
    return features?.get(name) ?? empty;
  }) as [FeatureColumn, FeatureColumn];
  const codeOf = new Map(first.names.map((text, code) => [text, code]));
  const names = [...first.names];
  const code = second.names.map((text) => codeOf.get(text) ?? names.push(text) - 1);
  return {
    codes: joined(
      Int32Array,
      first.codes,
      second.codes.map((c) => code[c]!),
    ),
    names,
  };
}

function joined<T extends Int32Array | Float64Array | Uint8Array>(Type: new (length: number) => T, a: T, b: T): T {
  const both = new Type(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
