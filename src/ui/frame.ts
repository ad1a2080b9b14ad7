/** The frame of a slot: placeholders with the final height until the products are known. */
import type { Strategy } from '../recommender/types';
import { applyStyles } from './sheet';
import { languageOf, type Texts, textsFor } from './texts';
import type { Drawn, Frame } from './types';

const DEFAULT_LIMIT = 8;
const MAX_LIMIT = 100;
const MAX_PLACEHOLDERS = 24;

/**
 * Reads the attributes of a slot and draws its frame, or draws them into the frame that it has: its cards
 * stay until there are others. What is no number or no name falls back to the default.
 */
export function draw(element: HTMLElement, pictures: boolean, before?: Drawn): Drawn {
  const language = languageOf(element);
  const texts = textsFor(language);
  const number = Number(element.getAttribute('limit') ?? Number.NaN);
  const limit = Number.isInteger(number) && number > 0 ? Math.min(number, MAX_LIMIT) : DEFAULT_LIMIT;
  const strategy = element.getAttribute('strategy') ?? 'for-you';
  const known = before?.frame;
  const frame = known && !(known.list && isServed(element)) ? known : buildFrame(element);
  if (frame.list !== undefined) {
    const { section, list, message } = frame;
    section.classList.toggle('plain', !pictures);
    drawHeading(section, element, strategy as Strategy, texts);
    Object.assign(message!, texts.language);
    if (before?.limit !== limit) drawPlaceholders(list, limit);
  }
  return { texts, language, limit, strategy, frame };
}

function buildFrame(element: HTMLElement): Frame {
  const root = element.shadowRoot ?? element.attachShadow({ mode: 'open' });
  if (isServed(element)) {
    const section = node('div', { part: 'section' }, node('slot', {}));
    root.replaceChildren(section);
    return { section };
  }
  const list = node('ul', { part: 'list' });
  const message = node('p', { part: 'message' });
  const place = node('div', { class: 'place', 'aria-hidden': 'true' }, node('span', {}, ...placeholder().childNodes));
  const body = node('div', { class: 'body' }, list, place, message);
  const section = node('section', { part: 'section', 'aria-labelledby': 'heading' }, body);
  root.replaceChildren(section);
  applyStyles(root);
  return { section, list, message };
}

/** Whether the shop's server has rendered products into the slot: then they stay, and are replaced in place. */
function isServed(element: HTMLElement): unknown {
  return element.querySelector('[data-item-id]');
}

/** A slot without a visible heading (`heading=""`) keeps a hidden one, which names it to a screen reader. */
function drawHeading(section: HTMLElement, element: HTMLElement, strategy: Strategy, texts: Texts): void {
  const given = element.getAttribute('heading');
  const level = /^[1-6]$/.exec(element.getAttribute('heading-level') ?? '')?.[0] ?? '2';
  const heading = node(`h${level}`, {
    id: 'heading',
    ...(given === '' ? { hidden: '' } : { part: 'heading' }),
    ...(given ? {} : texts.language),
  });
  heading.textContent = given || (texts.headings[strategy] ?? texts.headings['for-you']);
  section.querySelector('#heading')?.remove();
  section.prepend(heading);
}

/** As many as there will be cards; behind cards, none beyond the limit. */
function drawPlaceholders(list: HTMLElement, limit: number): void {
  if (list.querySelector('a') === null) {
    list.replaceChildren(...Array.from({ length: Math.min(limit, MAX_PLACEHOLDERS) }, placeholder));
  }
  while (list.childElementCount > limit && list.lastElementChild!.matches('.wait')) list.lastElementChild!.remove();
}

/** As large as a card, without a text. */
export function placeholder(): HTMLElement {
  const card = node('span', { class: 'card' });
  for (const line of ['picture', 'brand', 'title', 'foot', 'because']) card.append(node('span', { class: line }));
  return node('li', { part: 'placeholder', class: 'wait', 'aria-hidden': 'true' }, card);
}

/** An element with attributes and children; `part` names it to the shop's style sheets. */
export function node(tag: string, attributes: Readonly<Record<string, string>>, ...children: Node[]): HTMLElement {
  const element = document.createElement(tag);
  for (const name of Object.keys(attributes)) element.setAttribute(name, attributes[name]!);
  element.append(...children);
  return element;
}
