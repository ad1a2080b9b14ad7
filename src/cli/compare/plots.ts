/** Line, bar and scatter plots as SVG text, for a report that is one file and runs no script. */

/** Text as HTML shows it, in attributes too. */
export const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

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
}

const WIDTH = 640;
const HEIGHT = 320;
const MARGIN = { left: 62, right: 16, top: 14, bottom: 46 };
/** Told apart by people who see colours differently: Okabe and Ito's palette, then dashes. */
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

/** One dot a series, with its name beside it. */
export function scatterPlot(series: readonly Series[], options: PlotOptions): string {
  const scale = scales(series, options);
  const marks = series.map(({ name, points }, s) => {
    const [x, y] = points[0]!;
    const [cx, cy] = [scale.x(x), scale.y(y)];
    const isRight = cx > WIDTH - 150;
    const text = `<text x="${(cx + (isRight ? -9 : 9)).toFixed(1)}" y="${(cy + 4).toFixed(1)}" text-anchor="${isRight ? 'end' : 'start'}">${escapeHtml(name)}</text>`;
    return `<g class="series" style="--c:${colour(s)}"><circle cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="5"/>${text}</g>`;
  });
  return figure([], options, scale, marks);
}

interface Scales {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly xTicks: readonly (readonly [value: number, label: string])[];
  readonly yTicks: readonly number[];
}

function scales(series: readonly Series[], { labels, isLog = false }: PlotOptions): Scales {
  const all = series.flatMap(({ points }) => points);
  const xs = all.map(([x]) => (isLog ? Math.log10(x) : x));
  let [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  if (isLog) [x0, x1] = [Math.floor(x0), Math.ceil(x1)];
  if (x0 === x1) x1 = x0 + 1;
  const yTicks = ticks(Math.min(...all.map(([, y]) => y)), Math.max(...all.map(([, y]) => y)));
  const [y0, y1] = [yTicks[0]!, yTicks.at(-1)!];
  const inner = { width: WIDTH - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
  const position = (value: number): number => MARGIN.left + ((value - x0) / (x1 - x0)) * inner.width;
  const named = labels?.map((label, i) => [i, label] as const);
  const decades = Array.from({ length: x1 - x0 + 1 }, (_, i) => [10 ** (x0 + i), `${10 ** (x0 + i)}`] as const);
  const plain = ticks(x0, x1)
    .filter((tick) => tick >= x0 && tick <= x1)
    .map((tick) => [tick, `${tick}`] as const);
  return {
    x: (value) => position(isLog ? Math.log10(value) : value),
    y: (value) => MARGIN.top + (1 - (value - y0) / (y1 - y0)) * inner.height,
    xTicks: named ?? (isLog ? decades : plain),
    yTicks,
  };
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
  const below = scale.xTicks.map(
    ([value, label]) =>
      `<text class="tick" x="${scale.x(value).toFixed(1)}" y="${bottom + 18}" text-anchor="middle">${escapeHtml(label)}</text>`,
  );
  const middle = (MARGIN.left + WIDTH - MARGIN.right) / 2;
  const axes =
    `<line class="axis" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${bottom}" y2="${bottom}"/>` +
    `<text class="label" x="${middle}" y="${HEIGHT - 8}" text-anchor="middle">${escapeHtml(options.x)}</text>` +
    `<text class="label" transform="translate(14 ${(MARGIN.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(options.y)}</text>`;
  const legend = series.map(
    ({ name }, s) =>
      `<li><svg viewBox="0 0 26 8" aria-hidden="true"><line x1="0" x2="26" y1="4" y2="4" stroke="${colour(s)}" stroke-width="2.5" stroke-dasharray="${dash(s)}"/></svg>${escapeHtml(name)}</li>`,
  );
  return [
    `<figure><figcaption>${escapeHtml(options.title)}</figcaption>`,
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(options.title)}">`,
    ...[...grid, ...below, axes, ...marks],
    '</svg>',
    legend.length > 0 ? `<ul class="legend">${legend.join('')}</ul>` : '',
    '</figure>',
  ].join('\n');
}

const colour = (s: number): string => COLOURS[s % COLOURS.length]!;
const dash = (s: number): string => DASHES[Math.floor(s / COLOURS.length) % DASHES.length]!;
