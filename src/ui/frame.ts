/** The frame of a slot: what stands in the page before anything is known, as high as what will stand there. */
import type { Strategy } from '../recommender/strategies';
import type { Drawn, Frame } from './host';
import { node } from './node';
import { dress } from './sheet';
import { languageOf, type Texts, textsFor } from './texts';

const DEFAULT_LIMIT = 8;
const MAX_LIMIT = 100;
const MAX_PLACEHOLDERS = 24;

/** Reads the attributes of a slot and draws its frame. What is no number or no name falls back to the default. */
export function draw(element: HTMLElement, pictures: boolean): Drawn {
  const language = languageOf(element);
  const texts = textsFor(language);
  const number = Number(element.getAttribute('limit') ?? Number.NaN);
  const limit = Number.isInteger(number) && number > 0 ? Math.min(number, MAX_LIMIT) : DEFAULT_LIMIT;
  const strategy = element.getAttribute('strategy') ?? 'for-you';
  const asked = { texts, language, limit, strategy };
  return { ...asked, frame: buildFrame(element, asked, pictures) };
}

/** Whether the shop's server has rendered products into the slot: then they stay, and are replaced in place. */
function isServed(element: HTMLElement): boolean {
  return element.querySelector('[data-item-id]') !== null;
}

function buildFrame(element: HTMLElement, { texts, limit, strategy }: Omit<Drawn, 'frame'>, pictures: boolean): Frame {
  const root = element.shadowRoot ?? element.attachShadow({ mode: 'open' });
  dress(root);
  if (isServed(element)) {
    const section = node('div', { part: 'section' }, document.createElement('slot'));
    root.replaceChildren(section);
    return { section };
  }
  const name = nameOf(texts, strategy);
  const text = element.getAttribute('heading') ?? name;
  const list = node('ul', { part: 'list' });
  for (let i = 0; i < Math.min(limit, MAX_PLACEHOLDERS); i++) list.append(placeholder());
  const message = node('p', { part: 'message' });
  const body = node('div', { class: 'body' }, list, message);
  const section = node('section', { part: 'section', class: pictures ? 'busy' : 'busy plain' }, body);
  if (text === '') {
    section.setAttribute('aria-label', name);
  } else {
    const level = /^[1-6]$/.test(element.getAttribute('heading-level') ?? '')
      ? element.getAttribute('heading-level')
      : 2;
    const heading = node(`h${level}`, { part: 'heading', id: 'heading' });
    heading.textContent = text;
    section.prepend(heading);
    section.setAttribute('aria-labelledby', 'heading');
  }
  root.replaceChildren(...[...root.childNodes].filter((child) => child.nodeName === 'STYLE'), section);
  return { section, list, message };
}

function nameOf({ headings }: Texts, strategy: string): string {
  return headings[strategy as Strategy] ?? headings['for-you'];
}

function placeholder(): HTMLElement {
  const card = node('span', { class: 'card' });
  for (const line of ['picture', 'brand', 'title', 'foot']) card.append(node('span', { class: line }));
  return node('li', { part: 'placeholder', class: 'wait', 'aria-hidden': 'true' }, card);
}
