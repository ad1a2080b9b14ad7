import { whole } from '../format';
import { breakdowns, protocolSentences, RESULT_TITLES, type Report, resultCells, titleOf } from './markdown';
import { linePlot, type Series, scatterPlot, escapeHtml as text } from './plots';
import type { Row } from './rows';
import type { Part } from './statistics';

const STYLE = `
:root { color-scheme: light dark; --ink: #1c1f23; --paper: #fff; --soft: #5d6670; --line: #d9dee3; --mark: #eef4fb; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --paper: #16191d; --soft: #a3adb8; --line: #363d45; --mark: #1f2a36; } }
body { margin: 0 auto; max-width: 1240px; padding: 2rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 1rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; }
p { max-width: 76ch; } .soft { color: var(--soft); }
.scroll { overflow-x: auto; } .scroll:focus-visible { outline: 2px solid #0072b2; outline-offset: 2px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .6rem; vertical-align: top; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child { text-align: left; position: sticky; left: 0; background: var(--paper); }
td small { display: block; color: var(--soft); font-weight: 400; } thead th { color: var(--soft); font-weight: 600; }
tr.best td, tr.best th:first-child { background: var(--mark); font-weight: 600; }
.plots { display: grid; gap: 2rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); }
figure { margin: 0; } figcaption { font-weight: 600; margin-bottom: .4rem; } figure svg { width: 100%; height: auto; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; } svg .tick, svg .label { fill: var(--soft); }
@media (max-width: 620px) { body { padding: 1rem 1rem 3rem; } figure svg text { font-size: 17px; } }
@media (prefers-color-scheme: dark) { .series, .legend svg { filter: brightness(1.45); } }
.leader { stroke: var(--soft); stroke-width: .75; }
.grid { stroke: var(--line); } .axis { stroke: var(--soft); }
.series polyline { fill: none; stroke: var(--c); stroke-width: 2; } .series circle { fill: var(--c); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; list-style: none; margin: .25rem 0 0; padding: 0; font-size: 13px; }
.legend li { display: flex; align-items: center; gap: .4rem; } .legend svg { width: 26px; height: 8px; }
code { font-size: 12.5px; overflow-wrap: anywhere; } summary { cursor: pointer; font-weight: 600; }
`;

/** The report as one HTML file: no script, no request, light and dark, plots as SVG. */
export function htmlReport(report: Report): string {
  const { rows, failures, version, command } = report;
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>Comparison of ${rows.length} models</title><style>${STYLE}</style></head><body>`,
    '<main><h1>Comparison</h1>',
    ...protocolSentences(report).map((sentence) => `<p>${text(sentence)}</p>`),
    '<h2>Result</h2>',
    resultTable(report),
    '<h2>Plots</h2>',
    `<div class="plots">${plots(report).join('\n')}</div>`,
    ...breakdowns(report).flatMap(({ title, of }) => breakdownTable(title, rows, of)),
    ...(failures.length > 0 ? ['<h2>Without a result</h2>', list(failures.map(failureText))] : []),
    '<h2>Made by</h2>',
    `<p><code>${text(command)}</code></p>`,
    `<p class="soft">Aisle ${text(version)}. Seconds are wall time on the machine that ran it.</p>`,
    '<details><summary>The command of every row</summary>',
    list(rows.flatMap(({ commands }) => commands.map((line) => `<code>${text(line)}</code>`))),
    '</details></main></body></html>',
    '',
  ].join('\n');
}

function resultTable({ rows }: Report): string {
  const body = rows.map((row, i) => {
    const cells = resultCells(row).map((value) => `<td>${twoLines(value)}</td>`);
    return `<tr${i === 0 ? ' class="best"' : ''}><th scope="row">${text(titleOf(row))}</th>${cells.join('')}</tr>`;
  });
  return tableOf('Result', RESULT_TITLES, body);
}

function breakdownTable(title: string, rows: readonly Row[], of: (row: Row) => readonly Part[]): string[] {
  const first = rows[0]!;
  const counts = of(first).map(({ predictions }) => `<td>${whole(predictions)}</td>`);
  const body = rows.map(
    (row) =>
      `<tr><th scope="row">${text(row.name)}</th>${of(row)
        .map(({ value }) => `<td>${value.toFixed(4)}</td>`)
        .join('')}</tr>`,
  );
  const head = `<tr class="soft"><th scope="row">predictions</th>${counts.join('')}</tr>`;
  return [
    `<h2>${text(title)}</h2>`,
    tableOf(title, ['model', ...of(first).map(({ label }) => label)], [head, ...body]),
  ];
}

function plots(report: Report): string[] {
  const { rows, metric } = report;
  const metricName = metric.toUpperCase();
  const drawn: string[] = [];
  const curves = (of: (point: Row['curve'][number]) => number | undefined): Series[] =>
    rows.flatMap(({ name, curve }) => {
      const points = curve.flatMap((point) => {
        const y = of(point);
        return y === undefined ? [] : [[point.epoch, y] as const];
      });
      return points.length > 0 ? [{ name, points }] : [];
    });
  const valid = curves((point) => point.valid);
  if (valid.length > 0) {
    drawn.push(
      linePlot(valid, { title: `Learning: validation ${metricName}`, x: 'epoch', y: metricName, isCount: true }),
    );
  }
  for (const series of curves((point) => point.loss)) {
    drawn.push(linePlot([series], { title: `Learning: loss of ${series.name}`, x: 'epoch', y: 'loss', isCount: true }));
  }
  if (rows.length === 0) return drawn;
  for (const { title, x, of } of breakdowns(report)) {
    const labels = of(rows[0]!).map(({ label }) => label);
    const series = rows.map((row) => ({
      name: row.name,
      points: of(row).map(({ value }, at) => [at, value] as const),
    }));
    drawn.push(linePlot(series, { title, x, y: metricName, labels }));
  }
  const dots = (of: (row: Row) => number): Series[] =>
    rows.map((row) => ({ name: row.name, points: [[of(row), row.metrics[metric]!]] }));
  drawn.push(
    scatterPlot(
      dots((row) => Math.max(row.trainSeconds, 0.1)),
      { title: 'Quality against cost', x: 'seconds of training', y: metricName, isLog: true },
    ),
    scatterPlot(
      dots((row) => row['coverage@20']),
      { title: 'Quality against coverage', x: 'share of the items that are ever recommended', y: metricName },
    ),
  );
  return drawn;
}

/** Puts a deviation or an interval below its figure. */
const twoLines = (value: string): string => text(value).replace(/ (± .*|\[.*)$/, '<small>$1</small>');

/** A table that scrolls sideways if it is wider than the window, also by keyboard. */
const tableOf = (name: string, titles: readonly string[], body: readonly string[]): string =>
  `<div class="scroll" tabindex="0" role="region" aria-label="${text(name)}"><table><thead><tr>${titles.map((title) => `<th scope="col">${text(title)}</th>`).join('')}` +
  `</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`;

const list = (items: readonly string[]): string => `<ul>${items.map((item) => `<li>${item}</li>`).join('')}</ul>`;

const failureText = ({ name, seed, message }: Report['failures'][number]): string =>
  text(`${name}, seed ${seed}: ${message}`);
