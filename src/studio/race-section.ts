/** The third step: all models on the same held-out sessions, one session click by click, and where a network has the items. */
import { button, h, setText } from '../demo/dom';
import type { TrainingEpoch } from '../pipeline/observer';
import type { Slice } from '../pipeline/validation';
import { bytesOf, details, duration, field, messages, row, section, select, table, whole } from './parts';
import { intervalPlot, scatterPlot } from './plots';
import type { Bench } from './protocol';
import type { LogState, Row } from './types';

/** Models whose lists are side by side at first. */
const SIDE_BY_SIDE = 3;
/** Categories of the map that have a colour of their own. */
const GROUPS = 7;

/** What keeps the worker busy, and how long the rest of the section waits. */
const BUSY = {
  training: 'While a model trains, sessions and the map wait. Pause it to look at them.',
  counting: 'Sessions and the map follow once the models that count are measured.',
} as const;
export type Work = keyof typeof BUSY;

interface RaceSection {
  readonly element: HTMLElement;
  /** Begins again on a log. */
  open(log: LogState): void;
  add(row: Row): void;
  /** What a network that trains has reached after an epoch. */
  epoch(name: string, epoch: TrainingEpoch): void;
  remove(name: string): void;
  /** Some work has the worker for itself, or, without one, none. */
  setBusy(work: Work | undefined): void;
}

