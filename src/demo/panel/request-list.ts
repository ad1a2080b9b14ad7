/** What has gone out, in bytes, and every request behind the figure. */
import { h, setText } from '../dom';
import type { Network } from '../network';
import { type RequestRecord, sentWith } from '../requests';
import { bytes, milliseconds } from './controls';
import { text } from './texts';

/** @param title Of the list, which is folded away at first. */
export function requestList(network: Network, title: string) {
  const counter = h('p', { class: 'sent' });
  const list = h('ol', { class: 'request-list' });
  let shown = -1;
  return {
    element: h('div', {}, counter, h('details', { class: 'requests' }, h('summary', {}, title), list)),
    describe() {
      const { records, sent } = network;
      setText(counter, counterOf(records, sent));
      if (shown === records.length) return;
      shown = records.length;
      list.replaceChildren(...[...records].sort((a, b) => a.start - b.start).map(line));
    },
  };
}

function counterOf(records: readonly RequestRecord[], bodies: number): string {
  const sent = sentWith(records, bodies);
  return text.network.sent(bytes(sent.bytes), records.length, sent.uncounted);
}

function line({ url, from, size, transferred, milliseconds: time }: RequestRecord): HTMLElement {
  const { origin, pathname } = new URL(url);
  const how =
    transferred === undefined || size === undefined
      ? text.network.hidden
      : transferred === 0
        ? text.network.fromCache(bytes(size))
        : bytes(size);
  return h(
    'li',
    {},
    h('code', {}, origin === location.origin ? pathname : url),
    h('span', { class: 'hint' }, `${text.network.from[from]} · ${how} · ${milliseconds(time)}`),
  );
}
