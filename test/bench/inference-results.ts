/** `results/inference.{json,md}` and their plots, from what `npm run bench -- --write` has measured. */
import { join } from 'node:path';
import { PRECISIONS } from '../../src/checkpoint/pack-tensors';
import { models } from '../../src/models/index';
import { markdownTable, whole } from '../../src/pipeline/format';
import type { Series } from '../../src/pipeline/plots';
import type { Result } from './bench';
import { LENGTHS } from './cases/clicks';
import { SCALES } from './cases/scale';
import { commit, machine, short } from './machine';
import { RESULTS, readResult, replace, writeResult } from './results';
import { standalonePlot } from './standalone-svg';

export interface Row extends Result {
  readonly commit: string;
  readonly machine: string;
  /** Ratios of earlier sittings of the same code. */
  readonly earlierRatios?: readonly number[];
}

/** The ratios of all sittings of a row's code, the least first. */
export const ratiosOf = ({ ratio, earlierRatios = [] }: Row): number[] =>
  [...earlierRatios, ratio ?? []].flat().sort((a, b) => a - b);

/** The cases that the page shows, by what their names begin with. */
const SHOWN = /^(infer|start|cold|scale|size)/;

/** Keeps results among those of other cases, and writes the page and the plots again. */
export function writeInference(results: readonly Result[]): void {
  const known = readResult<Row[]>('inference', []);
  const about = { commit: commit(), machine: machine() };
  const rows = new Map(known.map((row) => [row.case, row]));
  for (const result of results) {
    if (!SHOWN.test(result.case)) continue;
    const before = rows.get(result.case);
    const earlierRatios = before?.commit === about.commit ? ratiosOf(before) : [];
    rows.set(result.case, { ...result, ...about, ...(earlierRatios.length > 0 && { earlierRatios }) });
  }
  const all = [...rows.values()].sort((a, b) => a.case.localeCompare(b.case, 'en', { numeric: true }));
  const plots = plotsOf(rows);
  for (const [name, svg] of plots) replace(join(RESULTS, `${name}.svg`), svg);
  writeResult('inference', all, markdown(all, [...plots.keys()]));
}

const factOf = (row: Row | undefined, name: string): number => Number(row?.facts?.[name] ?? Number.NaN);

function plotsOf(rows: ReadonlyMap<string, Row>): Map<string, string> {
  const line = (name: string, xs: readonly number[], y: (x: number) => number | undefined): Series => ({
    name,
    points: xs.flatMap((x) => {
      const value = y(x);
      return value !== undefined && Number.isFinite(value) ? [[x, value] as const] : [];
    }),
  });
  const scale = (kind: string) => (items: number) => rows.get(`scale-${kind}-${items / 1000}k`);
  const items = [
    line('32 bits', SCALES, (n) => scale('pq')(n)?.theirs?.median ?? scale('int8')(n)?.theirs?.median),
    line('int8, certified', SCALES, (n) => scale('int8')(n)?.ours.median),
    line('pq', SCALES, (n) => scale('pq')(n)?.ours.median),
  ];
  const clicks = Object.keys(models).map((name) =>
    line(name, LENGTHS, (length) => factOf(rows.get(`scale-clicks-${name}`), `ms by the plan, ${length} clicks`)),
  );
  const sizes = ['10k', '100k'].map((count) =>
    line(`${count} items`, [...PRECISIONS.keys()], (p) => rows.get(`size-${count}-${PRECISIONS[p]}`)?.ours.median),
  );
  const logs = { isLog: true, isLogY: true };
  const all: [string, Series[], Parameters<typeof standalonePlot>[1]][] = [
    ['scale-items', items, { title: 'Best 20 by the number of items', x: 'items of 64 numbers', y: 'ms', ...logs }],
    ['scale-clicks', clicks, { title: 'An answer by the clicks of the session', x: 'clicks', y: 'ms', ...logs }],
    ['size', sizes, { title: 'Artifact by precision', x: 'precision', y: 'MB', labels: PRECISIONS, isLogY: true }],
  ];
  return new Map(
    all.flatMap(([name, series, options]) => {
      const drawn = series.filter(({ points }) => points.length > 0);
      return drawn.length > 0 ? [[name, standalonePlot(drawn, options)] as const] : [];
    }),
  );
}

function aboutMixture(rows: readonly Row[]): string {
  const row = rows.find(({ case: name }) => name === 'infer-mixture');
  if (!row) return '';
  const [both, alone] = ['MB with Brotli', 'MB with Brotli, of the network alone'].map((name) => factOf(row, name));
  return `
\`infer-mixture\` is a SASRec with V-SkNN of ${whole(factOf(row, 'sessions inside'))} sessions of four clicks inside, ${both} MB in place of ${alone}, with Brotli.
Its first answer is that of one process: 16.3, 6.9, 15.1, 8.2 and 6.5 ms in five sittings, whose medians were 4.7, 4.6, 4.5, 3.5 and 4.6 times those of
the network alone.`;
}

