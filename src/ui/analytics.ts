/**
 * Tells the shop's data layer, in the events of GA4, which suggestions visitors saw and which they chose. Loaded with
 * `data-analytics="ga4"`.
 *
 * @see https://developers.google.com/analytics/devguides/collection/ga4/ecommerce
 */
import type { PageProduct } from '../page/page-product';
import { listOf } from '../page/selection';
import type { Recommender, Selection } from '../recommender/types';
import { pushEvent } from './push-event';
import type { Host, Slot, Suggestion } from './types';

/** Milliseconds for which half of a slot is in the window before its products count as seen. */
const SEEN_AFTER = 1000;
/** Most characters of a text. */
const MAX_TEXT = 100;
/** A slot that is taller than the window reports how much of it is seen in steps of 5 %. */
const STEPS = Array.from({ length: 21 }, (_, i) => i / 20);

interface Watched {
  readonly slot: Slot;
  isInWindow: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
  /** The ids that were reported last. */
  reported: string;
}

/** @returns Stops. */
export function startAnalytics(
  host: Host,
  recommender: Recommender,
  dataLayer: string,
  product: Pick<PageProduct, 'candidates'>,
): () => void {
  const watched = new WeakMap<Element, Watched>(); // an application may drop a slot
  const watchedNow = () => [...host.slots].flatMap(({ element }) => watched.get(element) ?? []);
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, intersectionRatio, intersectionRect, rootBounds } of entries) {
        const found = watched.get(target);
        if (found === undefined) continue;
        const area = ({ width, height }: DOMRectReadOnly) => width * height;
        const isFilled = rootBounds !== null && area(intersectionRect) >= area(rootBounds) / 2;
        found.isInWindow = intersectionRatio >= 0.5 || isFilled;
        look(found);
      }
    },
    { threshold: STEPS },
  );

  function look(found: Watched): void {
    const { slot } = found;
    const ids = JSON.stringify(slot.suggestions.map(({ id }) => id));
    const isSeen = found.isInWindow && document.visibilityState === 'visible' && slot.suggestions.length > 0;
    if (!isSeen || ids === found.reported) {
      clearTimeout(found.timer);
      found.timer = undefined;
      return;
    }
    found.timer ??= setTimeout(() => {
      found.timer = undefined;
      found.reported = ids; // `shown` starts over with others
      tell('view_item_list', slot, slot.suggestions.map(itemOf));
      host.guard('Analytics', compareIds);
    }, SEEN_AFTER);
  }
  function tell(event: string, slot: Slot, items: object[]): void {
    host.guard('The data layer', () =>
      pushEvent(dataLayer, event, { item_list_id: listOf(slot), item_list_name: nameOf(slot), items }, true),
    );
  }
  /** GA4 finds out by `item_id` whether what was chosen was bought. */
  async function compareIds(): Promise<void> {
    const named = product.candidates().find(({ source }) => source === 'data-layer');
    const item = named && (await recommender.identify([named]));
    if (!item || item === named.id) return;
    host.warn('GA4 cannot tell that what was chosen was bought (docs/ab-test.md):', {
      message: `view_item has "${named.id}", select_item has "${item}"`,
    });
  }
  function shown(slot: Slot): void {
    const { element } = slot;
    const found = watched.get(element) ?? { slot, isInWindow: false, timer: undefined, reported: '' };
    if (!watched.has(element)) {
      watched.set(element, found);
      observer.observe(element);
    }
    // Other products have a second of their own.
    clearTimeout(found.timer);
    found.timer = undefined;
    look(found);
  }
  function lookAtAll(): void {
    for (const found of watchedNow()) look(found);
  }
  function chosen({ itemId, index, list }: Selection): void {
    const slot = [...host.slots].find(
      (other) => listOf(other) === list && other.suggestions[index ?? -1]?.id === itemId,
    );
    if (slot) tell('select_item', slot, [itemOf(slot.suggestions[index!]!, index!)]);
  }

  host.onShown = shown;
  for (const slot of host.slots) shown(slot);
  document.addEventListener('visibilitychange', lookAtAll);
  const unsubscribe = recommender.on('select', chosen);
  return () => {
    unsubscribe();
    document.removeEventListener('visibilitychange', lookAtAll);
    observer.disconnect();
    delete host.onShown;
    for (const { timer } of watchedNow()) clearTimeout(timer);
  };
}

/** In the words of GA4. The item's id is the one that the model was trained with. */
const itemOf = ({ id, title, brand }: Suggestion, index: number) => ({
  item_id: id,
  item_name: title.slice(0, MAX_TEXT),
  ...(brand !== undefined && { item_brand: brand.slice(0, MAX_TEXT) }),
  index,
});

const nameOf = (slot: Slot): string => (slot.element.getAttribute('heading') || listOf(slot)).slice(0, MAX_TEXT);
