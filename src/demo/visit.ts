/**
 * The visit: the embed of the page, driven as any shop would drive it, by its queue of commands; and what the shop shows of
 * it. A recommender's options are fixed, so a switch of the backend or the history starts another one, which gets to know
 * what the first knew.
 */
import type {
  BackendChoice,
  BackendName,
  CatalogueItem,
  HistoryChoice,
  PrivacyExport,
  RankedItem,
  Reason,
  RecommenderEvents,
  Status,
} from '../index';
import { type Shop, suggested } from './shop';

/** Minutes without a click after which a session ends. */
export const SESSION_GAP = 30;
/** So many answers are remembered for the panel. */
const ANSWERS = 60;

/** One answer of the engine. */
export interface Answer {
  readonly reason: Reason | undefined;
  readonly items: number;
  /** Time of the inference inside the engine. */
  readonly milliseconds: number;
  readonly backend: BackendName | undefined;
}

export interface VisitOptions {
  readonly backend: BackendChoice;
  readonly history: HistoryChoice;
}

export interface Visit {
  readonly options: VisitOptions;
  /** Ids of the running session, oldest first. */
  readonly session: readonly string[];
  readonly status: Status | undefined;
  /** A sentence where the model could not be loaded. */
  readonly failure: string | undefined;
  /** Bytes of the model loaded so far; 0 before the first and after the last. */
  readonly loading: number;
  /** The newest last. */
  readonly answers: readonly Answer[];
  track(id: string, event?: 'view' | 'cart' | 'purchase'): void;
  /** All that is known of the visitor, of earlier visits and other tabs too; undefined while nothing has started. */
  known(): Promise<PrivacyExport | undefined>;
  /** Keeps this visit and later ones on the device, or erases them and stops. */
  keep(isKept: boolean): Promise<void>;
  /** Erases everything that is known of the visitor, in every tab. */
  forget(): Promise<void>;
  /** What the shop suggests for this visit, best first, without the product that was looked at last. */
  suggestions(k: number): Promise<readonly RankedItem[]>;
  /** The products related to this one, best first: computed again, unless this was asked last. */
  related(id: string, k: number): Promise<readonly RankedItem[]>;
  /** Learns what is new. */
  learn(): Promise<unknown>;
  /** Forgets what was learnt; the visit stays. */
  unlearn(): Promise<void>;
  /** Goes on with another recommender, which knows the same visit, on the model that the shop now runs on. */
  restart(options?: Partial<VisitOptions>): Promise<void>;
}

/** @param changed Called after every change of what a `Visit` shows. */
export function startVisit(shop: Shop, initial: VisitOptions, changed: () => void): Visit {
  window.aisle ??= [];
  const { aisle } = window;
  let options = initial;
  let session: readonly string[] = [];
  let lastLook = 0;
  let failure: string | undefined;
  let answers: readonly Answer[] = [];
  let { model } = shop;
  const loaded = new Map<string, number>();

  const hasEnded = (): boolean => Date.now() - lastLook > SESSION_GAP * 60_000;

  /** The running session as it is known: of the page before this one, or of another tab. */
  async function resume(): Promise<void> {
    const { sessions } = (await aisle.recommender?.privacy.export()) ?? { sessions: [] };
    const last = sessions.at(-1) ?? [];
    const lastTime = Date.parse(last.at(-1)?.time ?? '');
    if (!(Date.now() - lastTime <= SESSION_GAP * 60_000)) return;
    session = last.filter(({ event }) => event === 'view').map(({ itemId }) => itemId);
    lastLook = lastTime;
    changed();
  }

  const on = <E extends keyof RecommenderEvents>(event: E, listener: (detail: RecommenderEvents[E]) => void): void =>
    void aisle.push(['on', event, listener]);

  function start(consent: 'granted' | 'denied' | 'manual'): void {
    failure = undefined;
    loaded.clear();
    if (model !== shop.model) answers = []; // their times are another model's
    model = shop.model;
    const { modelUrl } = model;
    const product = ({ id }: CatalogueItem) => suggested(shop, id);
    aisle.push(['start', { modelUrl, consent, ...options, track: 'manual', sessionGap: SESSION_GAP, product }]);
    let storage: Status['storage'] = 'memory';
    on('status', (status) => {
      if (status.storage === 'indexeddb' && storage !== 'indexeddb') resume().catch(ignore);
      storage = status.storage;
      changed();
    });
    on('ready', () => {
      loaded.clear();
      changed();
    });
    on('progress', (progress) => {
      if (progress.stage !== 'download') return;
      loaded.set(progress.file, progress.loaded);
      changed();
    });
    on('recommendations', ({ items, milliseconds }) => {
      if (items.length === 0) return; // nothing was looked at yet
      const backend = aisle.recommender?.status.engine?.backend;
      answers = [...answers, { reason: items[0]?.reason, items: items.length, milliseconds, backend }].slice(-ANSWERS);
      changed();
    });
    on('erased', () => {
      session = []; // by another tab, perhaps; the slots ask again by themselves
      changed();
    });
    on('error', (error) => {
      failure = error.message;
      changed();
    });
  }

  start(keepsVisits() ? 'granted' : 'manual');

  return {
    get options() {
      return options;
    },
    get session() {
      return hasEnded() ? [] : session;
    },
    get status() {
      return aisle.recommender?.status;
    },
    get failure() {
      return failure;
    },
    get loading() {
      return [...loaded.values()].reduce((sum, bytes) => sum + bytes, 0);
    },
    get answers() {
      return answers;
    },
    track(id, event = 'view') {
      if (event === 'view') session = [...(hasEnded() ? [] : session), id];
      lastLook = Date.now();
      aisle.push(['track', { itemId: id, event }]);
      changed();
    },
    known: async () => aisle.recommender?.privacy.export(),
    async keep(isKept) {
      rememberChoice(isKept);
      aisle.push(['consent', isKept ? 'granted' : 'denied']);
      changed();
    },
    async forget() {
      aisle.push(['erase']);
      changed();
    },
    suggestions: async (k) => (await aisle.recommender?.recommend({ k, exclude: session.slice(-1) })) ?? [],
    related: async (item, k) => (await (await aisle.ready)?.recommend({ k, strategy: 'related', item })) ?? [],
    learn: async () => aisle.recommender?.fineTune(),
    unlearn: async () => aisle.recommender?.taste.forget(),
    async restart(change = {}) {
      options = { ...options, ...change };
      const known = await aisle.recommender?.privacy.export();
      const consent = known?.consent ?? 'unknown';
      start(consent === 'unknown' ? 'manual' : consent);
      // What is stored, or waits to be, the next one reads from there.
      if (known?.storage === 'memory') {
        for (const { itemId, event, time } of known.sessions.flat()) {
          aisle.push(['track', { itemId, event, time: Date.parse(time) }]);
        }
      }
      changed();
    },
  };
}

/** `status` reports what could not be read. */
function ignore(): void {}

/** Key of the visitor's answer to "keep my visits on this device". The shop remembers it, because the library does not. */
const KEEP_KEY = 'aisle-demo-keep';

function keepsVisits(): boolean {
  try {
    return localStorage.getItem(KEEP_KEY) === 'yes';
  } catch {
    return false; // a page without storage
  }
}

/** A refusal stores nothing. */
function rememberChoice(isKept: boolean): void {
  try {
    if (isKept) localStorage.setItem(KEEP_KEY, 'yes');
    else localStorage.removeItem(KEEP_KEY);
  } catch {
    // The next page asks again.
  }
}
