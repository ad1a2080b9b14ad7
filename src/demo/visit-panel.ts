/** "Your visit": all that the page knows of its visitor, and the button that forgets it. */
import { h } from './dom';
import { href } from './routes';
import { tile } from './shelf';
import { productOf, type Shop } from './shop';
import type { Visit } from './visit';

export interface VisitPanel {
  readonly element: HTMLDialogElement;
  open(): void;
}

/** @param forgotten Called after the visit was forgotten. */
export function visitPanel(shop: Shop, visit: Visit, forgotten: () => void): VisitPanel {
  const list = h('ol', { class: 'visit-list' });
  const close = (): void => element.close();
  const forget = h(
    'button',
    {
      class: 'button',
      type: 'button',
      on: {
        click: async () => {
          await visit.forget();
          close();
          forgotten();
        },
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
    h(
      'p',
      {},
      'What you looked at. It is kept in this page’s memory, never sent anywhere, and gone when you close the page.',
    ),
    list,
    forget,
  );
  // A click on the backdrop has the dialog itself as its target.
  element.addEventListener('click', (event) => {
    if (event.target === element || (event.target as Element).closest('a')) close();
  });

  return {
    element,
    open() {
      const looked = [...visit.looked].reverse().flatMap((id) => productOf(shop, id) ?? []);
      list.replaceChildren(
        ...(looked.length === 0
          ? [h('li', { class: 'hint' }, 'Nothing yet.')]
          : looked.map((product) =>
              h(
                'li',
                {},
                h('a', { href: href({ page: 'product', id: product.id }) }, tile(product, ''), product.title),
              ),
            )),
      );
      forget.disabled = looked.length === 0;
      element.showModal();
    },
  };
}
