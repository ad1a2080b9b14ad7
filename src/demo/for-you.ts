/** The "For you" row: the model's suggestions, why they are these, and what computed them. */
import { architectureName } from './because';
import { h, setText } from './dom';
import { href } from './routes';
import { card, emptyCard, row } from './shelf';
import { productOf, type Shop } from './shop';
import type { Suggestions, Visit } from './visit';

const SUGGESTED = 12;
const NAMED = 2;

export interface ForYou {
  /** One element for all pages: it moves from page to page, and keeps its cards until newer ones are there. */
  readonly element: HTMLElement;
  /** Asks for new suggestions, without the product on show. */
  refresh(exclude: readonly string[]): Promise<void>;
  /** Redraws the line about the model. */
  describe(): void;
}

export function forYou(shop: Shop, visit: Visit): ForYou {
  const because = h('p', { class: 'because' });
  const engine = h('p', { class: 'engine-line' });
  const list = h('ul', { class: 'row-list', 'aria-label': 'For you', tabindex: 0 });
  list.append(...Array.from({ length: SUGGESTED }, emptyCard));
  let milliseconds: number | undefined;
  let turn = 0;

  const element = h(
    'section',
    { class: 'for-you', 'aria-labelledby': 'for-you-title' },
    h('h2', { id: 'for-you-title' }, 'For you'),
    because,
    row('For you', list),
    engine,
  );

  function show(answer: Suggestions): void {
    milliseconds = answer.milliseconds;
    const products = answer.items.flatMap(({ id, reason }) => {
      const product = productOf(shop, id);
      return product === undefined ? [] : [{ product, reason }];
    });
    list.replaceChildren(
      ...products.map(({ product, reason }) => card(product, reason === 'popular' ? 'Popular' : undefined)),
    );
    if (products.length === 0) list.append(h('li', { class: 'row-message' }, 'Nothing to suggest here.'));
    list.scrollTo({ left: 0, behavior: 'instant' });
    because.replaceChildren(...sentence(shop, visit, answer));
    describe();
  }

  function describe(): void {
    setText(engine, engineLine(visit, milliseconds));
    engine.classList.toggle('is-ready', visit.status?.model !== undefined);
    if (because.childNodes.length === 0) because.append('The model is loading; the shop works meanwhile.');
  }

  async function refresh(exclude: readonly string[]): Promise<void> {
    const mine = ++turn;
    element.setAttribute('aria-busy', 'true');
    try {
      const answer = await visit.suggest(SUGGESTED, [...exclude, ...shop.hidden]);
      if (answer !== undefined && mine === turn) show(answer);
    } catch (error) {
      if (mine !== turn) return;
      list.replaceChildren(h('li', { class: 'row-message' }, error instanceof Error ? error.message : String(error)));
      because.replaceChildren('There are no suggestions at the moment.');
      describe();
    } finally {
      if (mine === turn) element.removeAttribute('aria-busy');
    }
  }

  describe();
  return { element, refresh, describe };
}

/** "Because you looked at …": only the products that the answer was computed from. */
function sentence(shop: Shop, visit: Visit, { because, items }: Suggestions): (Node | string)[] {
  if (items.length === 0) return ['There is nothing left that the model could suggest.'];
  if (because.length === 0) {
    return [
      visit.looked.length === 0
        ? 'Popular in this shop. Look at a product, and this row becomes yours.'
        : 'Popular in this shop, whatever you have looked at.',
    ];
  }
  const named = because.slice(0, NAMED).map((id) => {
    const title = productOf(shop, id)?.title ?? id;
    return h('a', { href: href({ page: 'product', id }) }, title);
  });
  const left = because.length - named.length;
  const parts: (Node | string)[] = ['Because you looked at '];
  named.forEach((link, i) => {
    if (i > 0) parts.push(left > 0 ? ', ' : ' and ');
    parts.push(link);
  });
  if (left > 0) parts.push(' and more'); // how many more, only the model knows: some read no more than the last clicks
  return parts;
}

/** Model, backend, thread and time: what the visitor's own machine just did. */
function engineLine(visit: Visit, milliseconds: number | undefined): string {
  const { status, failure, loading } = visit;
  if (failure !== undefined) return 'The model is not available.';
  if (status?.model === undefined || status.engine === undefined) {
    return loading === 0 ? 'Loading the model' : `Loading the model: ${Math.round(loading / 1000).toLocaleString()} kB`;
  }
  const { model, engine } = status;
  const parts = [
    `${architectureName(model.architecture)} for ${model.items.toLocaleString()} products`,
    `${engine.backend.toUpperCase()}${engine.thread === 'worker' ? ', in a worker' : ''}`,
  ];
  if (milliseconds !== undefined) parts.push(`${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`);
  return `${parts.join(' · ')} · computed on this page`;
}
