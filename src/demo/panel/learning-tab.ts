/** What the model learnt from this visitor: whether it is used, what it foresaw, what it changes, what went out, and the way back. */
import type { LearningStatus, PredictedEvent } from '../../index';
import { button, h, setText } from '../dom';
import { productOf, type Shop } from '../shop';
import { bytes, facts } from './controls';
import { reordering } from './reordering';
import { requestList } from './request-list';
import type { PanelContext, Tab } from './types';

const PLACES = { none: 'Nowhere', memory: 'In this page', indexeddb: 'On this device' } as const;

export function learningTab(context: PanelContext): Tab {
  const { shop, visit, network } = context;
  const decision = h('p', { class: 'state', role: 'status' });
  const figures = h('div', {});
  const list = reordering(context);
  const clicks = clickTable();
  const none = h(
    'p',
    { class: 'hint' },
    'None yet: a page learns when it is idle. The first click of a visit is not foreseen.',
  );
  const requests = requestList(network, 'The requests behind it');
  const learn = button(() => attempt(visit.learn), 'button small', 'Learn now');
  const undo = button(() => attempt(visit.unlearn), 'button small quiet', 'Undo');
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
    name: 'Learning',
    element: h(
      'div',
      {},
      decision,
      h('div', { class: 'panel-actions' }, learn, undo),
      figures,
      h('h3', {}, 'The same visit, ordered anew'),
      list.element,
      h('h3', {}, 'Each click, foreseen before it was learnt'),
      none,
      clicks.element,
      h('h3', {}, 'What went out meanwhile'),
      requests.element,
    ),
    describe,
    leave: list.leave,
  };
}

function clickTable() {
  const rows = h('tbody', {});
  const names = ['Your click', 'Rank before', 'after', 'Loss before', 'after'];
  const head = h('tr', {}, ...names.map((name) => h('th', { scope: 'col' }, name)));
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
  if (learning?.state === 'unable') return learning.why ?? 'This model cannot learn here.';
  if (learning === undefined || learning.events === 0) return 'Nothing is learnt yet.';
  return `${learning.gate.isOpen ? 'Used.' : 'Not used.'} ${learning.gate.why}`;
}

function figuresOf({ events, steps, bytes: size, storage, gate, refused }: LearningStatus): HTMLElement {
  const strange = Object.values(refused).reduce((sum, count) => sum + count, 0);
  return facts([
    ['Clicks learnt', `${events}, in ${steps} steps`],
    ['Mean reciprocal rank, model alone', gate.base.toFixed(3)],
    ['With what was learnt', gate.tuned.toFixed(3)],
    [
      'Evidence that it is better',
      `${gate.evidence < 100 ? gate.evidence.toFixed(1) : gate.evidence.toPrecision(2)} : 1`,
    ],
    ['Undone by the gate', `${gate.rollbacks} times`],
    ['Passed over as nobody’s clicks', String(strange)],
    ['Kept', `${PLACES[storage]}, ${bytes(size)}`],
  ]);
}
