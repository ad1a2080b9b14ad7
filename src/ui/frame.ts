/** The frame of a slot: what stands in the page before anything is known, as high as what will stand there. */
import type { Strategy } from '../recommender/strategies';
import type { Drawn, Frame } from './host';
import { node } from './node';
import { dress } from './sheet';
import { languageOf, textsFor } from './texts';

const DEFAULT_LIMIT = 8;
const MAX_LIMIT = 100;
const MAX_PLACEHOLDERS = 24;

/**
 * Reads the attributes of a slot and draws its frame, or draws them into the frame that it has: cards that stand there
 * stay until there are others. What is no number or no name falls back to the default.
 */
export function draw(element: HTMLElement, pictures: boolean, before?: Drawn): Drawn {
  const language = languageOf(element);
  const texts = textsFor(language);
  const number = Number(element.getAttribute('limit') ?? Number.NaN);
  const limit = Number.isInteger(number) && number > 0 ? Math.min(number, MAX_LIMIT) : DEFAULT_LIMIT;
  const strategy = element.getAttribute('strategy') ?? 'for-you';
  const frame = before?.frame ?? buildFrame(element);
  if (frame.list !== undefined) {
    const { section, list } = frame;
    section.classList.toggle('plain', !pictures);
    drawHeading(section, element, texts.headings[strategy as Strategy] ?? texts.headings['for-you']);
    if (before?.limit !== limit && list.querySelector('a') === null) drawPlaceholders(list, limit);
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
  const body = node('div', { class: 'body' }, list, message);
  const section = node('section', { part: 'section' }, body);
  root.replaceChildren(section);
  dress(root);
  return { section, list, message };
}

/** Whether the shop's server has rendered products into the slot: then they stay, and are replaced in place. */
function isServed(element: HTMLElement): boolean {
  return element.querySelector('[data-item-id]') !== null;
}

/** @param name What the slot is called where it has no heading, or none of its own. */
function drawHeading(section: HTMLElement, element: HTMLElement, name: string): void {
  const text = element.getAttribute('heading') ?? name;
  const level = /^[1-6]$/.exec(element.getAttribute('heading-level') ?? '')?.[0] ?? '2';
  section.querySelector('[part=heading]')?.remove();
  section.setAttribute('aria-label', text === '' ? name : text);
  if (text === '') return;
  const heading = node(`h${level}`, { part: 'heading' });
  heading.textContent = text;
  section.prepend(heading);
}

function drawPlaceholders(list: HTMLElement, limit: number): void {
  const card = node('span', { class: 'card' });
  for (const line of ['picture', 'brand', 'title', 'foot', 'because']) card.append(node('span', { class: line }));
  const item = node('li', { part: 'placeholder', class: 'wait', 'aria-hidden': 'true' }, card);
  list.replaceChildren(...Array.from({ length: Math.min(limit, MAX_PLACEHOLDERS) }, () => item.cloneNode(true)));
}
