/** What the shop's suggestions know of the visitor: the panel that any shop may put into a page of its own. */

import { h } from '../dom';
import type { Context, Page } from '../types';

export function privacyPage({ openPanel }: Context): Page {
  const more = h('button', { class: 'link', type: 'button', on: { click: openPanel } }, 'Behind the counter');
  return {
    title: 'Privacy',
    content: h(
      'div',
      { class: 'page' },
      h('div', { class: 'page-head' }, h('h1', {}, 'Privacy')),
      h(
        'p',
        { class: 'lead' },
        'This shop has no server that could know you. What follows is all there is, and it is yours. ',
        more,
        ' keeps your visits on this device, if you like, and lists every request.',
      ),
      h('aisle-privacy' as 'div', {}),
    ),
  };
}
