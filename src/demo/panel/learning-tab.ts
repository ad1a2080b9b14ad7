/** What the model learnt from this visitor: whether it is used, what it foresaw, click by click, and the way back. */
import type { TuneProgress } from '../../engine/engine';
import type { LearningStatus } from '../../recommender/learning-status';
import { h, setText } from '../dom';
import { productOf } from '../shop';
import { bytes, facts } from './controls';
import type { PanelContext, Tab } from './panel';

const PLACES = { none: 'Nowhere', memory: 'In this page', indexeddb: 'On this device' } as const;
/** So many clicks are shown, the newest first. */
const SHOWN = 30;

export function learningTab({ shop, visit }: PanelContext): Tab {
  const decision = h('p', { class: 'state', role: 'status' });
  const figures = h('div', {});
  const rows = h('tbody', {});
  const clicks = h(
    'table',
    {},
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        ...['Your click', 'Rank before', 'after', 'Loss before', 'after'].map((name) =>
          h('th', { scope: 'col' }, name),
        ),
      ),
    ),
    rows,
  );
  const button = (label: string, quiet: string, act: () => Promise<unknown>) =>
    h('button', { class: `button small ${quiet}`, type: 'button', on: { click: () => attempt(act) } }, label);
  const learn = button('Learn now', '', () => visit.learn(show));
  const undo = button('Undo', 'quiet', async () => {
    await visit.unlearn();
    rows.replaceChildren();
  });

  async function attempt(act: () => Promise<unknown>): Promise<void> {
    learn.disabled = true;
    await act().catch((error: Error) => setText(decision, error.message));
    learn.disabled = false;
    describe();
  }

  /** One click, as it was foreseen before it was learnt. */
  function show({ itemId, base, tuned }: TuneProgress): void {
    const cells = [base.rank, tuned.rank, base.loss.toFixed(2), tuned.loss.toFixed(2)];
    const title = productOf(shop, itemId)?.title ?? itemId;
    rows.prepend(h('tr', {}, h('th', { scope: 'row' }, title), ...cells.map((cell) => h('td', {}, String(cell)))));
    while (rows.childElementCount > SHOWN) rows.lastElementChild!.remove();
  }

  function describe(): void {
    const learning = visit.status?.learning;
    setText(decision, decisionOf(learning));
    decision.classList.toggle('is-good', learning?.gate.isOpen === true);
    figures.replaceChildren(...(learning ? [figuresOf(learning)] : []));
    undo.disabled = (learning?.bytes ?? 0) === 0;
    clicks.hidden = rows.childElementCount === 0;
  }

  return {
    name: 'Learning',
    element: h(
      'div',
      {},
      decision,
      h('div', { class: 'panel-actions' }, learn, undo),
      figures,
      h('h3', {}, 'Each click, foreseen before it was learnt'),
      h(
        'p',
        { class: 'hint' },
        'Of clicks that are learnt by “Learn now”; the others are learnt by themselves, when the page is idle.',
      ),
      clicks,
    ),
    describe,
  };
}

function decisionOf(learning: LearningStatus | undefined): string {
  if (learning === undefined) return 'Nothing is learnt yet.';
  if (learning.state === 'unable') return learning.why ?? 'This model cannot learn here.';
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
