/**
 * How soon the suggestions of a document came, counted from its navigation; and what the documents of one tab hand on where each page is
 * one: these times, and which tab of the panel was open. It is in the tab's session storage, which ends with it.
 */

/** Milliseconds since the navigation began. */
export interface Start {
  /** The document was there. */
  readonly document: number;
  /** The shop's script ran. */
  readonly script: number;
  /** The first suggestions of the page were there; absent until then. */
  readonly suggestions: number | undefined;
  /** When those of the documents before came, the newest last. */
  readonly earlier: readonly number[];
}

const STARTS = 'aisle-demo-starts';
const TAB = 'aisle-demo-panel';
const MOST = 10;

/**
 * @param hasDocuments Whether each page of the shop is one.
 * @param changed Called when the first suggestions are there.
 */
export function watchStart(hasDocuments: boolean, changed: () => void): Start {
  const script = performance.now();
  const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  const earlier = hasDocuments ? numbers(read(STARTS)) : [];
  let suggestions: number | undefined;
  document.addEventListener('aisle-recommendations', function note(event) {
    const { items } = (event as CustomEvent<{ readonly items: readonly unknown[] }>).detail;
    if (items.length === 0) return;
    suggestions = performance.now();
    document.removeEventListener('aisle-recommendations', note);
    if (hasDocuments) write(STARTS, JSON.stringify([...earlier, Math.round(suggestions)].slice(-MOST)));
    changed();
  });
  return {
    document: navigation?.responseEnd ?? 0,
    script,
    earlier,
    get suggestions() {
      return suggestions;
    },
  };
}

/** The tab of the panel that was open in the document before. */
export const tabBefore = (): number | undefined => numbers(read(TAB))[0];

/** Hands the open tab on to the next document. */
export function handTabOn(tab: () => number | undefined): void {
  addEventListener('pagehide', () => write(TAB, JSON.stringify([tab()])));
}

function read(key: string): unknown {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? '[]');
  } catch {
    return []; // a page without storage, or a text of somebody else
  }
}

function write(key: string, value: string): void {
  try {
    sessionStorage.setItem(key, value);
  } catch {
    // A page without storage hands nothing on.
  }
}

const numbers = (value: unknown): number[] =>
  Array.isArray(value) ? value.filter((one): one is number => typeof one === 'number') : [];