export function raceSection(bench: Bench): RaceSection {
  const rows = new Map<string, Row>();
  let heldOut: LogState['heldOut'];
  let session = 0;
  let products: Awaited<ReturnType<Bench['products']>> = {};
  let walked: readonly string[] = [];
  let work: Work | undefined;
  /** The network that trains, with its newest epoch that was measured. */
  let running: { readonly name: string; readonly epoch: TrainingEpoch } | undefined;
  /** Models of the lists that the visitor has chosen; undefined for the best. */
  let chosen: ReadonlySet<string> | undefined;
  const board = h('div', { class: 'stack' });
  const notices = messages();
  const replay = h('div', { class: 'replay', tabindex: 0, role: 'region', 'aria-label': 'The session' });
  const map = h('div', {});
  const number = h('input', {
    type: 'number',
    min: 1,
    value: 1,
    on: { change: () => void show(number.valueAsNumber - 1) },
  });
  const acts = [
    button(() => void show(session - 1), 'button quiet small', 'Before'),
    button(() => void show(session + 1), 'button quiet small', 'Next'),
    button(() => void show(Math.floor(Math.random() * (heldOut?.sessions ?? 1))), 'button quiet small', 'Any'),
  ];
  const beside = h('fieldset', { class: 'choices' });
  const mapped = select([], '', () => void place());
  const later = h('p', { class: 'soft', hidden: true });
  const mapping = h(
    'div',
    { class: 'stack' },
    h('h3', {}, 'Where a network has the items'),
    h(
      'p',
      { class: 'soft' },
      'The most clicked items by the first two principal components of their vectors. The numbers are the clicks of the session above.',
    ),
    field('Network', mapped),
    map,
  );
  const sessions = h(
    'div',
    { class: 'stack' },
    h('h3', {}, 'A session, click by click'),
    h(
      'p',
      { class: 'soft' },
      'What models suggest after each click. The product that was really clicked next is marked.',
    ),
    h('div', { class: 'acts' }, field('Session', number), ...acts),
    beside,
    replay,
    mapping,
  );
  const element = section(
    'race',
    '3. Race',
    h(
      'p',
      {},
      'All models on the same held-out sessions: every item is ranked, ties count against the model, intervals are 95 % over sessions.',
    ),
    board,
    later,
    notices.element,
    sessions,
  );

  const best = (): Row[] =>
    [...rows.values()].sort((a, b) => (b.standing?.mrr.mean.mean ?? -1) - (a.standing?.mrr.mean.mean ?? -1));

  function draw(): void {
    const all = best();
    const measured = all.filter(({ standing }) => standing);
    const rival = all.find((one) => one.rival !== undefined)?.rival;
    const lines = all.map((one) => {
      const { name, standing, seconds, bytes, answer } = one;
      const gain = standing?.mrr.gain;
      return row(
        name,
        standing ? value(standing.recall.mean) : '–',
        standing ? value(standing.mrr.mean) : '–',
        gain ? value(gain, true) : name === rival ? 'the best that counts' : '–',
        duration(seconds) === '0 s' ? 'under 1 s' : duration(seconds),
        bytes === undefined ? '–' : bytesOf(bytes),
        answer === undefined
          ? '–'
          : h('span', { title: `backend ${answer.backend}` }, `${answer.milliseconds.toFixed(2)} ms`),
      );
    });
    if (running) {
      const { epoch, valid } = running.epoch;
      const reached = (metric: string) => valid![metric]!.toFixed(4).replace(/^0/, '');
      const name = h('span', {}, running.name, h('small', {}, `trains, epoch ${epoch}`));
      lines.push(row(name, reached('recall@20'), reached('mrr@20'), '–', '–', '–', '–'));
    }
    const titles = ['model', 'Recall@20', 'MRR@20', 'MRR@20 beside counting', 'trained in', 'files', 'answers in'];
    const intervals = measured.map(({ name, standing, isCounted }) => ({
      name,
      ...standing!.mrr.mean,
      isMarked: !isCounted,
    }));
    board.replaceChildren(
      table('All models', titles, lines),
      ...(all.some(({ isCounted }) => !isCounted)
        ? [
            h(
              'p',
              { class: 'soft' },
              'A network has chosen its number of epochs on these very sessions, so its figures are a little too good.',
            ),
          ]
        : []),
      ...(intervals.length > 0 ? [intervalPlot('MRR@20 with its interval', intervals)] : []),
      ...measured.flatMap(({ name, isCounted, slices, rival }) =>
        isCounted || !slices ? [] : [slicesOf(name, rival!, slices)],
      ),
    );
    const networks = measured.filter(({ isCounted }) => !isCounted).map(({ name }) => ({ value: name, label: name }));
    const { value: shown } = mapped;
    mapped.replaceChildren(...networks.map((one) => h('option', { value: one.value }, one.label)));
    if (networks.some((one) => one.value === shown)) mapped.value = shown;
    const side = sideBySide();
    beside.replaceChildren(
      h('legend', {}, 'Side by side'),
      ...measured.map(({ name }) => {
        const box = h('input', { type: 'checkbox', value: name, on: { change: choose } });
        box.checked = side.includes(name);
        return h('label', { class: 'check' }, box, name);
      }),
    );
    mapping.hidden = networks.length === 0;
    sessions.hidden = measured.length === 0;
  }

  /** Names of the models whose lists are shown, best first, networks before those that count. */
  function sideBySide(): string[] {
    const measured = best().filter(({ standing }) => standing);
    const [networks, counting] = [false, true].map((is) => measured.filter(({ isCounted }) => isCounted === is));
    const first = networks!.slice(0, SIDE_BY_SIDE - 1);
    const usual = [...first, ...counting!.slice(0, SIDE_BY_SIDE - first.length)];
    const shown = chosen ? [...networks!, ...counting!].filter(({ name }) => chosen!.has(name)) : usual;
    return shown.map(({ name }) => name);
  }

  function choose(): void {
    const boxes = [...beside.querySelectorAll('input')];
    chosen = new Set(boxes.filter(({ checked }) => checked).map(({ value }) => value));
    void show(session);
  }

  /** Shows the session, and the map of the network, of what there is now. */
  function refresh(): void {
    if (!work && !sessions.hidden) void show(session);
  }

  const titleOf = (id: string): string => products[id]?.title ?? id;

  /** @param wanted A number beyond either end goes on from the other; one that is not whole leaves the session as it is. */
  async function show(wanted: number): Promise<void> {
    if (!heldOut) return;
    if (Number.isInteger(wanted)) session = ((wanted % heldOut.sessions) + heldOut.sessions) % heldOut.sessions;
    number.value = String(session + 1);
    notices.clear();
    try {
      const { names, steps } = await bench.replay(sideBySide(), session);
      walked = steps.map(({ item }) => item);
      replay.replaceChildren(
        ...steps.map(({ item, next, answers }, i) =>
          h(
            'div',
            { class: 'step' },
            h('p', {}, h('strong', {}, `${i + 1}. `), titleOf(item)),
            h(
              'div',
              { class: 'lists' },
              ...(answers ?? []).map(({ items, rank }, m) =>
                h(
                  'div',
                  {},
                  h('h4', {}, `${names[m]}: rank ${whole(rank)}`),
                  h(
                    'ol',
                    {},
                    ...items.map((id) =>
                      id === next ? h('li', { class: 'hit' }, titleOf(id), ' ✓') : h('li', {}, titleOf(id)),
                    ),
                  ),
                ),
              ),
            ),
            next !== undefined && h('p', { class: 'soft' }, `Clicked next: ${titleOf(next)}`),
          ),
        ),
      );
      await place();
    } catch (error) {
      notices.fail(error);
    }
  }

  async function place(): Promise<void> {
    const { value: name } = mapped;
    if (name === '') return;
    notices.clear();
    try {
      const items = (await bench.map(name)) ?? [];
      const categories = new Map<string, number>();
      for (const { item } of items) {
        const category = products[item]?.category;
        if (category !== undefined) categories.set(category, (categories.get(category) ?? 0) + 1);
      }
      const groups = [...categories]
        .sort((a, b) => b[1] - a[1])
        .slice(0, GROUPS)
        .map(([category]) => category);
      const dots = items.map(({ item, x, y }) => {
        const group = groups.indexOf(products[item]?.category ?? '');
        return { id: item, name: titleOf(item), x, y, ...(group >= 0 && { group }) };
      });
      const known = new Set(items.map(({ item }) => item));
      const missing = walked.flatMap((item, i) => (known.has(item) ? [] : [String(i + 1)]));
      map.replaceChildren(
        scatterPlot(`Items of ${name}`, dots, walked, groups),
        ...(missing.length > 0
          ? [h('p', { class: 'soft' }, `Too seldom clicked for the map: ${missing.join(', ')}.`)]
          : []),
      );
    } catch (error) {
      notices.fail(error);
    }
  }

  return {
    element,
    open(log) {
      rows.clear();
      replay.replaceChildren();
      map.replaceChildren();
      walked = [];
      heldOut = log.heldOut;
      number.max = String(heldOut?.sessions ?? 1);
      void bench.products().then((found) => {
        products = found;
        refresh();
      }, notices.fail);
      session = 0;
      chosen = undefined;
      draw();
    },
    add(one) {
      rows.set(one.name, one);
      if (running?.name === one.name) running = undefined;
      draw();
    },
    epoch(name, epoch) {
      if (!epoch.valid) return;
      running = { name, epoch };
      draw();
    },
    remove(name) {
      rows.delete(name);
      draw();
      refresh();
    },
    setBusy(now) {
      work = now;
      if (!now && running) {
        running = undefined;
        draw();
      }
      later.hidden = !now;
      if (now) setText(later, BUSY[now]);
      for (const control of [...acts, number, mapped, beside]) control.disabled = now !== undefined;
      refresh();
    },
  };
}

