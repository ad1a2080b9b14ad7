/** Plots as SVG elements: a page's security policy forbids the styles that texts would carry. */
import { h } from '../demo/dom';
import { type Series, ticks } from '../pipeline/plots';

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 480;
const HEIGHT = 220;
const MARGIN = { left: 52, right: 14, top: 12, bottom: 40 };
/** Classes `c0` … of the style sheet. */
const COLOURS = 8;

function s(
  tag: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: readonly (Node | string)[]
) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

const colour = (i: number): string => `c${i % COLOURS}`;

function figure(title: string, height: number, marks: readonly Node[], ...below: readonly Node[]): HTMLElement {
  const picture = s('svg', { viewBox: `0 0 ${WIDTH} ${height}`, role: 'img', 'aria-label': title }, ...marks);
  return h('figure', { class: 'plot' }, h('figcaption', {}, title), picture, ...below);
}

/** @param entries Names with the number of their colour. */
const legend = (entries: readonly (readonly [name: string, colour: number])[]): HTMLElement =>
  h(
    'ul',
    { class: 'legend' },
    ...entries.map(([name, i]) =>
      h(
        'li',
        {},
        s(
          'svg',
          { viewBox: '0 0 20 8', 'aria-hidden': 'true' },
          s('line', { class: colour(i), x1: 0, x2: 20, y1: 4, y2: 4 }),
        ),
        name,
      ),
    ),
  );

interface Scale {
  (value: number): number;
  readonly ticks: readonly number[];
}

/** From the numbers of an axis, rounded outwards, to pixels. */
function scaleOf(values: readonly number[], from: number, to: number, isCount = false): Scale {
  const all = ticks(Math.min(...values), Math.max(...values)).filter((tick) => !isCount || Number.isInteger(tick));
  const shown = all.length > 1 ? all : [Math.floor(values[0] ?? 0), Math.floor(values[0] ?? 0) + 1];
  const [low, high] = [shown[0]!, shown.at(-1)!];
  return Object.assign((value: number) => from + ((value - low) / (high - low)) * (to - from), { ticks: shown });
}

/** Lines through the points of each series. */
export function linePlot(title: string, series: readonly Series[], x: string): HTMLElement {
  const points = series.flatMap((one) => one.points);
  if (points.length === 0) return h('figure', { class: 'plot' });
  const bottom = HEIGHT - MARGIN.bottom;
  const across = scaleOf([...points.map(([at]) => at)], MARGIN.left, WIDTH - MARGIN.right, true);
  const up = scaleOf([...points.map(([, value]) => value)], bottom, MARGIN.top);
  const marks = [
    ...up.ticks.flatMap((tick) => [
      s('line', { class: 'grid', x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: up(tick), y2: up(tick) }),
      s('text', { class: 'tick', x: MARGIN.left - 6, y: up(tick) + 4, 'text-anchor': 'end' }, String(tick)),
    ]),
    ...across.ticks.map((tick) =>
      s('text', { class: 'tick', x: across(tick), y: bottom + 16, 'text-anchor': 'middle' }, String(tick)),
    ),
    s('text', { class: 'tick', x: (MARGIN.left + WIDTH) / 2, y: HEIGHT - 4, 'text-anchor': 'middle' }, x),
    ...series.flatMap((one, i) => [
      s('polyline', {
        class: colour(i),
        points: one.points.map(([at, value]) => `${across(at).toFixed(1)},${up(value).toFixed(1)}`).join(' '),
      }),
      ...one.points.map(([at, value]) => s('circle', { class: colour(i), cx: across(at), cy: up(value), r: 2.5 })),
    ]),
  ];
  return figure(title, HEIGHT, marks, ...(series.length > 1 ? [legend(series.map(({ name }, i) => [name, i]))] : []));
}

interface Bar {
  readonly label: string;
  readonly value: number;
  /** What is written at its end. */
  readonly text: string;
}

const ROW = 24;

