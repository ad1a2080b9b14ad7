/** Line, bar and scatter plots as SVG text, for a report that is one file and runs no script. */
import { escapeHtml } from './html';

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface PlotOptions {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  /** Names of x = 0, 1, 2 … instead of numbers. */
  readonly labels?: readonly string[];
  /** Whether x is drawn on a logarithmic scale; every x is then above 0. Default false. */
  readonly isLog?: boolean;
  /** Whether y is drawn on a logarithmic scale; every y is then above 0. Default false. */
  readonly isLogY?: boolean;
  /** Whether x counts, so that only whole numbers are named. Default false. */
  readonly isCount?: boolean;
}

const WIDTH = 640;
const HEIGHT = 320;
const MARGIN = { left: 74, right: 18, top: 14, bottom: 52 };
/** Okabe and Ito's palette, which colour-blind readers can tell apart; then dashes. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#7a6a00', '#666666'];
const DASHES = ['', '6 3', '2 3', '8 3 2 3'];

/** Lines through the points of each series, with a dot at every point. */
export function linePlot(series: readonly Series[], options: PlotOptions): string {
  const scale = scales(series, options);
  const marks = series.map(({ name, points }, s) => {
    const at = points.map(([x, y]) => `${scale.x(x).toFixed(1)},${scale.y(y).toFixed(1)}`);
    const dots = at.map((point) => `<circle cx="${point.split(',')[0]}" cy="${point.split(',')[1]}" r="2.5"/>`);
    return `<g class="series" style="--c:${colour(s)}"><title>${escapeHtml(name)}</title><polyline points="${at.join(' ')}" stroke-dasharray="${dash(s)}"/>${dots.join('')}</g>`;
  });
  return figure(series, options, scale, marks);
}

/** One dot a series, with its name beside it: where dots lie close, a line leads from each to its name. */
export function scatterPlot(series: readonly Series[], options: PlotOptions): string {
  const scale = scales(series, options);
  const dots = series.map(({ points }) => ({ cx: scale.x(points[0]![0]), cy: scale.y(points[0]![1]) }));
  const labels = placeLabels(
    dots,
    series.map(({ name }) => short(name)),
  );
  const marks = series.map(({ name }, s) => {
    const { cx, cy } = dots[s]!;
    const { x, y, anchor, isLed } = labels[s]!;
    const leader = `<line class="leader" x1="${cx.toFixed(1)}" y1="${cy.toFixed(1)}" x2="${x.toFixed(1)}" y2="${y.toFixed(1)}"/>`;
    const text = `<text x="${x.toFixed(1)}" y="${(y + 4).toFixed(1)}" text-anchor="${anchor}">${escapeHtml(short(name))}</text>`;
    const dot = `<circle cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="5"/>`;
    return `<g class="series" style="--c:${colour(s)}"><title>${escapeHtml(name)}</title>${isLed ? leader : ''}${dot}${text}</g>`;
  });
  return figure([], options, scale, marks);
}

interface Label {
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'end';
  /** Whether it is away from its dot. */
  readonly isLed: boolean;
}

/** A name as a plot has room for it. */
const short = (name: string): string => (name.length > 24 ? `${name.slice(0, 23)}…` : name);

const LINE = 17;
/** Of a letter on a phone, whose letters are larger. */
const CHARACTER = 10.5;
const BESIDE = 9;
/** Distances of a label from its dot, in the order in which places are tried. */
const STEPS = [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6, 7, -7, 8, -8, 9, -9, 10, -10];

/** A place for each label inside the plot on which it covers neither another one nor a dot, or as few as can be. */
function placeLabels(dots: readonly { readonly cx: number; readonly cy: number }[], names: readonly string[]): Label[] {
  const taken: { left: number; right: number; top: number; bottom: number }[] = dots.map(({ cx, cy }) => ({
    left: cx - 5,
    right: cx + 5,
    top: cy - 5,
    bottom: cy + 5,
  }));
  return dots.map(({ cx, cy }, s) => {
    const width = names[s]!.length * CHARACTER;
    const places = STEPS.flatMap((step) =>
      ([1, -1] as const).map((side) => {
        const isLed = step !== 0;
        const x = cx + side * (isLed ? 3 * BESIDE : BESIDE);
        const y = cy + step * LINE;
        const box = { left: side > 0 ? x : x - width, right: side > 0 ? x + width : x, top: y - 8, bottom: y + 8 };
        return { label: { x, y, anchor: side > 0 ? ('start' as const) : ('end' as const), isLed }, box };
      }),
    );
    type Place = (typeof places)[number];
    const isInside = ({ box }: Place): boolean =>
      box.left > MARGIN.left && box.right < WIDTH && box.top > 0 && box.bottom < HEIGHT - MARGIN.bottom;
    const covered = ({ box }: Place): number =>
      taken.filter(
        (other) => box.left < other.right && box.right > other.left && box.top < other.bottom && box.bottom > other.top,
      ).length;
    // The first that covers nothing; where there is none, what covers least.
    const inside = places.filter(isInside).map((place) => ({ place, covers: covered(place) }));
    const [first] = inside.sort((a, b) => a.covers - b.covers);
    const place = first?.place ?? places[0]!;
    taken.push(place.box);
    return place.label;
  });
}

