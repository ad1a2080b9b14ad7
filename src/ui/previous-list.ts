/**
 * What the slots of the page before showed, shown again at once, until the model has answered. It is kept on the device; its code is
 * loaded where the visitor lets that be.
 */
import { LISTS } from '../recommender/device-record';
import type { Recommender } from '../recommender/types';
import { openDeviceNotes } from '../store/device-notes';
import { showCards } from './cards';
import { linkOf, pictureOf } from './links';
import type { Host, PageOptions, Slot, Suggestion } from './types';

interface Kept {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** The suggestions of each slot, by what it asks for. */
  readonly lists: Readonly<Record<string, readonly Suggestion[]>>;
}

/** Milliseconds after which products and prices may have changed. */
const FRESH = 30 * 60_000;
/** Most characters of what is kept: pictures of an artifact are in the suggestions themselves. */
const MAX_LENGTH = 200_000;
/** What a slot's suggestions depend on besides the visit. */
const ATTRIBUTES = 'id limit item exclude fallback min hide diversity filter'.split(' ');

/**
 * Shows the lists of the page before in the slots that wait, and keeps those of this page.
 *
 * @returns Stops.
 */
export function keepLists(host: Host, recommender: Recommender, options: PageOptions): () => void {
  const { slots, guard } = host;
  const { modelUrl } = options.recommender;
  const notes = openDeviceNotes();
  notes.allow('event'); // which creates nothing

  /** Undefined where the suggestions depend on the product that the page shows. */
  function keyOf({ element, strategy, language }: Slot): string | undefined {
    const attributes = ATTRIBUTES.map((name) => element.getAttribute(name));
    if (/^(related|bought-together)$/.test(strategy) && !element.getAttribute('item')) return undefined;
    return JSON.stringify([modelUrl, strategy, language, ...attributes]);
  }
  const mayKeep = () => {
    const { consent, storage, paused } = recommender.status;
    return consent === 'granted' && storage === 'indexeddb' && !paused;
  };

  async function showKept(): Promise<void> {
    const { time, lists } = ((await notes.read(LISTS)) ?? {}) as Partial<Kept>;
    const age = Date.now() - (time ?? 0);
    if (!(age >= 0 && age < FRESH) || recommender.status.consent !== 'granted') return;
    for (const slot of slots) {
      const key = keyOf(slot);
      const isWaiting = slot.element.getAttribute('data-aisle-state') === 'loading' && slot.suggestions.length === 0;
      if (key === undefined || slot.frame.list === undefined || !isWaiting) continue;
      const kept = lists?.[key];
      const shown = (Array.isArray(kept) ? kept : []).filter((one) => isSuggestion(one, options)).slice(0, slot.limit);
      showCards(host, slot, shown);
      slot.suggestions = shown;
    }
  }

  let timer: ReturnType<typeof setTimeout> | undefined;
  function keepSoon(): void {
    clearTimeout(timer);
    timer = setTimeout(() => guard('Keeping what is shown', keep), 0);
  }
  async function keep(): Promise<void> {
    if (!mayKeep()) return;
    const lists: Record<string, readonly Suggestion[]> = {};
    for (const slot of slots) {
      const key = keyOf(slot);
      if (key !== undefined && slot.suggestions.length > 0) lists[key] = slot.suggestions;
    }
    const kept: Kept = { time: Date.now(), lists };
    if (JSON.stringify(kept).length <= MAX_LENGTH) await notes.write(LISTS, kept, notes.life);
  }
  document.addEventListener('aisle-recommendations', keepSoon);
  const stops = [
    () => document.removeEventListener('aisle-recommendations', keepSoon),
    () => clearTimeout(timer),
    recommender.on('stored', () => notes.allow('event')), // an erasure has forbidden it
  ];
  guard('The list of the page before', showKept);
  return () => {
    for (const stop of stops) stop();
    void notes.close();
  };
}

/** Any script of the page's origin can write what was kept. A link to this very page is none that a visitor needs. */
function isSuggestion(one: Partial<Suggestion> | null | undefined, options: PageOptions): one is Suggestion {
  const texts = [one?.brand, one?.price, one?.image, one?.note];
  if (typeof one?.id !== 'string' || typeof one.title !== 'string' || typeof one.href !== 'string') return false;
  if (!texts.every((text) => text === undefined || typeof text === 'string')) return false;
  const { id, href, image } = one;
  return (
    linkOf({ id, url: href }, options) === href &&
    href.split('#')[0] !== location.href.split('#')[0] &&
    (image === undefined || pictureOf({ id, image }) === image)
  );
}