/** A bar a line, with its name before and its value behind it. */
export function barPlot(title: string, bars: readonly Bar[]): HTMLElement {
  const [left, right] = [132, 84];
  const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  const marks = bars.flatMap(({ label, value, text }, i) => {
    const length = (value / most) * (WIDTH - left - right);
    const middle = ROW * i + ROW / 2;
    return [
      s('text', { class: 'label', x: left - 8, y: middle + 4, 'text-anchor': 'end' }, label),
      s('rect', { class: 'c0', x: left, y: middle - 8, width: Math.max(1, length), height: 16, rx: 3 }),
      s('text', { class: 'tick', x: left + length + 6, y: middle + 4 }, text),
    ];
  });
  return figure(title, ROW * bars.length + 4, marks);
}

interface Interval {
  readonly name: string;
  readonly low: number;
  readonly mean: number;
  readonly high: number;
  readonly isMarked: boolean;
}

/** A mean with its interval a line. */
export function intervalPlot(title: string, rows: readonly Interval[]): HTMLElement {
  const left = 130;
  const bottom = ROW * rows.length + 6;
  const across = scaleOf(
    rows.flatMap(({ low, high }) => [low, high]),
    left,
    WIDTH - MARGIN.right - 10,
  );
  const marks = [
    ...across.ticks.flatMap((tick) => [
      s('line', { class: 'grid', x1: across(tick), x2: across(tick), y1: 0, y2: bottom }),
      s('text', { class: 'tick', x: across(tick), y: bottom + 16, 'text-anchor': 'middle' }, String(tick)),
    ]),
    ...rows.flatMap(({ name, low, mean, high, isMarked }, i) => {
      const y = ROW * i + ROW / 2;
      const look = isMarked ? 'c0' : 'c7';
      return [
        s('text', { class: 'label', x: left - 10, y: y + 4, 'text-anchor': 'end' }, name),
        s('line', { class: look, x1: across(low), x2: across(high), y1: y, y2: y }),
        s('circle', { class: look, cx: across(mean), cy: y, r: 4.5 }),
      ];
    }),
  ];
  return figure(title, bottom + 22, marks);
}

interface Dot {
  readonly id: string;
  readonly name: string;
  readonly x: number;
  readonly y: number;
  /** Number of its group, which decides its colour; absent for a dot of none. */
  readonly group?: number;
}

const MAP = 420;

/**
 * Dots on a plane, and a path through them.
 *
 * @param path Ids in order; a dot has the numbers of all its places there, which count also ids without a dot.
 * @param groups Names. Fewer than `COLOURS`, of which dots of no group have the last.
 */
export function scatterPlot(
  title: string,
  dots: readonly Dot[],
  path: readonly string[],
  groups: readonly string[],
): HTMLElement {
  const across = scaleOf(
    dots.map(({ x }) => x),
    8,
    WIDTH - 8,
  );
  const up = scaleOf(
    dots.map(({ y }) => y),
    MAP - 8,
    8,
  );
  const places = new Map(dots.map((dot) => [dot.id, dot]));
  const steps = path.flatMap((id, i) => (places.has(id) ? [{ id, number: i + 1 }] : []));
  const stops = new Map<string, number[]>();
  for (const { id, number } of steps) stops.set(id, [...(stops.get(id) ?? []), number]);
  const at = (id: string): readonly [x: number, y: number] => {
    const { x, y } = places.get(id)!;
    return [across(x), up(y)];
  };
  const none = groups.length > 0 ? COLOURS - 1 : 0;
  const isMixed = groups.length > 0 && dots.some(({ group }) => group === undefined);
  const marks = [
    ...dots.map(({ name, x, y, group = none }) =>
      s(
        'circle',
        { class: `dot ${colour(group)}`, cx: across(x).toFixed(1), cy: up(y).toFixed(1), r: 3 },
        s('title', {}, name),
      ),
    ),
    s('polyline', { class: 'path', points: steps.map(({ id }) => at(id).join()).join(' ') }),
    ...[...stops].map(([id, numbers]) => {
      const [x, y] = at(id);
      const label = numbers.join(', ');
      const width = 10 + 6 * label.length;
      return s(
        'g',
        { class: 'stop' },
        s('rect', { x: x - width / 2, y: y - 8, width, height: 16, rx: 8 }),
        s('text', { x, y: y + 4, 'text-anchor': 'middle' }, label),
      );
    }),
  ];
  const entries = [...groups.map((name, i) => [name, i] as const), ...(isMixed ? [['other', none] as const] : [])];
  return figure(title, MAP, marks, ...(entries.length > 1 ? [legend(entries)] : []));
}
