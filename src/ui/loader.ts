/**
 * The small part that a page loads at once, by `embed.ts` or `start.ts`. It holds the places of the slots, and loads the rest
 * (`page.ts`) later. Nothing that happens here or later throws into the page.
 */
import type { Recommender } from '../recommender/types';
import { defineElement, dispatchUpdate, redraw, setState } from './element';
import { node, placeholder } from './frame';
import type { startLazily } from './lazy-start';
import { applyStyles } from './sheet';
import type { Aisle, Host, Slot } from './types';

/** Marks a page in which an embed runs. */
const RUNS = Symbol.for('aisle.embed');
/** Milliseconds after which a script that has not come yet is reported. */
const STALL = 30_000;
/** Most problems that are reported. */
const MAX_REPORTED = 50;

const { problems, warn, guard } = warnings();

export { guard };

/** Reports each problem once on the console, so that nothing throws into the shop's page. */
function warnings(): Pick<Host, 'problems' | 'warn' | 'guard'> {
  const problems = new Map<string, string>();
  function warn(problem: string, error?: unknown, level: 'warn' | 'info' = 'warn'): void {
    try {
      const { code, message = String(error) } = (error ?? {}) as { code?: unknown; message?: unknown };
      const key = problem + code;
      if (problems.has(key) || problems.size >= MAX_REPORTED) return;
      const why = error === undefined ? '' : ` ${message}`;
      problems.set(key, problem + why);
      console[level](`Aisle: ${problem}${why}`);
    } catch {
      // a page whose console throws
    }
  }
  return {
    problems,
    warn,
    guard(what, work) {
      const failed = (error: unknown) => warn(`${what} failed.`, error);
      try {
        // Not `instanceof Promise`: some pages replace `Promise`.
        (work() as PromiseLike<unknown> | undefined)?.then?.(undefined, failed);
      } catch (error) {
        failed(error);
      }
    },
  };
}

/** The page's array; undefined if another embed of this page has it. */
function takeQueue(): Aisle | undefined {
  const page = globalThis as unknown as { aisle?: Aisle; [RUNS]?: true };
  if (page[RUNS]) return undefined;
  page[RUNS] = true;
  // A page may hold an element with the id "aisle" under this name, an array that it has frozen, or a constant that `window` lacks.
  const given: unknown = typeof aisle === 'undefined' ? [] : aisle;
  const queue: Aisle = Array.isArray(given) ? given : [];
  const taken = Object.isExtensible(queue) ? queue : [...queue];
  try {
    if (page.aisle !== taken) page.aisle = taken;
  } catch (error) {
    warn('window.aisle is read-only: later commands are not heard.', error);
  }
  return taken;
}

/** A module does not know its own tag: it is the one with this script's address, or that carries the options. */
function ownTag(url: string): HTMLElement | undefined {
  const tags = document.querySelectorAll<HTMLScriptElement>('script[data-model-url]');
  let found: HTMLElement | undefined;
  for (let i = tags.length; i-- > 0; ) if (found === undefined || tags[i]!.src === url) found = tags[i];
  return found;
}

/**
 * Holds the places of the slots, from now on.
 *
 * @param url Of the script.
 * @param whenToLoad Calls its argument once, when the rest is to be loaded.
 * @returns What takes commands, which is `window.aisle` where the page allows that; undefined if another embed runs.
 */
export function open(url: string, whenToLoad: typeof startLazily): Aisle | undefined {
  const aisle = takeQueue();
  if (aisle === undefined) {
    warn('Aisle is in this page twice (embed.js, aisle/element); the first one counts.');
    return undefined;
  }
  let settle: Host['settle'] = () => {};
  aisle.ready = new Promise<Recommender | undefined>((resolve) => {
    settle = resolve;
  });
  const slots = new Set<Slot>();
  const script = ownTag(url);
  const host: Host = {
    aisle,
    script,
    slots,
    early: {
      href: location.href,
      elements: document.querySelectorAll('script,meta,link,[itemscope]'),
      layer: (globalThis as unknown as Record<string, unknown>)[script?.dataset['dataLayer'] ?? 'dataLayer'],
    },
    pictures: script?.getAttribute('data-images') !== 'none',
    settle,
    problems,
    warn,
    guard,
    setState,
    dispatchUpdate,
    node,
    placeholder,
    applyStyles,
    redraw: (slot) => redraw(host, slot),
    async load(script, onFailure = failed) {
      const late = setTimeout(onFailure, STALL, 'No answer.'); // one that comes later is still good
      for (;;) {
        const online = new Promise((next) => addEventListener('online', next, { once: true })); // during this try, too
        try {
          // Firefox does not fetch a script again whose import has failed. Elsewhere a server of this device may answer.
          const { onLine, userAgent } = navigator;
          if (onLine === false && userAgent.includes('Firefox') && !navigator.serviceWorker?.controller)
            throw new Error('The browser is offline.');
          return await script();
        } catch (error) {
          onFailure(error);
        } finally {
          clearTimeout(late);
        }
        await online;
      }
    },
  };
  function failed(error: unknown): void {
    warn('its scripts could not be loaded or started.', error);
    host.onSlot = (slot, change) => {
      if (change === 'changed') redraw(host, slot);
      if (change !== 'came') return;
      setState(slot, 'error-script');
      dispatchUpdate(slot, 'error-script', []);
    };
    for (const slot of slots) guard('A slot', () => host.onSlot?.(slot, 'came'));
    settle(undefined);
  }
  const watch = whenToLoad(guard, () =>
    host
      .load(() => import('./page'))
      .then(({ startPage }) => startPage(host))
      .then(undefined, failed),
  );
  guard('<aisle-recommendations>', () => defineElement(host, slots, watch));
  return aisle;
}
