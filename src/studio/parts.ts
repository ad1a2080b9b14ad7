/** What the sections of the studio are made of. */
import { type Child, h, setText, textOf } from '../demo/dom';
import { duration, whole } from '../pipeline/format';
import type { Progress } from '../pipeline/observer';
import { withFields } from './fields';

/** A section with a heading that says which step it is. */
export const section = (id: string, title: string, ...content: readonly Child[]): HTMLElement =>
  h(
    'section',
    { class: 'card stack', id, 'aria-labelledby': `${id}-title` },
    h('h2', { id: `${id}-title` }, title),
    ...content,
  );

let controls = 0;

/** A control under its label, and over what is to be known of it. */
export function field(label: string, control: HTMLElement, hint?: string): HTMLElement {
  control.id = `control-${++controls}`;
  if (hint !== undefined) control.setAttribute('aria-describedby', `${control.id}-hint`);
  return h(
    'div',
    { class: 'field' },
    h('label', { for: control.id }, label),
    control,
    hint !== undefined && h('small', { id: `${control.id}-hint` }, hint),
  );
}

export interface Option {
  readonly value: string;
  readonly label: string;
}

export const select = (options: readonly Option[], value: string, changed: (value: string) => void = () => {}) => {
  const element = h('select', { on: { change: () => changed(element.value) } });
  element.append(...options.map((option) => h('option', { value: option.value }, option.label)));
  element.value = value;
  return element;
};

/** A table that scrolls sideways, also by keyboard. */
export const table = (name: string, titles: readonly string[], rows: readonly HTMLElement[]): HTMLElement =>
  h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': name },
    h(
      'table',
      {},
      h('thead', {}, h('tr', {}, ...titles.map((title) => h('th', { scope: 'col' }, title)))),
      h('tbody', {}, ...rows),
    ),
  );

export const row = (name: Child, ...cells: readonly Child[]): HTMLElement =>
  h('tr', {}, h('th', { scope: 'row' }, name), ...cells.map((cell) => h('td', {}, cell)));

/** Numbers with their names. */
export const tiles = (values: readonly (readonly [name: string, value: string])[]): HTMLElement =>
  h('dl', { class: 'tiles' }, ...values.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));

/** Sentences about work: what is going on, what to know, what failed. */
export function messages() {
  const list = h('ul', {});
  const alert = h('p', { class: 'alert', role: 'alert', hidden: true });
  return {
    element: h('div', { class: 'stack' }, h('div', { class: 'messages', role: 'status' }, list), alert),
    add(level: 'info' | 'warning', text: string): void {
      list.append(h('li', { class: level }, withFields(text)));
    },
    fail(error: unknown): void {
      alert.hidden = false;
      setText(alert, withFields(textOf(error)));
    },
    clear(): void {
      list.replaceChildren();
      alert.hidden = true;
      setText(alert, '');
    },
  };
}

/** What is shown on request. */
export const details = (title: string, ...content: readonly Child[]): HTMLDetailsElement =>
  h('details', { class: 'stack' }, h('summary', {}, title), ...content);

/** A bar with how far work is. It is hidden while there is none. */
export function progressBar() {
  const bar = h('progress', { 'aria-label': 'Progress', max: 1 });
  const text = h('span', { class: 'note' });
  const element = h('div', { class: 'progress', hidden: true }, bar, text);
  return {
    element,
    show({ label, done, total, note, isFinished }: Progress, rest = ''): void {
      element.hidden = isFinished;
      if (total > 0) bar.value = done / total;
      else bar.removeAttribute('value');
      setText(text, [label, note, rest].filter((part) => part !== undefined && part !== '').join(' · '));
    },
    hide(): void {
      element.hidden = true;
    },
  };
}

export const bytesOf = (bytes: number): string =>
  bytes < 1e6 ? `${whole(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

export const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;

export { duration, whole };
