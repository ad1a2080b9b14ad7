/**
 * 'Because you looked at X' on a card: the click that raised the product's probability the most. Loaded if a slot has the attribute
 * `reasons`.
 */
import type { Recommender } from '../recommender/types';
import type { Slot, Suggestion } from './types';

/**
 * Shown when the click raised the product's probability by 25 % or more.
 */
const LEAST_TIMES = 1.25;
const NO_ITEM = '-';
/** Most characters of a title that are put into the page. */
const MAX_TEXT = 120;

/** @param isCurrent Whether the slot still shows these suggestions. */
export async function giveReasons(
  { frame, language, texts }: Slot,
  recommender: Recommender,
  suggestions: readonly Suggestion[],
  isCurrent: () => boolean,
): Promise<void> {
  const neural = suggestions.filter(({ reason }) => reason === 'neural');
  const explained = await Promise.all(neural.map(({ id }) => recommender.explain(id)));
  // Where there is nothing to explain, too: what a page loads must not tell what its visitor has clicked.
  if (neural.length === 0) await recommender.explain(NO_ITEM);
  const causes = new Map<string, string>();
  for (const explanation of explained) {
    const strongest = explanation?.clicks.reduce((best, click) => (click.effect > best.effect ? click : best));
    if (strongest === undefined || strongest.effect < Math.log(LEAST_TIMES)) continue;
    causes.set(explanation!.itemId, strongest.itemId);
  }
  const ids = [...new Set(causes.values())];
  const products = await recommender.products(ids);
  if (!isCurrent()) return;
  const titles = new Map(ids.map((id, i) => [id, products[i]?.title]));
  for (const card of frame.list?.querySelectorAll('a') ?? []) {
    const id = card.getAttribute('data-item-id') ?? '';
    const cause = causes.get(id);
    const title = cause === undefined ? undefined : titles.get(cause);
    const place = card.querySelector<HTMLElement>('[part=because]');
    if (place === null) continue;
    Object.assign(place, texts.language);
    place.replaceChildren(...(title === undefined ? [] : becauseOf(title.slice(0, MAX_TEXT), cause === id)));
  }

  function becauseOf(title: string, isItself: boolean): (string | Node)[] {
    const isKorean = texts.language.lang === 'ko';
    if (isItself) return [isKorean ? '전에 보신 상품입니다' : 'Because you looked at it before'];
    const name = document.createElement('bdi'); // of the page's language, whichever way that runs
    name.lang = language;
    name.textContent = title;
    return isKorean ? ['‘', name, '’ 상품을 보셨기 때문에'] : ['Because you looked at ', name];
  }
}
