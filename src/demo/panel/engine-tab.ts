/** What computes: the model, the backend and how it was chosen, and how long each recommendation took. */

import type { Start } from '../documents';
import { h, setText } from '../dom';
import { nearestBackend, withPages, withSetting } from '../settings';
import { language, locale } from '../texts';
import type { Answer, Visit } from '../visit';
import { architectureName } from './architecture-name';
import { bytes, choice, facts, milliseconds } from './controls';
import { engineName } from './engine-name';
import { text } from './texts';
import type { PanelContext, Tab } from './types';

const SHOWN = 12;
export function engineTab({ visit, settings, start }: PanelContext): Tab {
  const backend = choice(text.engine.backend, text.frame.backends, (value) => {
    history.replaceState(history.state, '', withSetting(location.href, 'backend', value));
    visit.restart({ backend: value }).catch(() => {}); // `describe` shows it
  });
  const { unknownBackend } = settings;
  const { near, known } = nearestBackend(unknownBackend ?? '');
  const name = h('p', { class: 'engine-name' });
  const why = h('p', { class: 'engine-why' });
  const troubles = h('ul', { class: 'troubles' });
  const pages = choice(text.engine.pages, text.engine.pagesChoice, (value) =>
    location.assign(withPages(location.href, value)),
  );
  pages.show(settings.hasDocuments ? 'many' : 'one');
  const first = h('div', {});
  const model = h('div', {});
  const timings = h('div', {});

  return {
    name: text.frame.tabs.engine,
    element: h(
      'div',
      {},
      backend.element,
      h('div', { class: 'engine-card', role: 'status' }, name, why),
      troubles,
      h('h3', {}, text.engine.times),
      timings,
      h('h3', {}, text.engine.start),
      first,
      pages.element,
      h('p', { class: 'hint' }, text.engine.pagesText),
      h('h3', {}, text.engine.model),
      model,
    ),
    describe() {
      backend.show(visit.options.backend);
      setText(name, engineName(visit));
      const said = visit.failure ?? visit.status?.engine?.why;
      why.lang = said === undefined ? language : 'en'; // the library speaks English
      setText(why, said ?? text.engine.meanwhile);
      troubles.replaceChildren(
        ...(unknownBackend === undefined ? [] : [h('li', {}, text.frame.unknownBackend(unknownBackend, near, known))]),
        ...(visit.status?.degraded ?? []).map((one) => h('li', {}, text.degraded[one.code] ?? one.message)),
      );
      model.replaceChildren(modelFacts(visit));
      first.replaceChildren(...startFacts(start));
      timings.replaceChildren(...timingList(visit.answers));
    },
  };
}

/** How soon the document's suggestions came, and those of the documents before. */
function startFacts({ document, script, suggestions, earlier }: Start): HTMLElement[] {
  const when = (time: number | undefined): string => (time === undefined ? text.engine.none : milliseconds(time));
  return [
    facts([
      [text.engine.document, when(document)],
      [text.engine.script, when(script)],
      [text.engine.suggestions, when(suggestions)],
      ...(earlier.length === 0
        ? []
        : [
            [
              text.engine.earlier,
              [...earlier]
                .reverse()
                .map((time) => milliseconds(time))
                .join(', '),
            ] as const,
          ]),
    ]),
  ];
}

function modelFacts({ status }: Visit): HTMLElement {
  const { model } = status ?? {};
  if (model === undefined) return h('p', { class: 'hint' }, text.engine.notYet);
  return facts([
    [text.engine.architecture, architectureName(model.architecture)],
    [text.engine.products, model.items.toLocaleString(locale)],
    [text.engine.parameters, model.parameters.toLocaleString(locale)],
    [text.engine.memory, bytes(model.bytes)],
    [text.engine.version, `${model.name} ${model.version}`],
  ]);
}

/** The newest answers as bars, beside the longest of them; and their median. */
function timingList(answers: readonly Answer[]): HTMLElement[] {
  if (answers.length === 0) return [h('p', { class: 'hint' }, text.engine.none)];
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
      h('span', { class: 'timing-name' }, text.engine.reasons[reason ?? ''] ?? text.engine.otherReason),
      h('span', { class: 'timing-note' }, text.engine.on(items, backend && text.frame.backends[backend])),
      bar,
      h('span', { class: 'timing-value' }, milliseconds(time)),
    );
  };
  return [
    h('p', { class: 'hint' }, text.engine.median(answers.length, milliseconds(median))),
    h('ol', { class: 'timings' }, ...shown.map(line)),
  ];
}
