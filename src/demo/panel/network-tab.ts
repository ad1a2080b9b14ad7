/** What was requested, and what happens without a network. */
import { h, setText } from '../dom';
import { icon } from '../icons';
import { KINDS, type Kind, kindOf, type RequestRecord } from '../requests';
import { bytes, toggle } from './controls';
import { requestList } from './request-list';
import type { PanelContext, Tab } from './types';

const OFFLINE =
  'From now on every fetch of this page and of its worker fails, as without a network. No service worker stands in: ' +
  'what is still recommended comes from what was loaded before. Switch to another backend, and see what cannot be had. ' +
  '(Scripts that the browser imports cannot be stopped by a page; for those use the browser’s own offline mode.)';

export function networkTab({ network, visit }: PanelContext): Tab {
  const offline = toggle('Offline', OFFLINE, (on) => {
    network.offline = on;
    if (!on && visit.failure !== undefined) visit.restart().catch(() => {}); // the engine's tab tells how it went
  });
  const state = h('p', { class: 'state', role: 'status' });
  const promise = h('ul', { class: 'promises' });
  const groups = h('div', {});
  const cached = h('p', { class: 'hint' });
  const every = requestList(network, 'Every request');
  let shown = -1;

  return {
    name: 'Network',
    element: h('div', {}, offline, state, h('h3', {}, 'What was requested'), groups, cached, promise, every.element),
    describe() {
      const { records, blocked } = network;
      setText(state, stateOf(network.offline, blocked.length));
      state.classList.toggle('is-good', !network.offline);
      every.describe();
      if (shown === records.length) return;
      shown = records.length;
      const fresh = records.filter(({ transferred }) => transferred !== 0);
      groups.replaceChildren(table(fresh));
      setText(cached, cachedLine(records.length - fresh.length));
      promise.replaceChildren(...promises(records));
    },
  };
}

function stateOf(offline: boolean, blocked: number): string {
  if (!offline) return 'Online. Once the model is here and the backends are tried, the shop asks for nothing more.';
  if (blocked === 0) return 'Offline. Nothing has asked for the network since.';
  return `Offline. ${blocked === 1 ? 'One request was' : `${blocked} requests were`} asked for and failed.`;
}

const cachedLine = (count: number): string =>
  count === 0 ? '' : `${count} more ${count === 1 ? 'was' : 'were'} answered by the browser’s own cache.`;

/** Files and bytes by kind, of what went over the network or may have. */
function table(records: readonly RequestRecord[]): HTMLTableElement {
  const byKind = new Map<Kind, RequestRecord[]>(KINDS.map((kind) => [kind, []]));
  for (const record of records) byKind.get(kindOf(record.url))!.push(record);
  const row = (name: string, group: readonly RequestRecord[]): HTMLElement =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, name),
      h('td', {}, String(group.length)),
      h('td', {}, sum(group.map(({ size }) => size))),
      h('td', {}, sum(group.map(({ transferred }) => transferred))),
    );
  const groups = [...byKind].filter(([, group]) => group.length > 0);
  return h(
    'table',
    {},
    h(
      'thead',
      {},
      h('tr', {}, ...['Kind', 'Requests', 'Size', 'Transferred'].map((name) => h('th', { scope: 'col' }, name))),
    ),
    h('tbody', {}, ...groups.map(([kind, group]) => row(kind, group))),
    h('tfoot', {}, row('Together', records)),
  );
}

/** What the list shows, looked up in it: nothing is claimed that is not counted. */
function promises(records: readonly RequestRecord[]): HTMLElement[] {
  const foreign = records.filter(({ url }) => new URL(url).origin !== location.origin);
  // The page's own address may hold the demo's settings.
  const queried = records.slice(1).filter(({ url }) => new URL(url).search !== '');
  const line = (isKept: boolean, text: string) =>
    h('li', { class: isKept ? 'is-kept' : 'is-broken' }, icon(isKept ? 'check' : 'close'), text);
  return [
    line(
      foreign.length === 0,
      foreign.length === 0
        ? `All ${records.length} went to ${location.host}, this page’s own origin.`
        : `${foreign.length} of ${records.length} went elsewhere, as the catalogue’s pictures may.`,
    ),
    line(
      queried.length === 0,
      queried.length === 0
        ? 'They name static files, and none says what you looked at.'
        : `${queried.length} carry a query: a version, as the shop’s files have it.`,
    ),
  ];
}

/** Bytes in words; `+` if some sizes are unknown. */
function sum(all: readonly (number | undefined)[]): string {
  const known = all.filter((count) => count !== undefined);
  const more = known.length < all.length ? ' +' : '';
  return bytes(known.reduce((total, count) => total + count, 0)) + more;
}
