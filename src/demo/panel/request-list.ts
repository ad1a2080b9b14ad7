/** What has gone out, in bytes, and every request behind the figure. */
import { h, setText } from '../dom';
import type { Network } from '../network';
import { type RequestRecord, sentWith } from '../requests';
import { bytes, milliseconds } from './controls';

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
  const more = sent.uncounted === 0 ? '' : `, and ${sent.uncounted} whose size no page is told`;
  return `${bytes(sent.bytes)} sent, in the bodies and queries of ${records.length} requests${more}.`;
}

function line({ url, from, size, transferred, milliseconds: time }: RequestRecord): HTMLElement {
  const { origin, pathname } = new URL(url);
  const how =
    transferred === undefined || size === undefined
      ? 'its host does not tell how large, or whether from the cache'
      : `${bytes(size)}${transferred === 0 ? ', from the browser’s cache' : ''}`;
  return h(
    'li',
    {},
    h('code', {}, origin === location.origin ? pathname : url),
    h('span', { class: 'hint' }, `${from} · ${how} · ${milliseconds(time)}`),
  );
}
