import { whole } from '../format';
import { htmlPage, rowOf, tableOf, escapeHtml as text } from '../html';
import { linePlot, type Series, scatterPlot } from '../plots';
import { breakdowns, protocolSentences, RESULT_TITLES, type Report, resultCells, STANDARD } from './markdown';
import type { Row } from './rows';
import type { Part } from './statistics';

/** The report as one HTML file. */
export function htmlReport(report: Report): string {
  const { rows, failures, version, command } = report;
  return htmlPage(`Comparison of ${rows.length} models`, [
    '<h1>Comparison</h1>',
    ...protocolSentences(report).map((sentence) => `<p>${text(sentence)}</p>`),
    '<h2>Result</h2>',
    resultTable(report),
    ...standardTable(report),
    '<h2>Plots</h2>',
    `<div class="plots">${plots(report).join('\n')}</div>`,
    ...breakdowns(report).flatMap(({ title, of }) => breakdownTable(title, rows, of)),
    ...(failures.length > 0 ? ['<h2>Without a result</h2>', list(failures.map(failureText))] : []),
    '<h2>Made by</h2>',
    `<p><code>${text(command)}</code></p>`,
    `<p class="soft">Aisle ${text(version)}. Seconds are wall time on the machine that ran it.</p>`,
    '<details><summary>The command of every row</summary>',
    list(rows.flatMap(({ commands }) => commands.map((line) => `<code>${text(line)}</code>`))),
    '</details>',
  ]);
}

function resultTable({ rows }: Report): string {
  const body = rows.map((row, i) => rowOf(row.name, resultCells(row).map(twoLines), i === 0 ? ' class="best"' : ''));
  return tableOf('Result', RESULT_TITLES, body);
}

function standardTable({ rows }: Report): string[] {
  const { heading, about, titles, cells } = STANDARD;
  const body = rows.map((row) => rowOf(row.name, cells(row)));
  return [`<h2>${heading}</h2>`, `<p>${about}</p>`, tableOf(heading, titles, body)];
}

function breakdownTable(title: string, rows: readonly Row[], of: (row: Row) => readonly Part[]): string[] {
  const first = of(rows[0]!);
  const counts = first.map(({ predictions }) => whole(predictions));
  const body = rows.map((row) =>
    rowOf(
      row.name,
      of(row).map(({ value }) => value.toFixed(4)),
    ),
  );
  const titles = ['model', ...first.map(({ label }) => label)];
  return [`<h2>${title}</h2>`, tableOf(title, titles, [rowOf('predictions', counts, ' class="soft"'), ...body])];
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

const list = (items: readonly string[]): string => `<ul>${items.map((item) => `<li>${item}</li>`).join('')}</ul>`;

const failureText = ({ name, seed, message }: Report['failures'][number]): string =>
  text(`${name}, seed ${seed}: ${message}`);
