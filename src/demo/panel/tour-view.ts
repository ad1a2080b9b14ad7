/** Plays a returning shopper: each click's rank before and after learning, the evidence, when it is used, and the way back. */
import { button, h, setText, textOf } from '../dom';
import { tile } from '../product-grid';
import { href } from '../routes';
import { onSale, productOf } from '../shop';
import { openTour, type Tour, type TourStep } from '../tour';
import { text } from './texts';
import type { PanelContext } from './types';

/** Milliseconds from click to click. */
const PACE = 2500;
const SHOWN = 6;
/** Evidence at which a bar is full, as a logarithm: four times what the gate asks for. */
const FULL = Math.log(20);

export function tourView({ shop, visit }: PanelContext) {
  const state = h('p', { class: 'state', role: 'status' }, text.tour.what);
  const play = button(() => void press(), 'button small', text.tour.play);
  const next = button(() => void act((tour) => tour.next()), 'button small quiet', text.tour.next);
  const undo = button(() => void takeBack(), 'button small quiet', text.learning.undo);
  const end = button(stop, 'button small quiet', text.tour.end);
  const rows = h('tbody', {});
  const head = h('tr', {}, ...text.tour.columns.map((name) => h('th', { scope: 'col' }, name)));
  const table = h('table', { class: 'foreseen tour' }, h('thead', {}, head), rows);
  const shelf = h('ol', { class: 'contender-items' });
  const suggested = h('section', {}, h('h4', {}, text.tour.suggested), shelf);
  let tour: Tour | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;
  let isBusy = false;
  let isUndone = false;

  async function press(): Promise<void> {
    if (timer !== undefined) pause();
    else {
      if (tour?.isOver) stop();
      if (!tour) await load();
      // Whoever wants no motion goes on click by click.
      if (tour && !matchMedia('(prefers-reduced-motion: reduce)').matches) {
        timer = setInterval(() => void act((opened) => opened.next()), PACE);
      }
    }
    draw();
  }

  async function load(): Promise<void> {
    isBusy = true;
    isUndone = false;
    draw();
    setText(state, text.tour.loading);
    try {
      const backend = visit.status?.engine?.backend ?? visit.options.backend;
      tour = await openTour(shop, { ...visit.options, backend });
      if (!tour) setText(state, text.tour.unknown);
    } catch (error) {
      setText(state, textOf(error));
    }
    isBusy = false;
  }

  async function act(step: (opened: Tour) => Promise<void>): Promise<void> {
    const opened = tour;
    if (!opened || isBusy) return;
    isBusy = true;
    try {
      await step(opened);
    } catch (error) {
      if (opened === tour) {
        stop();
        setText(state, textOf(error));
      }
    }
    isBusy = false;
    if (opened !== tour) return;
    if (opened.isOver) pause();
    draw();
  }

  async function takeBack(): Promise<void> {
    pause();
    await act(async (opened) => {
      await opened.undo();
      isUndone = true;
    });
  }

  function pause(): void {
    clearInterval(timer);
    timer = undefined;
  }

  function stop(): void {
    pause();
    tour?.end();
    tour = undefined;
    draw();
  }

  function draw(): void {
    const { steps = [], learning } = tour ?? {};
    setText(play, timer !== undefined ? text.tour.pause : tour && !tour.isOver ? text.tour.goOn : text.tour.play);
    play.disabled = isBusy && !tour;
    next.hidden = !tour || tour.isOver || isUndone;
    play.hidden = isUndone && tour?.isOver === false;
    undo.hidden = !tour || isUndone || steps.length === 0;
    end.hidden = !tour;
    table.hidden = steps.length === 0;
    suggested.hidden = steps.length === 0;
    state.classList.toggle('is-good', learning?.gate.isOpen === true);
    if (tour) {
      const words = isUndone
        ? text.tour.undone
        : steps.length === 0
          ? text.tour.before(tour.file, learning!)
          : text.tour.now(learning!.gate, tour.isOver);
      setText(state, words);
    } else if (!isBusy) setText(state, text.tour.what);
    rows.replaceChildren(...[...steps].reverse().map(row));
    const ids = tour ? onSale(shop, tour.suggested).slice(0, SHOWN) : [];
    shelf.replaceChildren(...ids.map((id) => h('li', {}, picture(id))));
  }

  function picture(id: string): HTMLElement {
    const product = productOf(shop, id)!;
    const link = { href: href({ page: 'product', id }), title: product.title };
    return h('a', link, tile(product, product.title));
  }

  function row({ itemId, ranks, evidence, isOpen }: TourStep): HTMLElement {
    const bar = h('span', { class: 'bar', 'aria-hidden': 'true' });
    bar.style.setProperty('--part', String(Math.min(1, Math.max(0, Math.log(evidence) / FULL))));
    return h(
      'tr',
      { class: isOpen ? 'is-open' : '' },
      h('th', { scope: 'row' }, productOf(shop, itemId)?.title ?? itemId),
      h('td', {}, ranks === undefined ? '–' : String(ranks.base)),
      h('td', {}, ranks === undefined ? '–' : String(ranks.tuned)),
      h('td', {}, text.tour.odds(evidence), bar),
    );
  }

  draw();
  return {
    element: h(
      'section',
      { class: 'tour-box' },
      h('h3', {}, text.tour.title),
      state,
      h('div', { class: 'panel-actions' }, play, next, undo, end),
      suggested,
      table,
    ),
    leave(): void {
      pause();
      draw();
    },
  };
}
