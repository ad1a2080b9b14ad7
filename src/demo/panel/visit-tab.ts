/** The visit as it is known: every event, where it is stored, and its switches. */
import type { PrivacyExport, Status } from '../../index';
import { button, h, saveFile, setText } from '../dom';
import { tile } from '../product-grid';
import { href } from '../routes';
import { productOf, type Shop } from '../shop';
import { locale } from '../texts';
import { SESSION_GAP } from '../visit';
import { choice } from './controls';
import { text } from './texts';
import type { PanelContext, Tab } from './types';

type Session = PrivacyExport['sessions'][number];

export function visitTab({ shop, visit }: PanelContext): Tab {
  const where = h('p', { class: 'state', role: 'status' });
  const reads = h('p', { class: 'hint' });
  const events = h('div', { class: 'events' });
  const consent = choice(text.visit.keep, text.visit.consent, (answer) =>
    attempt(() => visit.keep(answer === 'granted')),
  );
  const history = choice(text.visit.reads, text.visit.history, (value) =>
    attempt(() => visit.restart({ history: value })),
  );
  const save = button(() => attempt(exportFile), 'button small quiet', text.visit.export);
  const erase = button(() => attempt(visit.forget), 'button small', text.visit.erase);
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
    saveFile('aisle-visit.json', file);
  }

  async function list(): Promise<void> {
    const { sessions } = (await visit.known()) ?? { sessions: [] };
    const next = JSON.stringify(sessions);
    if (next === shown) return; // a redrawn list would lose the focus
    shown = next;
    const newestFirst = [...sessions].reverse();
    events.replaceChildren(...newestFirst.map((session, i) => sessionList(shop, session, i === 0)));
    if (sessions.length === 0) events.append(h('p', { class: 'hint' }, text.visit.nothing));
    erase.disabled = sessions.length === 0;
    save.disabled = sessions.length === 0;
  }

  function describe(): void {
    const { status, options } = visit;
    setText(where, place(status));
    where.classList.toggle('is-good', status?.storage === 'indexeddb');
    consent.show(status?.consent === 'unknown' ? undefined : status?.consent);
    history.show(options.history);
    setText(reads, text.visit.historyText[options.history](SESSION_GAP));
    list().catch(() => {}); // a recommender that could not start knows nothing; the engine's tab says why
  }

  return {
    name: text.frame.tabs.visit,
    describe,
    element: h(
      'div',
      {},
      consent.element,
      where,
      history.element,
      reads,
      h('div', { class: 'section-head' }, h('h3', {}, text.visit.known), h('div', { class: 'buttons' }, save, erase)),
      events,
    ),
  };
}

function sessionList(shop: Shop, session: Session, isNewest: boolean): HTMLElement {
  const started = new Date(session[0]?.time ?? 0);
  const day = started.toLocaleDateString(locale, { dateStyle: 'medium' });
  return h(
    'section',
    {},
    h(
      'h4',
      {},
      isNewest ? text.visit.newest : text.visit.earlier,
      h('span', { class: 'since' }, text.visit.since(day, clock(started))),
    ),
    h('ol', { class: 'event-list' }, ...[...session].reverse().map((event) => eventLine(shop, event))),
  );
}

function eventLine(shop: Shop, { itemId, event, time }: Session[number]): HTMLElement {
  const product = productOf(shop, itemId);
  const words = [
    h('span', { class: 'event-title' }, product?.title ?? itemId),
    h('span', { class: 'event-kind' }, text.visit.kinds[event] ?? event),
  ];
  const moment = new Date(time);
  return h(
    'li',
    {},
    product === undefined
      ? h('span', { class: 'event' }, h('span', {}, ...words))
      : h(
          'a',
          { class: 'event', href: href({ page: 'product', id: itemId }) },
          tile(product, ''),
          h('span', {}, ...words),
        ),
    h('time', { datetime: time }, clock(moment)),
  );
}

const clock = (moment: Date): string =>
  Number.isNaN(moment.getTime())
    ? ''
    : moment.toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** Where the visit is, in a sentence that is true. */
function place(status: Status | undefined): string {
  const problem = status?.degraded.find(({ code }) => ['no-storage', 'storage-full', 'not-erased'].includes(code));
  if (problem) return text.degraded[problem.code] ?? problem.message;
  return text.visit.places[status?.storage ?? 'memory'];
}
