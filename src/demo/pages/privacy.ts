/** What the shop's suggestions know of the visitor: the panel that any shop may put into a page of its own. */

import { button, h } from '../dom';
import { page } from '../shell';
import type { Context, Page } from '../types';

export function privacyPage({ openPanel }: Context): Page {
  return page(
    'Privacy',
    h('div', { class: 'page-head' }, h('h1', {}, 'Privacy')),
    h(
      'p',
      { class: 'lead' },
      'This shop has no server that could know you. What follows is all there is, and it is yours. ',
      button(openPanel, 'link', 'Behind the counter'),
      ' keeps your visits on this device, if you like, and lists every request.',
    ),
    h('aisle-privacy' as 'div', {}),
  );
}