interface Scales {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly xTicks: readonly (readonly [value: number, label: string])[];
  readonly yTicks: readonly number[];
}

function scales(
  series: readonly Series[],
  { labels, isLog = false, isLogY = false, isCount = false }: PlotOptions,
): Scales {
  const all = series.flatMap(({ points }) => points);
  const xs = all.map(([x]) => (isLog ? Math.log10(x) : x));
  let [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  if (isLog) [x0, x1] = [Math.floor(x0), Math.ceil(x1)];
  if (x0 === x1) x1 = x0 + 1;
  const ys = all.map(([, y]) => y);
  const yTicks = (isLogY ? decadesAround : ticks)(Math.min(...ys), Math.max(...ys));
  const level = (value: number): number => (isLogY ? Math.log10(value) : value);
  const [y0, y1] = [level(yTicks[0]!), level(yTicks.at(-1)!)];
  const inner = { width: WIDTH - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
  const position = (value: number): number => MARGIN.left + ((value - x0) / (x1 - x0)) * inner.width;
  const named = labels?.map((label, i) => [i, label] as const);
  const decades = Array.from({ length: x1 - x0 + 1 }, (_, i) => [10 ** (x0 + i), `${10 ** (x0 + i)}`] as const);
  const plain = ticks(x0, x1)
    .filter((tick) => tick >= x0 && tick <= x1 && (!isCount || Number.isInteger(tick)))
    .map((tick) => [tick, `${tick}`] as const);
  return {
    x: (value) => position(isLog ? Math.log10(value) : value),
    y: (value) => MARGIN.top + (1 - (level(value) - y0) / (y1 - y0)) * inner.height,
    xTicks: named ?? (isLog ? decades : plain),
    yTicks,
  };
}

/** Powers of ten that enclose a range above 0. */
function decadesAround(low: number, high: number): number[] {
  const first = Math.floor(Math.log10(low));
  const last = Math.max(first + 1, Math.ceil(Math.log10(high)));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(`1e${first + i}`));
}

/** Round numbers that enclose a range, five or so. */
export function ticks(low: number, high: number): number[] {
  const span = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span / 4));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => span / size <= 5)!;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function figure(series: readonly Series[], options: PlotOptions, scale: Scales, marks: readonly string[]): string {
  const bottom = HEIGHT - MARGIN.bottom;
  const grid = scale.yTicks.map((tick) => {
    const y = scale.y(tick).toFixed(1);
    return `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y}" y2="${y}"/><text class="tick" x="${MARGIN.left - 8}" y="${y}" dy="4" text-anchor="end">${tick}</text>`;
  });
  const below = scale.xTicks.map(([value, label]) => {
    const x = scale.x(value);
    // A word at either end stays inside the picture.
    const anchor = !options.labels
      ? 'middle'
      : x < WIDTH / 4
        ? 'start'
        : x > WIDTH - MARGIN.right - 1
          ? 'end'
          : 'middle';
    return `<text class="tick" x="${x.toFixed(1)}" y="${bottom + 18}" text-anchor="${anchor}">${escapeHtml(label)}</text>`;
  });
  const middle = (MARGIN.left + WIDTH - MARGIN.right) / 2;
  const axes =
    `<line class="axis" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${bottom}" y2="${bottom}"/>` +
    `<text class="label" x="${middle}" y="${HEIGHT - 6}" text-anchor="middle">${escapeHtml(options.x)}</text>` +
    `<text class="label" transform="translate(20 ${(MARGIN.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(options.y)}</text>`;
  const legend = series.map(
    ({ name }, s) =>
      `<li><svg viewBox="0 0 26 8" aria-hidden="true"><line x1="0" x2="26" y1="4" y2="4" stroke="${colour(s)}" stroke-width="2.5" stroke-dasharray="${dash(s)}"/></svg>${escapeHtml(name)}</li>`,
  );
  return [
    `<figure><figcaption>${escapeHtml(options.title)}</figcaption>`,
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(options.title)}">`,
    ...grid,
    ...below,
    axes,
    ...marks,
    '</svg>',
    legend.length > 0 ? `<ul class="legend">${legend.join('')}</ul>` : '',
    '</figure>',
  ].join('\n');
}

const colour = (s: number): string => COLOURS[s % COLOURS.length]!;
const dash = (s: number): string => DASHES[Math.floor(s / COLOURS.length) % DASHES.length]!;
