/**
 * The best suggestions for the same visit, by the model alone and by what the shop answers with, side by side: what was learnt
 * shows in what has moved. The model alone computes in a worker of its own while the list is looked at.
 */
import { ASKED, openComparison } from '../comparison';
import { h, setText } from '../dom';
import { tile } from '../product-grid';
import { href } from '../routes';
import { onSale, productOf, type Shop } from '../shop';
import { text } from './texts';
import type { PanelContext } from './types';

/** Products in each list. */
const SHOWN = 8;

export function reordering({ shop, visit }: PanelContext) {
  const state = h('p', { class: 'hint', role: 'status' });
  const alone = h('ol', { class: 'ordered' });
  const learnt = h('ol', { class: 'ordered' });
  const column = (title: string, list: HTMLElement) => h('section', {}, h('h4', {}, title), list);
  const lists = h(
    'div',
    { class: 'orders' },
    column(text.learning.alone, alone),
    column(text.learning.suggested, learnt),
  );
  const comparison = openComparison(() => draw());
  let isOpen = false;
  /** The last request to the shop, and its answer. */
  let lastQuestion = '';
  let answer: readonly string[] = [];
  let drawn = '';

  async function ask(): Promise<void> {
    const { status, session, options } = visit;
    // What the last steps have learnt answers once the learning has ended.
    const { gate, steps, state } = status?.learning ?? {};
    const question = JSON.stringify([session, options, status?.model?.hash, gate?.isOpen, steps, state]);
    if (question === lastQuestion) return;
    lastQuestion = question;
    const items = await visit.suggestions(ASKED);
    if (lastQuestion !== question) return; // the visit has gone on
    answer = onSale(shop, items);
    draw();
  }

  function draw(): void {
    if (!isOpen) return;
    const [contender] = comparison.contenders;
    const before = onSale(shop, contender?.items ?? []);
    const isThere = before.length > 0 && answer.length > 0;
    lists.hidden = !isThere;
    const moved = answer.slice(0, SHOWN).filter((id, i) => before[i] !== id).length;
    setText(state, contender?.failure ?? stateOf(visit.session.length, isThere, moved));
    const next = JSON.stringify([before, answer]);
    if (next === drawn) return;
    drawn = next; // redrawn only if it has changed: the focus may be in it
    alone.replaceChildren(...rows(shop, before, answer, 'before'));
    learnt.replaceChildren(...rows(shop, answer, before, 'after'));
  }

  return {
    element: h('div', { class: 'reordering' }, state, lists),
    describe() {
      isOpen = true;
      const isWanted = visit.session.length > 0 && visit.status?.model !== undefined;
      const backend = visit.status?.engine?.backend ?? visit.options.backend;
      comparison.choose(isWanted ? [shop.model] : [], { ...visit.options, backend });
      if (isWanted) {
        comparison.askAbout(visit).catch(() => {}); // what cannot be read of it, its own tab tells
        ask().catch(() => {}); // the engine's tab reports it
      } else {
        answer = [];
        lastQuestion = '';
      }
      draw();
    },
    leave() {
      isOpen = false;
      comparison.choose([], visit.options);
    },
  };
}

function stateOf(looks: number, isThere: boolean, moved: number): string {
  if (looks === 0) return text.learning.lookFirst;
  if (!isThere) return text.learning.asking;
  if (moved === 0) return text.learning.same;
  return text.learning.moved(moved, SHOWN);
}

/** The first of a list, and how far each has moved: of those before, only the ones that have left. */
function rows(shop: Shop, ids: readonly string[], others: readonly string[], of: 'before' | 'after'): HTMLElement[] {
  return ids.slice(0, SHOWN).map((id, place) => {
    const product = productOf(shop, id)!;
    const found = others.indexOf(id);
    const isBeyond = found < 0;
    const there = isBeyond ? others.length : found;
    const [from, to] = of === 'before' ? [place, there] : [there, place];
    return h(
      'li',
      {},
      h(
        'a',
        { href: href({ page: 'product', id }), title: product.title },
        tile(product, ''),
        h('span', { class: 'ordered-title' }, product.title),
      ),
      (of === 'after' || to >= SHOWN) && move(from, to, isBeyond),
    );
  });
}

/**
 * How far something has moved: a sign for the eye, words for the ear.
 *
 * @param from Places from 0.
 * @param isBeyond Whether one of them is only known to be no better than that.
 */
function move(from: number, to: number, isBeyond: boolean): HTMLElement {
  const isSame = from === to;
  const way = from > to ? 'up' : 'down';
  const more = isBeyond ? '+' : '';
  const sign = isSame ? '=' : `${way === 'up' ? '▲' : '▼'} ${Math.abs(from - to)}${more}`;
  const [first, last] = way === 'up' ? [more, ''] : ['', more];
  const words = isSame ? text.learning.asBefore : text.learning[way](`${from + 1}${first}`, `${to + 1}${last}`);
  return h(
    'span',
    { class: isSame ? 'move' : `move is-${way}` },
    h('span', { 'aria-hidden': 'true' }, sign),
    h('span', { class: 'unseen' }, words),
  );
}
