/** "Your visit": all that is known of the visitor, whether it is kept on the device, and the button that erases it. */
import type { Status } from '../recommender';
import type { PrivacyExport } from '../recommender/privacy';
import { h } from './dom';
import { href } from './routes';
import { tile } from './shelf';
import { productOf, type Shop } from './shop';
import type { Visit } from './visit';

export interface VisitPanel {
  readonly element: HTMLDialogElement;
  open(): Promise<void>;
  /** Says anew where the visit is. */
  describe(): void;
}

const KINDS: Readonly<Record<string, string>> = { view: '', cart: 'put into the basket', purchase: 'bought' };

/** @param forgotten Called after the visit was forgotten. */
export function visitPanel(shop: Shop, visit: Visit, forgotten: () => void): VisitPanel {
  const list = h('div', { class: 'visit-lists' });
  const where = h('p', { class: 'visit-where', role: 'status' });
  const close = (): void => element.close();
  const keep = h('input', { type: 'checkbox', on: { change: () => attempt(() => visit.keep(keep.checked)) } });
  const forget = h(
    'button',
    {
      class: 'button',
      type: 'button',
      on: {
        click: () =>
          attempt(async () => {
            await visit.forget();
            close();
            forgotten();
          }),
      },
    },
    'Forget this visit',
  );
  const element = h(
    'dialog',
    { class: 'panel', 'aria-labelledby': 'visit-title' },
    h(
      'div',
      { class: 'panel-head' },
      h('h2', { id: 'visit-title' }, 'Your visit'),
      h('button', { class: 'row-button', type: 'button', 'aria-label': 'Close', on: { click: close } }, '×'),
    ),
    h('label', { class: 'visit-keep' }, keep, 'Keep my visits on this device'),
    where,
    list,
    forget,
  );
  // A click on the backdrop has the dialog itself as its target.
  element.addEventListener('click', (event) => {
    if (event.target === element || (event.target as Element).closest('a')) close();
  });

  async function attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch {
      // What the device did not do is in `status`, and said by `describe`.
    }
    if (element.open) await refresh();
    describe();
  }

  function describe(): void {
    where.textContent = place(visit.status);
    keep.checked = visit.isKept;
  }

  async function refresh(): Promise<void> {
    const { sessions } = await visit.known();
    const newestFirst = [...sessions].reverse();
    list.replaceChildren(...newestFirst.flatMap((session, i) => sessionList(shop, session, i)));
    if (sessions.length === 0) list.append(h('p', { class: 'hint' }, 'Nothing yet.'));
    forget.disabled = sessions.length === 0;
  }

  return {
    element,
    describe,
    async open() {
      describe();
      element.showModal();
      await refresh();
    },
  };
}

function sessionList(shop: Shop, session: PrivacyExport['sessions'][number], i: number): HTMLElement[] {
  const started = new Date(session[0]?.time ?? 0).toLocaleString(undefined, {
    dateStyle: 'medium',
    timeStyle: 'short',
  });
  const lines = [...session].reverse().flatMap(({ itemId, event }) => {
    const product = productOf(shop, itemId);
    if (product === undefined) return [];
    const kind = KINDS[event] ?? event;
    return h(
      'li',
      {},
      h('a', { href: href({ page: 'product', id: itemId }) }, tile(product, ''), product.title),
      kind !== '' && h('span', { class: 'hint' }, ` ${kind}`),
    );
  });
  return [i > 0 && h('h3', {}, started), h('ol', { class: 'visit-list' }, ...lines)].filter((part) => part !== false);
}

/** Where the visit is, in a sentence that is true. */
function place(status: Status | undefined): string {
  const trouble = status?.degraded.find(({ code }) => ['no-storage', 'storage-full', 'not-erased'].includes(code));
  if (trouble) return trouble.message;
  switch (status?.storage) {
    case 'indexeddb':
      return 'What you looked at. It is stored in this browser, on this device, and never sent anywhere.';
    case 'idle':
      return 'What you looked at. This browser is being asked to store it; it is never sent anywhere.';
    default:
      return 'What you looked at. It is kept in this page’s memory, never sent anywhere, and gone when you close the page.';
  }
}
