/**
 * Which items of the model the visitor's events are of. Events are stored under what the page said; this reads them under the
 * ids that the loaded model knows, and counts in `status.ids` how many those are.
 */
import { stringify } from '../captured';
import type { Engine } from '../engine/types';
import type { VisitorHistory } from '../session/visitor-history';
import type { StoredEvent } from '../store/records';
import type { Candidate } from '../types';
import type { DegradationCode, Status } from './types';

/** Unknown ids from which `status.degraded` has an entry, and most examples in `status.ids`. */
const EXAMPLES = 5;

interface IdentityParts {
  readonly engine: Pick<Engine, 'resolve' | 'foreignIds'>;
  /** All events, and the running session as `read` gives it. */
  readonly history: Pick<VisitorHistory<StoredEvent>, 'events' | 'sessions'>;
  readonly status: () => Status;
  readonly update: (change: Pick<Status, 'ids'>) => void;
  readonly degrade: (code: DegradationCode, message: string) => void;
  readonly mend: (code: DegradationCode) => void;
}

export function createIdentity({ engine, history, status, update, degrade, mend }: IdentityParts) {
  /** The item of each event that the model was asked about, as it came and as `read` gives it; null where it knows none. */
  let items = new WeakMap<StoredEvent, string | null>();
  /** The answers of the loaded model, which become `items` once it has given all: until then, those of the model before count. */
  let answers = items;
  let isReported = false;
  /** Number of counts so far: one that was overtaken by the next says nothing. */
  let turn = 0;

  /** Asks the model about the events that it was not asked about yet, and counts. Call it when the model is loaded. */
  async function settle(): Promise<void> {
    const asked = answers;
    const events = history.events().filter((event) => !asked.has(event));
    if (events.length > 0) {
      const found = await engine.resolve(events.map(candidatesOf));
      events.forEach((event, k) => void asked.set(event, found[k] ?? null));
      if (asked !== answers) return settle(); // another model was loaded meanwhile
    }
    items = asked;
    await count();
  }

  async function count(): Promise<void> {
    const known = new Set<string>();
    const unknown = new Map<string, StoredEvent>();
    for (const event of history.sessions().at(-1) ?? []) {
      const item = items.get(event);
      if (item === null) unknown.set(event.itemId, event);
      else if (item !== undefined) known.add(item);
    }
    const mine = ++turn;
    const examples = [...unknown.keys()].slice(0, EXAMPLES);
    let next: Status['ids'] = { known: known.size, unknown: unknown.size, examples };
    const isMany = unknown.size >= EXAMPLES;
    const [first] = unknown;
    if (first && (isMany ? !isReported : known.size === 0)) {
      const [id, event] = first;
      const kind = event.candidates?.[0]?.kind;
      const tracked = known.size + unknown.size;
      const why = await engine.foreignIds({ id, kind, tracked, known: known.size });
      if (mine !== turn) return; // counted again meanwhile, perhaps after an erasure
      if (isMany) {
        isReported = true;
        degrade('unknown-ids', why);
      } else next = { ...next, why };
    }
    if (stringify(next) !== stringify(status().ids)) update({ ids: next });
  }

  /**
   * The events under the ids that the model knows, each page view as one. Of the reports of a page view, a later one completes
   * the one before; two products that the page itself named, one after the other, are two views.
   */
  function read(events: readonly StoredEvent[]): readonly StoredEvent[] {
    const shown: StoredEvent[] = [];
    const views = new Map<string, { at: number; word: string | undefined }>();
    for (const event of events) {
      const item = items.get(event);
      const next = named(event, item);
      const { tab, pageView, event: kind, candidates } = event;
      if (pageView === undefined || kind !== 'view') {
        shown.push(next);
        continue;
      }
      const key = stringify([tab, pageView]);
      const word = candidates?.find(({ kind }) => kind === 'item_id')?.id;
      const view = views.get(key);
      const before = shown[view?.at ?? -1];
      if (view === undefined || before === undefined) {
        views.set(key, { at: shown.push(next) - 1, word });
        continue;
      }
      const isOther = word !== undefined && view.word !== undefined && word !== view.word;
      if (isOther && next.itemId !== before.itemId) views.set(key, { at: shown.push(next) - 1, word });
      else if (item != null || items.get(before) == null) {
        shown[view.at] = named({ ...before, ...next, time: before.time, number: before.number }, item);
        view.word = word;
      }
    }
    return shown;
  }

  function named(event: StoredEvent, item: string | null | undefined): StoredEvent {
    const next = item == null || item === event.itemId ? event : { ...event, itemId: item };
    if (item !== undefined) items.set(next, item);
    return next;
  }

  return {
    settle,
    read,
    /** Another model is loaded, or another catalogue. */
    changed(): void {
      answers = new WeakMap();
      isReported = false;
      mend('unknown-ids');
    },
  };
}

const candidatesOf = ({ itemId, candidates }: StoredEvent): readonly Candidate[] =>
  candidates ?? [{ id: itemId, kind: 'item_id', source: 'track' }];
