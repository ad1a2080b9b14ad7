/** What the shop's suggestions know of the visitor: the panel that any shop may put into a page of its own. */

import { button, h } from '../dom';
import { page } from '../shell';
import { text } from '../texts';
import type { Context, Page } from '../types';

export function privacyPage({ openPanel }: Context): Page {
  return page(
    text.privacy.title,
    h('div', { class: 'page-head' }, h('h1', {}, text.privacy.title)),
    h('p', { class: 'lead' }, text.privacy.lead[0], button(openPanel, 'link', text.panel.title), text.privacy.lead[1]),
    h('aisle-privacy' as 'div', {}),
  );
}
