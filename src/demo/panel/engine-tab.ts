/** What computes: the model, the backend and how it was chosen, and how long each recommendation took. */

import { h, setText } from '../dom';
import { architectureName } from '../row-reason';
import { BACKENDS, withSetting } from '../settings';
import type { Answer, Visit } from '../visit';
import { bytes, choice, facts, milliseconds } from './controls';
import type { PanelContext, Tab } from './types';

const SHOWN = 12;
/** What kind of answer it was. */
const REASONS: Readonly<Record<string, string>> = {
  neural: 'For you',
  related: 'Related',
  popular: 'Popular',
  recent: 'Recent',
};

export function engineTab({ visit, notes }: PanelContext): Tab {
  const backend = choice('Backend', BACKENDS, (value) => {
    history.replaceState(history.state, '', withSetting(location.href, 'backend', value));
    visit.restart({ backend: value }).catch(() => {}); // `describe` shows it
  });
  const name = h('p', { class: 'engine-name' });
  const why = h('p', { class: 'engine-why' });
  const troubles = h('ul', { class: 'troubles' });
  const model = h('div', {});
  const timings = h('div', {});

  return {
    name: 'Engine',
    element: h(
      'div',
      {},
      backend.element,
      h('div', { class: 'engine-card', role: 'status' }, name, why),
      troubles,
      h('h3', {}, 'Time of each recommendation'),
      timings,
      h('h3', {}, 'Model'),
      model,
    ),
    describe() {
      backend.show(visit.options.backend);
      setText(name, engineName(visit));
      setText(why, visit.failure ?? visit.status?.engine?.why ?? 'The shop works meanwhile.');
      const sentences = [...notes, ...(visit.status?.degraded ?? []).map(({ message }) => message)];
      troubles.replaceChildren(...sentences.map((sentence) => h('li', {}, sentence)));
      model.replaceChildren(modelFacts(visit));
      timings.replaceChildren(...timingList(visit.answers));
    },
  };
}

function engineName({ status, failure, loading }: Visit): string {
  if (failure !== undefined && status?.engine === undefined) return 'The model could not be loaded';
  if (status?.engine === undefined)
    return loading === 0 ? 'The model is loading' : `The model is loading: ${bytes(loading)}`;
  const { backend, thread } = status.engine;
  return `${BACKENDS[backend]}, ${thread === 'worker' ? 'in a worker' : 'in the page’s own thread'}`;
}

function modelFacts({ status }: Visit): HTMLElement {
  const { model } = status ?? {};
  if (model === undefined) return h('p', { class: 'hint' }, 'Not loaded yet.');
  return facts([
    ['Architecture', architectureName(model.architecture)],
    ['Products', model.items.toLocaleString()],
    ['Parameters', model.parameters.toLocaleString()],
    ['Memory of the weights', bytes(model.bytes)],
    ['Name and version', `${model.name} ${model.version}`],
  ]);
}

/** The newest answers as bars, beside the longest of them; and their median. */
function timingList(answers: readonly Answer[]): HTMLElement[] {
  if (answers.length === 0) return [h('p', { class: 'hint' }, 'None yet.')];
  const shown = answers.slice(-SHOWN).reverse();
  const longest = Math.max(...shown.map((answer) => answer.milliseconds));
  const sorted = answers.map((answer) => answer.milliseconds).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const line = ({ reason, milliseconds: time, backend, items }: Answer): HTMLElement => {
    const bar = h('span', { class: 'bar', 'aria-hidden': 'true' });
    bar.style.setProperty('--part', String(longest === 0 ? 0 : time / longest));
    return h(
      'li',
      {},
      h('span', { class: 'timing-name' }, REASONS[reason ?? ''] ?? 'Other'),
      h('span', { class: 'timing-note' }, `${items} on ${backend ? BACKENDS[backend] : 'nothing'}`),
      bar,
      h('span', { class: 'timing-value' }, milliseconds(time)),
    );
  };
  const count = answers.length === 1 ? 'One recommendation' : `The last ${answers.length} recommendations`;
  return [
    h('p', { class: 'hint' }, `${count}, computed on this device. Median: ${milliseconds(median)}.`),
    h('ol', { class: 'timings' }, ...shown.map(line)),
  ];
}
