/** The visit as it is known: every event, where it is stored, and its switches. */
import type { HistoryChoice, PrivacyExport, Status } from '../../index';
import { button, h, setText } from '../dom';
import { tile } from '../product-grid';
import { href } from '../routes';
import { productOf, type Shop } from '../shop';
import { SESSION_GAP } from '../visit';
import { choice } from './controls';
import type { PanelContext, Tab } from './types';

type Session = PrivacyExport['sessions'][number];

const CONSENT = { granted: 'On this device', denied: 'In this page only' } as const;
const HISTORY: Readonly<Record<HistoryChoice, string>> = {
  session: 'This visit',
  recent: 'Recent ones too',
  all: 'All',
};
const HISTORY_TEXT: Readonly<Record<HistoryChoice, string>> = {
  session: `The model reads the running visit, of all tabs. After ${SESSION_GAP} minutes without a click a new one begins.`,
  recent: 'The model also reads earlier visits; half of one fades within a week, and all of it after four.',
  all: 'The model reads every event that is known.',
};
const KINDS: Readonly<Record<string, string>> = { view: 'looked at', cart: 'put into the basket', purchase: 'ordered' };

export function visitTab({ shop, visit }: PanelContext): Tab {
  const where = h('p', { class: 'state', role: 'status' });
  const reads = h('p', { class: 'hint' });
  const events = h('div', { class: 'events' });
  const consent = choice('Keep my visits', CONSENT, (answer) => attempt(() => visit.keep(answer === 'granted')));
  const history = choice('What the model reads', HISTORY, (value) => attempt(() => visit.restart({ history: value })));
  const save = button(() => attempt(exportFile), 'button small quiet', 'Export');
  const erase = button(() => attempt(visit.forget), 'button small', 'Erase');
  let shown = '';

  async function attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch {
      // What the device did not do is in `status`, and said by `describe`.
    }
    describe();
  }

  async function exportFile(): Promise<void> {
    const file = new Blob([JSON.stringify(await visit.known(), null, 2)], { type: 'application/json' });
    const url = URL.createObjectURL(file);
    h('a', { href: url, download: 'aisle-visit.json' }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000); // the browser has read it by then
  }

  async function list(): Promise<void> {
    const { sessions } = (await visit.known()) ?? { sessions: [] };
    const text = JSON.stringify(sessions);
    if (text === shown) return; // a redrawn list would lose the focus
    shown = text;
    const newestFirst = [...sessions].reverse();
    events.replaceChildren(...newestFirst.map((session, i) => sessionList(shop, session, i === 0)));
    if (sessions.length === 0) events.append(h('p', { class: 'hint' }, 'Nothing yet. Look at a product.'));
    erase.disabled = sessions.length === 0;
    save.disabled = sessions.length === 0;
  }

  function describe(): void {
    const { status, options } = visit;
    setText(where, place(status));
    where.classList.toggle('is-good', status?.storage === 'indexeddb');
    consent.show(status?.consent === 'unknown' ? undefined : status?.consent);
    history.show(options.history);
    setText(reads, HISTORY_TEXT[options.history]);
    list().catch(() => {}); // a recommender that could not start knows nothing; the engine's tab says why
  }

  return {
    name: 'Your visit',
    describe,
    element: h(
      'div',
      {},
      consent.element,
      where,
      history.element,
      reads,
      h(
        'div',
        { class: 'section-head' },
        h('h3', {}, 'What is known of you'),
        h('div', { class: 'buttons' }, save, erase),
      ),
      events,
    ),
  };
}

function sessionList(shop: Shop, session: Session, isNewest: boolean): HTMLElement {
  const started = new Date(session[0]?.time ?? 0);
  const day = started.toLocaleDateString(undefined, { dateStyle: 'medium' });
  return h(
    'section',
    {},
    h(
      'h4',
      {},
      isNewest ? 'The newest visit' : 'An earlier visit',
      h('span', { class: 'since' }, `since ${day}, ${clock(started)}`),
    ),
    h('ol', { class: 'event-list' }, ...[...session].reverse().map((event) => eventLine(shop, event))),
  );
}

function eventLine(shop: Shop, { itemId, event, time }: Session[number]): HTMLElement {
  const product = productOf(shop, itemId);
  const text = [
    h('span', { class: 'event-title' }, product?.title ?? itemId),
    h('span', { class: 'event-kind' }, KINDS[event] ?? event),
  ];
  const moment = new Date(time);
  return h(
    'li',
    {},
    product === undefined
      ? h('span', { class: 'event' }, h('span', {}, ...text))
      : h(
          'a',
          { class: 'event', href: href({ page: 'product', id: itemId }) },
          tile(product, ''),
          h('span', {}, ...text),
        ),
    h('time', { datetime: time }, clock(moment)),
  );
}

const clock = (moment: Date): string =>
  Number.isNaN(moment.getTime())
    ? ''
    : moment.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** Where the visit is, in a sentence that is true. */
function place(status: Status | undefined): string {
  const problem = status?.degraded.find(({ code }) => ['no-storage', 'storage-full', 'not-erased'].includes(code));
  if (problem) return problem.message;
  switch (status?.storage) {
    case 'indexeddb':
      return 'Stored in this browser’s IndexedDB, on this device. It is never sent anywhere.';
    case 'idle':
      return 'This browser is being asked to store it. It is never sent anywhere.';
    default:
      return 'In this page’s memory, never sent anywhere, and gone when you close the page.';
  }
}
