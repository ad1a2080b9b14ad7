/**
 * Whether events may be stored on the device. Recommending from memory needs no consent; writing to the device does.
 *
 * With `auto` there may be several sources, and the strictest counts. One denial denies. A source that has not answered yet means
 * "not yet". Otherwise one consent is enough. An absent source does not count. `consent-mode.ts`, `consent-tcf.ts` and
 * `consent-shopify.ts` read the sources; a page loads them if it has such a source.
 */
import { quiet } from '../errors';
import { loaded } from '../loaded';
import type { ConsentReader } from './consent-sources';
import type { ConsentReport } from './parts';
import type { Consent, ConsentOption, ConsentSource, ConsentWord, ConsentWords } from './privacy-types';

/** Milliseconds between two calls at first, and their number: one minute. */
const EVERY = 500;
const TIMES = 120;

export interface ConsentParts {
  readonly consent: ConsentOption;
  /** Name of the global that holds the page's data layer. */
  readonly dataLayer: string;
  /**
   * Called with the combined consent after each answer of a source.
   *
   * @param isNews Whether to act: the consent has changed, or the page has answered again.
   */
  readonly decide: (consent: Consent, words: ConsentWords, isNews: boolean) => Promise<void>;
  /** The types of Consent Mode that count, separated by `|`, where the shop names them. */
  readonly consentMap?: string | undefined;
  /** Called with the error if the readers of the sources cannot be loaded, and with undefined when they are. */
  readonly onUnread: (error: unknown) => void;
  /** Called with a sentence about types of Consent Mode that are granted and do not count, where nothing else answers. */
  readonly onIgnored: (message: string) => void;
}

/**
 * Combines the answers of the sources.
 *
 * @returns `hear` takes the answer of a source, and settles when its consequences are done.
 */
export function createConsent({ consent, decide, onUnread, onIgnored, ...places }: ConsentParts) {
  const words: Partial<Record<ConsentSource, ConsentWord>> = {};
  if (hasPrivacyControl()) words['privacy-control'] = 'denied';
  else if (consent === 'granted' || consent === 'denied') words.page = consent;
  let decided: Consent | undefined;
  let ignored: string | undefined;
  /** Whether there is a source whose reader has still to be loaded, so that its answer is awaited. */
  let isUnread = false;
  let isLoading = false;
  let isClosed = false;
  let reader: ConsentReader | undefined;
  const isReader = consent === 'auto' && !hasPrivacyControl();
  const unwatch = isReader ? watchPage(lookAgain) : undefined;

  function hear(...[source, word, isNew]: Parameters<ConsentReport>): Promise<void> {
    if (word === undefined) delete words[source];
    else words[source] = word;
    if (isNew && word === 'granted') delete words['other-tab'];
    look();
    return settle(source === 'page');
  }

  async function settle(isAnswer = false): Promise<void> {
    const all = new Set(Object.values(words));
    if (isUnread) all.add('waiting');
    const strictest = (['denied', 'waiting', 'granted'] as const).find((word) => all.has(word)) ?? 'waiting';
    const next = strictest === 'waiting' ? 'unknown' : strictest;
    if (isClosed) return;
    const isNews = isAnswer || next !== decided;
    decided = next;
    const deciding = decide(next, { ...words }, isNews);
    const isAsking = isUnread || words.tcf === 'waiting' || words.shopify === 'waiting';
    if (ignored && next === 'unknown' && !isAsking) onIgnored(ignored);
    await deciding;
  }

  function lookAgain(): void {
    reader?.look();
    if (look()) quiet(settle); // `status` reports it
  }

  /** Loads the reader of a new source, again after a failure. @returns Whether there is a new source. */
  function look(): boolean {
    if (!isReader || isLoading || isClosed || !hasSource(places.dataLayer)) return false;
    const isNews = !isUnread;
    isUnread = true;
    isLoading = true;
    loaded(import('./consent-sources'))
      .then(({ readConsent }) => {
        if (isClosed) return;
        const onReport: ConsentReport = (...report) => void quiet(() => hear(...report)); // `status` reports it
        reader = readConsent(places, onReport, (message) => {
          ignored = message;
          quiet(settle);
        });
        reader.look();
        isUnread = false;
        onUnread(undefined);
        return settle();
      })
      .catch((error) => {
        isLoading = false;
        onUnread(error);
      });
    return isNews;
  }

  return {
    hear,
    /** Decides by the options and the sources that are present. */
    start(): Promise<void> {
      look();
      return settle();
    },
    /** Call it before anything is stored or recommended: the page may have a source by now. */
    lookAgain,
    /** Another tab has withdrawn consent. */
    withdrawn(consent: 'denied' | 'unknown'): ConsentWords {
      words['other-tab'] = consent === 'unknown' ? 'waiting' : consent;
      decided = consent;
      return { ...words };
    },
    close(): void {
      isClosed = true;
      unwatch?.();
      reader?.stop();
    },
  };
}

/**
 * Calls `look` every half second during the first minute. It also calls `look` after anything that may bring a consent platform
 * or an answer: a loaded script, a click, and a page that is shown or gets the focus.
 *
 * @returns Stops.
 */
function watchPage(look: () => void): () => void {
  const end = new AbortController();
  let times = 0;
  const timer = setInterval(() => {
    if (++times === TIMES) clearInterval(timer);
    look();
  }, EVERY);
  (timer as { unref?: () => void }).unref?.(); // so that Node can exit
  /** After the page's own listeners. */
  const soon = ({ type, target }: Event): void => {
    const isScript = (target as { nodeName?: unknown } | null)?.nodeName === 'SCRIPT';
    if (type !== 'load' || isScript) setTimeout(look, 0);
  };
  const { document } = globalThis as { document?: EventTarget };
  const { signal } = end;
  // The load of a script does not bubble, and does not reach the window.
  for (const type of ['load', 'click', 'visibilitychange']) {
    document?.addEventListener(type, soon, { capture: true, signal });
  }
  for (const type of ['focus', 'pageshow']) globalThis.addEventListener?.(type, soon, { signal });
  return () => {
    clearInterval(timer);
    end.abort();
  };
}

/** Whether the page has a consent platform. The code that is loaded then finds out which. */
function hasSource(dataLayer: string): boolean {
  try {
    const page = globalThis as unknown as Record<string, unknown>;
    if (typeof page['__tcfapi'] === 'function') return true;
    if ((page['Shopify'] as { customerPrivacy?: unknown } | undefined)?.customerPrivacy) return true;
    return (page[dataLayer] as readonly unknown[]).some(
      (entry) => (entry as ArrayLike<unknown> | null)?.[0] === 'consent',
    );
  } catch {
    return false; // no data layer, or not an array
  }
}

/** The visitor's choice in the browser's settings. https://www.w3.org/TR/gpc/#javascript-property-to-detect-preference */
export function hasPrivacyControl(): boolean {
  try {
    return (globalThis.navigator as { globalPrivacyControl?: unknown } | undefined)?.globalPrivacyControl === true;
  } catch {
    return false;
  }
}