/** A mean and its interval. */
function value(
  { mean, low, high }: { readonly mean: number; readonly low: number; readonly high: number },
  isGain = false,
): HTMLElement {
  const shown = (number: number): string => {
    const text = Math.abs(number).toFixed(4).replace(/^0/, '');
    return number < 0 ? `−${text}` : isGain ? `+${text}` : text;
  };
  return h('span', {}, shown(mean), h('small', {}, `${shown(low)} to ${shown(high)}`));
}

function slicesOf(name: string, rival: string, { byClicks, byLastItem }: NonNullable<Row['slices']>): HTMLElement {
  const lines = (of: readonly Slice[], what: string) =>
    of.map(({ label, predictions, model, baseline }) =>
      row(
        `${what} ${label}`,
        whole(predictions),
        predictions === 0 ? '–' : model['mrr@20']!.toFixed(4),
        predictions === 0 ? '–' : baseline['mrr@20']!.toFixed(4),
      ),
    );
  return details(
    `Where ${name} is better, and where worse`,
    table(
      `Parts of the predictions of ${name}`,
      ['part', 'predictions', `${name}, MRR@20`, `${rival}, MRR@20`],
      [...lines(byClicks, 'clicks seen:'), ...lines(byLastItem, 'item clicked last:')],
    ),
  );
}
