/** What was requested. */
import { button, h, saveFile, setText } from '../dom';
import { icon } from '../icons';
import { KINDS, type Kind, kindOf, policyFor, type RequestRecord, requestLog } from '../requests';
import { bytes } from './controls';
import { requestList } from './request-list';
import { text } from './texts';
import type { PanelContext, Tab } from './types';

export function networkTab({ network }: PanelContext): Tab {
  const state = h('p', { class: 'state', role: 'status' });
  const promise = h('ul', { class: 'promises' });
  const groups = h('div', {});
  const cached = h('p', { class: 'hint' });
  const every = requestList(network, text.network.every);
  const policy = h('code', {});
  const save = button(
    () =>
      saveFile(
        'aisle-requests.txt',
        new Blob([requestLog(network.records, network.sent, Date.now())], { type: 'text/plain' }),
      ),
    'button small quiet',
    text.network.save,
  );
  let shown = -1;

  return {
    name: text.frame.tabs.network,
    element: h(
      'div',
      {},
      state,
      h('h3', {}, text.network.requested),
      groups,
      cached,
      promise,
      every.element,
      h('p', {}, save),
      h('h3', {}, text.network.policy),
      h('p', { class: 'hint' }, text.network.policyText),
      h('pre', { class: 'policy', tabindex: 0, 'aria-label': text.network.policy }, policy),
    ),
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
      setText(policy, `Content-Security-Policy: ${policyFor(records)}`);
    },
  };
}

function stateOf(offline: boolean, blocked: number): string {
  return offline ? text.network.offlineState(blocked) : text.network.online;
}

const cachedLine = (count: number): string => (count === 0 ? '' : text.network.cached(count));

/** Files and bytes by kind, of what went over the network or may have. */
function table(records: readonly RequestRecord[]): HTMLTableElement {
  const byKind = new Map<Kind, RequestRecord[]>(KINDS.map((kind) => [kind, []]));
  for (const record of records) byKind.get(kindOf(record))!.push(record);
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
    h('thead', {}, h('tr', {}, ...text.network.columns.map((name) => h('th', { scope: 'col' }, name)))),
    h('tbody', {}, ...groups.map(([kind, group]) => row(text.network.kinds[kind], group))),
    h('tfoot', {}, row(text.network.together, records)),
  );
}

/** What the list shows, looked up in it: nothing is claimed that is not counted. */
function promises(records: readonly RequestRecord[]): HTMLElement[] {
  const foreign = records.filter(({ url }) => new URL(url).origin !== location.origin);
  // The page's own address may hold the demo's settings.
  const queried = records.slice(1).filter(({ url }) => new URL(url).search !== '');
  const line = (isKept: boolean, words: string) =>
    h('li', { class: isKept ? 'is-kept' : 'is-broken' }, icon(isKept ? 'check' : 'close'), words);
  return [
    line(
      foreign.length === 0,
      foreign.length === 0
        ? text.network.ownOrigin(records.length, location.host)
        : text.network.elsewhere(foreign.length, records.length),
    ),
    line(queried.length === 0, queried.length === 0 ? text.network.staticFiles : text.network.queried(queried.length)),
  ];
}

/** Bytes in words; `+` if some sizes are unknown. */
function sum(all: readonly (number | undefined)[]): string {
  const known = all.filter((count) => count !== undefined);
  const more = known.length < all.length ? ' +' : '';
  return bytes(known.reduce((total, count) => total + count, 0)) + more;
}
