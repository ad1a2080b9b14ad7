/**
 * What the slots of the page before showed, shown again at once, until the model has answered. It is stored on the device; its code is
 * loaded only with the visitor's consent.
 */
import { addressOf } from '../page/address';
import { LISTS } from '../recommender/device-record';
import { isHidden } from '../recommender/idle';
import { pictured } from '../recommender/products';
import type { Recommender } from '../recommender/types';
import { openDeviceNotes } from '../store/device-notes';
import { showCards } from './cards';
import { linkOf, pictureOf } from './links';
import type { Host, PageOptions, Slot, Suggestion } from './types';

/** The last answer of a slot. */
interface List {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly items: readonly Suggestion[];
}
/** By what the slot asks for. */
type Lists = Readonly<Record<string, List>>;

/** Milliseconds after which products and prices may have changed. */
const FRESH = 30 * 60_000;
/** Most characters of all lists: pictures of an artifact are in the suggestions themselves. */
const MAX_LENGTH = 200_000;
/** What a slot's suggestions depend on besides the visit. */
const ATTRIBUTES = 'id limit item exclude fallback min hide diversity filter'.split(' ');

/**
 * Shows the lists of the page before in the slots that wait, and stores those of this page.
 *
 * @returns Stops.
 */
export function keepLists(host: Host, recommender: Recommender, options: PageOptions): () => void {
  const { slots, guard } = host;
  const { modelUrl, user } = options.recommender;
  if (options.variants !== undefined || user !== undefined) return () => {}; // another arm of a test, or another user, would see it
  const notes = openDeviceNotes();
  /** This page's answers since the last erasure. */
  let answers: Record<string, List> = {};
  let { storage } = recommender.status;
  /** Slots that show a list of the page before. */
  const previous = new Set<Slot>();

  /** Undefined where the suggestions depend on the product that the page shows. Equal slots count from 0. */
  function keyOf(slot: Slot): string | undefined {
    const { element, strategy, frame } = slot;
    const isOfProduct = /\b(related|bought-together)\b/.test(`${strategy} ${element.getAttribute('fallback')}`);
    if (frame.list === undefined || (isOfProduct && !element.getAttribute('item'))) return undefined;
    const asks = ({ element, strategy, language }: Slot) =>
      JSON.stringify([modelUrl, strategy, language, ...ATTRIBUTES.map((name) => element.getAttribute(name))]);
    const own = asks(slot);
    return `${[...slots].filter((other) => asks(other) === own).indexOf(slot)} ${own}`;
  }
  let isSeen = false;
  const mayStore = () => {
    const { consent, storage, paused } = recommender.status;
    isSeen ||= !isHidden();
    return isSeen && consent === 'granted' && storage === 'indexeddb' && !paused;
  };
  const fresh = (lists: unknown): [key: string, list: List][] =>
    Object.entries((lists ?? {}) as Partial<Lists>).filter((entry): entry is [string, List] => {
      const age = Date.now() - Number(entry[1]?.time);
      return age >= 0 && age < FRESH && Array.isArray(entry[1]?.items);
    });

  async function showPrevious(): Promise<void> {
    if (recommender.status.consent !== 'granted') return;
    notes.allow('event'); // which creates nothing
    const { life } = notes;
    const lists = new Map(fresh(await notes.read(LISTS)));
    if (recommender.status.consent !== 'granted' || life !== notes.life) return;
    const taken = new Set([options.item]);
    for (const slot of slots) {
      const { element } = slot;
      const list = lists.get(keyOf(slot) ?? '');
      const isWaiting = element.getAttribute('data-aisle-state') === 'loading' && slot.suggestions.length === 0;
      if (list === undefined || !isWaiting) continue;
      const items = list.items
        .filter((one) => isSuggestion(one, options) && !taken.has(one.id) && !isThisPage(one.href))
        .slice(0, slot.limit);
      if (items.length < Number(element.getAttribute('min') ?? 1)) continue;
      for (const { id } of items) taken.add(id);
      previous.add(slot);
      showCards(host, slot, items);
      slot.suggestions = items;
    }
  }
  /** Placeholders again, as many as there were cards, so that nothing below moves. */
  function takeAway(slot: Slot): void {
    if (!previous.delete(slot)) return;
    slot.suggestions = [];
    const { list } = slot.frame;
    list?.replaceChildren(...Array.from(list.children, () => host.placeholder()));
  }
  function forget(): void {
    answers = {};
    for (const slot of previous) takeAway(slot);
  }

  function remember(slot: Slot): void {
    previous.delete(slot);
    const key = keyOf(slot);
    if (key !== undefined) answers[key] = { time: Date.now(), items: slot.suggestions };
    storeSoon();
  }
  function answered({ target, detail }: Event & { readonly detail?: { readonly state?: unknown } }): void {
    const slot = [...slots].find(({ element }) => element === target);
    if (slot === undefined) return;
    if (detail?.state === 'ready') remember(slot);
    else if (previous.has(slot)) {
      takeAway(slot);
      host.setState(slot, `${detail?.state}` as 'empty'); // which says so in the place of the cards
    }
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  function storeSoon(): void {
    clearTimeout(timer);
    const { life } = notes;
    timer = setTimeout(() => guard('Storing what is shown', () => store(life)), 0);
  }
  async function store(life: number): Promise<void> {
    if (!mayStore() || Object.keys(answers).length === 0) return;
    const lists = { ...Object.fromEntries(fresh(await notes.read(LISTS))), ...answers };
    const newest = Object.entries(lists).sort(([, a], [, b]) => b.time - a.time);
    let length = 0;
    const kept = Object.fromEntries(
      newest.filter((entry) => {
        length += JSON.stringify(entry).length;
        return length <= MAX_LENGTH;
      }),
    );
    // What no longer fits would be measured again with every answer of an application that never leaves its page.
    for (const key of Object.keys(answers)) if (!Object.hasOwn(kept, key)) delete answers[key];
    if (mayStore() && Object.keys(kept).length > 0) await notes.write(LISTS, kept, life);
  }

  const listener = (event: Event) => guard('The list of the page before', () => answered(event));
  document.addEventListener('aisle-recommendations', listener);
  const stops = [
    () => document.removeEventListener('aisle-recommendations', listener),
    () => clearTimeout(timer),
    recommender.on('erased', forget),
    recommender.on('stored', () => notes.allow('event')), // an erasure has forbidden it
    recommender.on('status', (now) => {
      if (now.consent !== 'granted') {
        forget();
        void notes.forbid();
      } else if (now.storage !== storage) storeSoon(); // what was answered before
      storage = now.storage;
    }),
  ];
  guard('The list of the page before', showPrevious);
  // Where consent comes late.
  for (const slot of slots) if (slot.element.getAttribute('data-aisle-state') === 'ready') remember(slot);
  return () => {
    for (const stop of stops) stop();
    void notes.close();
  };
}

/** Any script of the page's origin can write what was stored. */
function isSuggestion(one: Partial<Suggestion> | null | undefined, options: PageOptions): one is Suggestion {
  const { id, title, href, brand, price, image, note, reason, score } = one ?? {};
  const isText = (value: unknown) => typeof value === 'string';
  if (![id, title, href, reason].every(isText) || typeof score !== 'number') return false;
  if (![brand, price, image, note].every((text) => text === undefined || isText(text))) return false;
  const product = { id: id!, url: href!, ...(image !== undefined && { image }) };
  const { images = 'artifact' } = options.recommender;
  return linkOf(product, options) === href && pictureOf(pictured(product, images)) === image;
}

/** Whether a link leads to the page that shows it, whose address may have further parameters. */
function isThisPage(href: string): boolean {
  const [link, here] = [href, location.href].map((address) => new URL(addressOf(address))) as [URL, URL];
  const isSamePlace = link.origin === here.origin && link.pathname === here.pathname && link.hash === here.hash;
  return isSamePlace && (link.search === '' || link.search === here.search);
}