function markdown(rows: readonly Row[], plots: readonly string[]): string {
  const picture = (name: string, text: string): string => (plots.includes(name) ? `\n![${text}](${name}.svg)` : '');
  const of = (begin: RegExp): Row[] => rows.filter(({ case: name }) => begin.test(name));
  const fact = (row: Row, name: string): string => String(row.facts?.[name] ?? '');
  const head = ({ case: name, ratio, ours, theirs, peer }: Row): string[] => [
    name,
    ratio === null ? '' : short(ratio),
    short(ours.median),
    theirs ? `${peer}, ${short(theirs.median)}` : peer,
  ];
  const HEAD = ['case', 'ratio', 'ours', 'peer'];
  const table = (titles: readonly string[], body: readonly (readonly string[])[]): string =>
    markdownTable(
      [...titles],
      body.map((cells) => [...cells]),
    ).join('\n');
  const answers = of(/^infer/).map((row) => [
    ...head(row),
    ...['', ' of the peer'].flatMap((whose) =>
      ['first', 'fifth'].map((which) => fact(row, `${which} answer${whose}, ms`)),
    ),
    row.commit,
  ]);
  const pages = of(/^(start|cold)/).map((row) => [
    ...head(row),
    fact(row, 'answer 5, ms after the one before'),
    fact(row, '95th percentile of the first answer, ms'),
    row.commit,
  ]);
  const scales = of(/^scale-(int8|pq)/).map((row) => [...head(row), fact(row, 'bytes of memory'), row.commit]);
  const clicks = of(/^scale-clicks/).map((row) => [
    ...head(row),
    ...LENGTHS.map((length) => fact(row, `ms by the plan, ${length} clicks`)),
    row.commit,
  ]);
  const sizes = of(/^size/).map((row) => [...head(row), fact(row, 'MB of all files'), row.commit]);
  const section = (
    title: string,
    text: string,
    body: readonly (readonly string[])[],
    titles: readonly string[],
  ): string => (body.length > 0 ? `## ${title}\n\n${text}\n\n${table(titles, body)}\n` : '');
  return [
    `# Answers: time, growth and size

    npm run bench -- --write infer start cold scale size

Medians in ms, in turns of one sitting, one thread on each side; ratio = ours / the peer's. Measured on: ${[...new Set(rows.map(({ machine }) => machine))].join('; ')}.
`,
    section(
      'The best 20 of 10,000 items',
      `In Node, \`infer-gru4rec\` and \`infer-sasrec\` are TensorFlow.js' WASM with our kernels, all others the compiled plan. Stock TensorFlow.js is its
WASM backend as it comes. First and fifth answers are those of a fresh process whose weights and modules are there. \`infer-page\` is a page in
Chromium, which asks its worker once its clicks are stored; at 00e20523 and before, storing them was part of its first answer (SASRec, 50 clicks: 12.7 ms).
Medians are of answers to a page that asks often: from b8c6a40f on, tables of 524,288 numbers and more, such as GRU4Rec's of 1,000,000, are copied to bytes
after 32 answers, before after two, which made fifth answers slower. From a2794ce6 on, where bytes are read faster, nine sittings of \`infer-plan\` had GRU4Rec at
0.46 to 0.51 of ONNX Runtime Web (0.68 to 0.77 before) and SASRec at 0.33 to 0.44 (0.29 to 0.46 before); the machine took about twice as
long as before for both sides. Both sides' first and fifth answers are medians of 21 processes there, of five elsewhere: with five, the
fifth answer of ONNX Runtime Web's SASRec was 2.7, 6.6 and 10 ms in three sittings. From e9a32b0f on, WASM infers by the
SIMD kernels that only training had: SASRec at 0.86, 1.11 and 1.16 in three sittings, and at 1.75 before, in the sitting of the 0.86.
From c53163a4 on, where SASRec's last click is answered without keys and values of all clicks, five sittings of
\`infer-plan\` had SASRec at 0.23 to 0.34 and GRU4Rec at 0.55 to 0.59; one just before had 0.33 and 0.57, two between 0.25 and 0.66, and 0.44 and 0.55.
At c9819cfb two sittings are known, on an Intel Xeon and on the EPYC of the rows: \`infer-plan\` had SASRec at 0.30 and 0.23, GRU4Rec at 0.38 and 0.59;
\`infer-sasrec\` was 0.97 and 0.94, \`infer-gru4rec\` 1.31 and 1.52; fifth answers of \`infer-page\` took 0.6 to 0.85 ms and 0.5 to 1 ms.${aboutMixture(rows)}`,
      answers,
      [...HEAD, 'first', 'fifth', "peer's first", "peer's fifth", 'commit'],
    ),
    section(
      'From the navigation to the first answer',
      "In Chromium, the page's own thread slowed down 4 times.",
      pages,
      [...HEAD, 'fifth answer', 'first, 95 %', 'commit'],
    ),
    section(
      'By the number of items',
      `The best 20 of items of 64 numbers; int8 gives the answers of 32 bits.
${picture('scale-items', 'Milliseconds of an answer by the number of items, for 32 bits, int8 and pq')}`,
      scales,
      [...HEAD, 'bytes of memory', 'commit'],
    ),
    section(
      'By the clicks of a session',
      `10,000 items, by the plan; the ratio is that of the longest session.
${picture('scale-clicks', 'Milliseconds of an answer by the clicks of a session, for each architecture')}`,
      clicks,
      [...HEAD, ...LENGTHS.map(String), 'commit'],
    ),
    section(
      'Size',
      `A SASRec of 64 numbers: manifest, weights, ids and plan, in MB, compressed as a server would.
${picture('size', 'Megabytes of an artifact by its precision')}`,
      sizes,
      [...HEAD, 'not compressed', 'commit'],
    ),
  ]
    .filter(Boolean)
    .join('\n');
}
