/** Places for recommendations in the shop's pages: the element, a heading, and what may truthfully be said above it. */

import { h } from './dom';
import { href } from './routes';
import { causes } from './row-reason';
import { type Product, productOf, type Shop, sectionAt } from './shop';
import { text } from './texts';
import type { Visit } from './visit';

const LIMIT = 12;
/** What goes with a product ends sooner than what is like it. */
const COMPLEMENTS = 6;
const NAMED = 2;

type Strategy = 'for-you' | 'bought-together' | 'popular' | 'recent';

export interface SlotOptions {
  readonly strategy: Strategy;
  readonly title: string;
  /** The product that `bought-together` is about. */
  readonly item?: string;
  /** What fills the slot up. */
  readonly fallback?: string;
  /** Products at most. Default 12. */
  readonly limit?: number;
  /** Ids not to show. */
  readonly exclude?: readonly string[];
}

/**
 * What goes with products: what was bought with them, and then what is looked at with them, but nothing that could be bought in their
 * place, which is what the shop lists in the same section. Where it has no sections, that cannot be told, and nothing fills up.
 */
export function complements(shop: Shop, products: readonly Product[]): Omit<SlotOptions, 'title'> {
  const own = products.flatMap(({ category }) =>
    category.length > 0 ? (sectionAt(shop.root, category)?.products ?? []) : [],
  );
  const hasSections = products.every(({ category }) => category.length > 0);
  return {
    strategy: 'bought-together',
    ...(hasSections && { fallback: 'related' }),
    limit: COMPLEMENTS,
    exclude: [...new Set(own)].map(({ id }) => id),
  };
}

export interface Slots {
  slot(options: SlotOptions): HTMLElement;
  /** Says again why products are suggested: the clicks of the page before may be known later than the suggestions. */
  describe(): void;
}

/** The detail of the element's event. */
interface Shown {
  readonly items: readonly { readonly itemId: string; readonly reason: string }[];
}

export function openSlots(shop: Shop, visit: Visit): Slots {
  let describe = (): void => {};
  return {
    describe: () => describe(),
    slot({ strategy, title, item, fallback, limit = LIMIT, exclude = [] }) {
      const element = h('aisle-recommendations' as 'div', {
        strategy,
        heading: '',
        limit,
        item,
        fallback,
        exclude: exclude.length === 0 ? undefined : JSON.stringify(exclude),
      });
      const because = h('p', { class: 'because' });
      element.addEventListener('aisle-recommendations', (event) => {
        const { items } = (event as CustomEvent<Shown>).detail;
        const tell = (): void => because.replaceChildren(...sentence(shop, visit, items[0]?.reason));
        tell();
        section.classList.toggle('is-personal', items[0]?.reason === 'neural');
        if (strategy !== 'for-you') return;
        let { session } = visit;
        describe = () => {
          if (visit.session !== session) tell();
          session = visit.session;
        };
      });
      const section = h(
        'section',
        { class: `slot slot-${strategy}` },
        h('h2', {}, title),
        strategy === 'for-you' && because,
        element,
      );
      return section;
    },
  };
}

/** "Because you looked at …": only the products that the answer was computed from. */
function sentence(shop: Shop, visit: Visit, reason: string | undefined): (Node | string)[] {
  if (reason === undefined) return [];
  const known = visit.session.filter((id) => shop.known.has(id));
  const because = causes(visit.status?.model?.architecture ?? '', known, reason);
  if (because.length === 0) {
    if (reason !== 'popular' && visit.options.history !== 'session') return [text.slots.earlierVisits];
    return [visit.session.length === 0 ? text.slots.popularAtFirst : text.slots.popularAlways];
  }
  const named = because.slice(0, NAMED).map((id) => {
    const title = productOf(shop, id)?.title ?? id;
    return h('a', { href: href({ page: 'product', id }) }, title);
  });
  return text.slots.because(named, because.length > named.length);
}
