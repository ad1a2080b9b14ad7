/**
 * Whether events may be stored on the device. Recommending from memory needs nobody's leave; writing to the device does.
 *
 * With `auto` several sources may be heard, and the strictest of them counts: one "no" is a no; one that is there and has
 * not answered yet means "not yet"; otherwise one "yes" is enough. One that is not there has no say. What each source says,
 * and when, is in `consent-mode.ts` and `consent-tcf.ts`, which are loaded where a page has such a source.
 */
import type { ConsentReader } from './consent-sources';
import { watchPage } from './page-watch';
import type { Consent, ConsentOption, ConsentReport, ConsentSource, ConsentWord, ConsentWords } from './types';

export interface ConsentParts {
  readonly consent: ConsentOption;
  /** Name of the global that holds the page's data layer. */
  readonly dataLayer: string;
  /**
   * Told what all the words come to, after each of them.
   *
   * @param isNews Whether something is to be done: that has changed, or the page has answered once more.
   */
  readonly decide: (consent: Consent, words: ConsentWords, isNews: boolean) => Promise<void>;
  /** The readers of the sources could not be loaded; undefined when they are. */
  readonly onUnread: (error: unknown) => void;
}

/**
 * Hears the words and weighs them.
 *
 * @returns `hear` takes the word of a source, and settles when what follows from it is done.
 */
export function createConsent({ consent, dataLayer, decide, onUnread }: ConsentParts) {
  const words: Partial<Record<ConsentSource, ConsentWord>> = {};
  if (hasPrivacyControl()) words['privacy-control'] = 'denied';
  else if (consent === 'granted' || consent === 'denied') words.page = consent;
  let told: Consent | undefined;
  /** Whether there is a source whose reader has still to be loaded: what it will say is waited for. */
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
    const isNews = isAnswer || next !== told;
    told = next;
    await decide(next, { ...words }, isNews);
  }

  function lookAgain(): void {
    reader?.look();
    if (look()) settle().catch(() => {}); // told by `status`
  }

  /** @returns Whether there is a source that was not there before. Its reader is loaded, again where that has failed. */
  function look(): boolean {
    if (!isReader || isLoading || isClosed || !hasSource(dataLayer)) return false;
    const isNews = !isUnread;
    isUnread = true;
    isLoading = true;
    import('./consent-sources')
      .then(({ readConsent }) => {
        if (isClosed) return;
        reader = readConsent(dataLayer, (...report) => void hear(...report).catch(() => {})); // told by `status`
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
    /** What the options come to, and a source that is there already. */
    start(): Promise<void> {
      look();
      return settle();
    },
    /** To be called before anything is stored or answered: whether the page has a source by now. */
    lookAgain,
    /** Another tab has ended the storing. */
    withdrawn(consent: 'denied' | 'unknown'): ConsentWords {
      words['other-tab'] = consent === 'denied' ? 'denied' : 'waiting';
      told = consent;
      return { ...words };
    },
    close(): void {
      isClosed = true;
      unwatch?.();
      reader?.stop();
    },
  };
}

/** Whether the page has a consent platform: what is loaded only then knows which. */
function hasSource(dataLayer: string): boolean {
  try {
    const page = globalThis as unknown as Record<string, unknown>;
    if (typeof page['__tcfapi'] === 'function') return true;
    return (page[dataLayer] as readonly unknown[]).some(
      (entry) => (entry as ArrayLike<unknown> | null)?.[0] === 'consent',
    );
  } catch {
    return false; // no data layer, or one that is none
  }
}

/** The visitor's own word, in the browser's settings. https://www.w3.org/TR/gpc/#javascript-property-to-detect-preference */
function hasPrivacyControl(): boolean {
  try {
    return (globalThis.navigator as { globalPrivacyControl?: unknown } | undefined)?.globalPrivacyControl === true;
  } catch {
    return false;
  }
}
