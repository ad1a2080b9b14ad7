/** What the model learnt from this visitor: whether it is used, what it foresaw, what it changes, what went out, and the way back. */
import type { LearningStatus, PredictedEvent } from '../../index';
import { button, h, setText } from '../dom';
import { productOf, type Shop } from '../shop';
import { bytes, facts } from './controls';
import { reordering } from './reordering';
import { requestList } from './request-list';
import { text } from './texts';
import { tourView } from './tour-view';
import type { PanelContext, Tab } from './types';

export function learningTab(context: PanelContext): Tab {
  const { shop, visit, network } = context;
  const decision = h('p', { class: 'state', role: 'status' });
  const figures = h('div', {});
  const list = reordering(context);
  const tour = tourView(context);
  const clicks = clickTable();
  const none = h('p', { class: 'hint' }, text.learning.none);
  const requests = requestList(network, text.learning.requests);
  const learn = button(() => attempt(visit.learn), 'button small', text.learning.learn);
  const undo = button(() => attempt(visit.unlearn), 'button small quiet', text.learning.undo);
  let shown: readonly PredictedEvent[] | undefined;

  async function attempt(act: () => Promise<unknown>): Promise<void> {
    learn.disabled = true;
    const failure = await act().then(
      () => undefined,
      (error: Error) => error.message,
    );
    learn.disabled = false;
    describe();
    if (failure !== undefined) setText(decision, failure);
  }

  function describe(): void {
    const { learning } = visit.status ?? {};
    const { latest = [], bytes: size = 0 } = learning ?? {};
    setText(decision, decisionOf(learning));
    decision.classList.toggle('is-good', learning?.gate.isOpen === true);
    figures.replaceChildren(...(learning && learning.events > 0 ? [figuresOf(learning)] : []));
    undo.disabled = size === 0;
    clicks.element.hidden = latest.length === 0;
    none.hidden = latest.length > 0;
    if (shown !== latest) clicks.show(shop, latest);
    shown = latest;
    list.describe();
    requests.describe();
  }

  return {
    name: text.frame.tabs.learning,
    element: h(
      'div',
      {},
      decision,
      h('div', { class: 'panel-actions' }, learn, undo),
      figures,
      tour.element,
      h('h3', {}, text.learning.reordered),
      list.element,
      h('h3', {}, text.learning.foreseen),
      none,
      clicks.element,
      h('h3', {}, text.learning.sent),
      requests.element,
    ),
    describe,
    leave() {
      list.leave();
      tour.leave();
    },
  };
}

function clickTable() {
  const rows = h('tbody', {});
  const head = h('tr', {}, ...text.learning.columns.map((name) => h('th', { scope: 'col' }, name)));
  return {
    element: h('table', { class: 'foreseen' }, h('thead', {}, head), rows),
    /** The newest first. */
    show(shop: Shop, events: readonly PredictedEvent[]): void {
      rows.replaceChildren(...[...events].reverse().map((event) => clickRow(shop, event)));
    },
  };
}

function clickRow(shop: Shop, { itemId, base, tuned }: PredictedEvent): HTMLElement {
  const cells = [base.rank, tuned.rank, base.loss.toFixed(2), tuned.loss.toFixed(2)];
  const title = productOf(shop, itemId)?.title ?? itemId;
  return h('tr', {}, h('th', { scope: 'row' }, title), ...cells.map((cell) => h('td', {}, String(cell))));
}

function decisionOf(learning: LearningStatus | undefined): string {
  if (learning?.state === 'unable') return learning.why ?? text.learning.unable;
  if (learning === undefined || learning.events === 0) return text.learning.nothing;
  return text.learning.decision(learning.gate);
}

function figuresOf({ events, steps, bytes: size, storage, gate, refused }: LearningStatus): HTMLElement {
  const strange = Object.values(refused).reduce((sum, count) => sum + count, 0);
  return facts([
    [text.learning.clicks, text.learning.inSteps(events, steps)],
    [text.learning.base, gate.base.toFixed(3)],
    [text.learning.tuned, gate.tuned.toFixed(3)],
    [text.learning.evidence, `${gate.evidence < 100 ? gate.evidence.toFixed(1) : gate.evidence.toPrecision(2)} : 1`],
    [text.learning.undone, text.learning.times(gate.rollbacks)],
    [text.learning.refused, String(strange)],
    [text.learning.kept, `${text.learning.places[storage]}, ${bytes(size)}`],
  ]);
}
