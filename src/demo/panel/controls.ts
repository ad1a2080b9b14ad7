/** The panel's switches and figures. */
import { h } from '../dom';

export interface Choice<T extends string> {
  readonly element: HTMLFieldSetElement;
  /** Shows what is chosen; undefined where nothing is. */
  show(value: T | undefined): void;
}

/** Each is a group of its own. */
let choices = 0;

/** One of a few, side by side. */
export function choice<T extends string>(
  legend: string,
  options: Readonly<Record<T, string>>,
  chosen: (value: T) => void,
): Choice<T> {
  const name = `choice-${++choices}`;
  const inputs = (Object.keys(options) as T[]).map((value) =>
    h('input', { type: 'radio', name, value, on: { change: () => chosen(value) } }),
  );
  const labels = inputs.map((input) => h('label', {}, input, h('span', {}, options[input.value as T])));
  return {
    element: h('fieldset', { class: 'choice' }, h('legend', {}, legend), h('div', { class: 'segments' }, ...labels)),
    show(value) {
      for (const input of inputs) input.checked = input.value === value;
    },
  };
}

/** On or off, with a sentence about what it does. */
export function toggle(label: string, text: string, changed: (on: boolean) => void): HTMLLabelElement {
  const input = h('input', { type: 'checkbox', role: 'switch', on: { change: () => changed(input.checked) } });
  return h('label', { class: 'toggle' }, input, h('span', {}, h('b', {}, label), h('span', { class: 'hint' }, text)));
}

/** Names and values, one below the other. */
export function facts(entries: readonly (readonly [name: string, value: string | Node])[]): HTMLElement {
  return h(
    'dl',
    { class: 'figures' },
    ...entries.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  );
}

export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  const kilobytes = count / 1000;
  return kilobytes < 1000 ? `${kilobytes.toFixed(kilobytes < 10 ? 1 : 0)} kB` : `${(kilobytes / 1000).toFixed(1)} MB`;
}

export function milliseconds(time: number): string {
  return `${time.toFixed(time < 10 ? 1 : 0)} ms`;
}
