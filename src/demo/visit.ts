/** The visit: what was looked at, and the recommender that reads it. In memory, and on the device if the visitor wants. */
import { createRecommender, type Recommender, type Status } from '../recommender';
import type { PrivacyExport } from '../recommender/privacy';
import { causes } from './because';
import { keepsVisits, rememberChoice } from './choice';
import type { Shop } from './shop';

/** Minutes without a click after which a session ends: the recommender's default. */
const SESSION_GAP = 30;

/** One row of suggestions, with what may truthfully be said of it. */
export interface Suggestions {
  readonly items: readonly { readonly id: string; readonly reason: string }[];
  /** Ids that the items were computed from, newest first; empty for plain popularity. */
  readonly because: readonly string[];
  readonly milliseconds: number;
}

export interface Visit {
  /** Ids looked at, oldest first. */
  readonly looked: readonly string[];
  /** Ids put into the basket, in that order. */
  readonly basket: readonly string[];
  readonly status: Status | undefined;
  /** A sentence where the model could not be loaded. */
  readonly failure: string | undefined;
  /** Bytes of the model loaded so far; 0 before the first and after the last. */
  readonly loading: number;
  look(id: string): void;
  putIntoBasket(id: string): void;
  takeFromBasket(id: string): void;
  /** Suggestions for now. A newer call ends an older one, which then resolves to undefined. */
  suggest(k: number, exclude: readonly string[]): Promise<Suggestions | undefined>;
  /** All that is known of the visitor, of earlier visits and other tabs too. */
  known(): Promise<PrivacyExport>;
  /** Whether visits are kept on this device. */
  readonly isKept: boolean;
  /** Keeps this visit and later ones on the device, or erases them and stops. */
  keep(kept: boolean): Promise<void>;
  /** Erases everything that is known of the visitor, in every tab. */
  forget(): Promise<void>;
}

/**
 * @param changed Called after every change of what a `Visit` shows.
 * @param resumed Called when an earlier visit was read that goes on.
 */
export function startVisit(shop: Shop, changed: () => void, resumed: () => void): Visit {
  let looked: string[] = [];
  let session: string[] = []; // what of `looked` belongs to the running session
  let lastLook = 0;
  let basket: string[] = [];
  let failure: string | undefined;
  let milliseconds = 0;
  let running = new AbortController();
  const loaded = new Map<string, number>();
  let current: Recommender | undefined;
  /** The running session as stored: of the page before this one, or of another tab. */
  async function resume(opened: Recommender): Promise<void> {
    const { sessions } = await opened.privacy.export();
    const last = sessions.at(-1) ?? [];
    const lastTime = Date.parse(last.at(-1)?.time ?? '');
    if (!(Date.now() - lastTime <= SESSION_GAP * 60_000)) return;
    const before = looked.length;
    looked = last.filter(({ event }) => event === 'view').map(({ itemId }) => itemId);
    session = looked;
    lastLook = lastTime;
    if (looked.length > before) resumed();
  }

  function open(): Promise<Recommender> {
    const consent = keepsVisits() ? 'granted' : 'manual';
    return createRecommender({ modelUrl: shop.modelUrl, consent }).then((opened) => {
      let storage = opened.status.storage;
      opened.on('status', (status) => {
        if (status.storage === 'indexeddb' && storage !== 'indexeddb') resume(opened).catch(ignore);
        storage = status.storage;
        changed();
      });
      opened.on('ready', () => {
        loaded.clear();
        changed();
      });
      opened.on('progress', (progress) => {
        if (progress.stage !== 'download') return;
        loaded.set(progress.file, progress.loaded);
        changed();
      });
      opened.on('recommendations', (answer) => {
        milliseconds = answer.milliseconds;
      });
      opened.on('error', (error) => {
        failure = error.message;
        changed();
      });
      current = opened;
      return opened;
    });
  }

  function clear(): void {
    running.abort();
    looked = [];
    session = [];
    basket = [];
    changed();
  }

  const recommender = open();

  return {
    get looked() {
      return looked;
    },
    get basket() {
      return basket;
    },
    get status() {
      return current?.status;
    },
    get failure() {
      return failure;
    },
    get loading() {
      return [...loaded.values()].reduce((sum, bytes) => sum + bytes, 0);
    },
    look(id) {
      const now = Date.now();
      session = [...(now - lastLook > SESSION_GAP * 60_000 ? [] : session), id];
      lastLook = now;
      looked = [...looked, id];
      recommender.then((opened) => opened.track(id), ignore);
      changed();
    },
    putIntoBasket(id) {
      basket = [...basket, id];
      recommender.then((opened) => opened.track({ itemId: id, event: 'cart' }), ignore);
      changed();
    },
    takeFromBasket(id) {
      const last = basket.lastIndexOf(id);
      basket = basket.filter((_, i) => i !== last);
      changed();
    },
    async suggest(k, exclude) {
      running.abort();
      running = new AbortController();
      const { signal } = running;
      try {
        const opened = await recommender;
        const items = await opened.recommend({ k, exclude, signal });
        if (signal.aborted) return undefined;
        failure = undefined;
        const known = session.filter((id) => shop.known.has(id));
        const architecture = opened.status.model?.architecture ?? '';
        return {
          items: items.map(({ itemId, reason }) => ({ id: itemId, reason })),
          because: causes(architecture, known, items[0]?.reason),
          milliseconds,
        };
      } catch (error) {
        if (signal.aborted) return undefined;
        throw error;
      }
    },
    async known() {
      return (await recommender).privacy.export();
    },
    get isKept() {
      return current?.status.consent === 'granted';
    },
    async keep(kept) {
      rememberChoice(kept);
      if (!kept) clear();
      await (await recommender).privacy.consent(kept ? 'granted' : 'denied');
      changed();
    },
    async forget() {
      clear();
      await (await recommender).privacy.erase();
    },
  };
}

/** A recommender that cannot start reports it by `suggest`; a click that it misses is no second error. */
function ignore(): void {}
