/** What `docs/claims.md` says of speed and of equal trainings: every figure from a committed result. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mean, median } from '../bench/figures';
import { RESULTS } from '../bench/results';

const read = (name: string): string => readFileSync(join(RESULTS, name), 'utf8');

/** The cells of the tables of a page, row by row. */
const rowsOf = (name: string): string[][] =>
  read(name)
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

function found(name: string, pattern: RegExp): string {
  const [, figure] = pattern.exec(read(name)) ?? [];
  if (figure === undefined) throw new Error(`${name} has nothing like ${pattern}.`);
  return figure;
}
function range(values: readonly number[], text: (value: number) => string): string {
  const [least, greatest] = [text(Math.min(...values)), text(Math.max(...values))];
  return least === greatest ? least : `${least} to ${greatest}`;
}
const most = (values: readonly number[]): string => Math.ceil(Math.max(...values)).toString();

/** GRU4Rec by the official code's options, and training steps beside other runtimes. */
export function trainings(): string {
  const official = rowsOf('official-gru4rec.md').filter(([, , metric]) => /^(recall|mrr)@/.test(metric!));
  // The page has rounded figures: each bound here is above what they may stand for.
  const apart = Math.max(
    ...official.map(([, , , theirs, , difference]) => (Math.abs(Number(difference)) + 5e-5) / (Number(theirs) - 5e-5)),
  );
  const losses = rowsOf('official-gru4rec.md').flatMap(([, , metric, , , by]) =>
    metric?.startsWith('loss') ? [by!] : [],
  );
  const loss = Math.max(...losses.map((by) => Math.abs(Number.parseFloat(by)) + 0.005));
  const bound = (percent: number) => (Math.ceil(100 * percent) / 100).toFixed(2);
  const runs = new Set(official.map(([run]) => run)).size;
  const seconds = (cell: string) => mean(cell.split(', ').map(Number));
  const times = rowsOf('official-gru4rec.md').flatMap(({ length, 1: ours, 3: theirs }) =>
    length === 6 ? [seconds(ours!) / seconds(theirs!)] : [],
  );
  const longer = range(times.filter(Number.isFinite), (value) => value.toFixed(1));
  const larger = found('peers.md', /100,000 items took .*?: ([\d.]+) times/s);
  const { rows } = JSON.parse(read('training-steps.json')) as {
    rows: { name: string; ours: number; stock: number; wall: { ours: number; torch?: number } }[];
  };
  const stock = range(
    rows.map(({ ours, stock }) => stock / ours),
    (value) => value.toFixed(1),
  );
  /** Of PyTorch's time, in the sittings of both pages. */
  const sittings = (name: string) => {
    const { ours, torch } = rows.find((row) => row.name === name)!.wall;
    const peers = rowsOf('peers.md').find(([row]) => row === `train-${name}`)!;
    return range([Number(peers[2]), ours / torch!], (value) => value.toFixed(2));
  };
  return `* **Equal to the reference after training**: GRU4Rec with the official options of ${runs} of its five runs on real logs with ${official[0]![1]} seeds: no
  mean of Recall and MRR at 5, 10 and 20 differs by more than ${bound(100 * apart)} % from that of the official PyTorch code, and no epoch's loss by more than
  ${bound(loss)} % ([table](../test/bench/results/official-gru4rec.md), \`node test/run.mjs test/bench/official-runs.ts\`).
  A whole training takes ${longer} times the seconds of the official code, which are of another machine.
* **Speed**, on one thread, in turns, of two sittings: a GRU4Rec training step (64 rows, 2,048 negatives) took ${sittings('gru4rec')} of
  PyTorch's time, and with 100,000 items ${larger} times as long as with 10,000; a SASRec step took ${sittings('sasrec-bce')} times PyTorch's with binary
  cross-entropy and ${sittings('sasrec-ce')} times with the full softmax ([table](../test/bench/results/peers.md), \`npm run bench -- train\`). Beside
  TensorFlow.js without our kernels a step is ${stock} times as fast, over ${rows.length} architectures and losses
  ([all steps](../test/bench/results/training-steps.md)).`;
}

interface Tuned {
  readonly method: 'adapter' | 'full';
  readonly name: string;
  readonly worker: { readonly pageTask: number };
  readonly page: { readonly processor: number; readonly longestTask: number };
  readonly peakMemoryBytes: number;
  readonly bytes: number;
}

/** Epochs, threads, and steps as small as a page's. */
export function smallSteps(): string {
  interface Epochs {
    readonly name: string;
    readonly events: number;
    readonly items: number;
    readonly epochs: readonly { readonly processor: number; readonly peakBytes: number }[];
  }
  const { rows: all } = JSON.parse(read('epochs.json')) as { rows: Epochs[] };
  const minutes = all
    .map(({ name, epochs }) => ({ name, minutes: epochs.at(-1)!.processor / 60 }))
    .toSorted((a, b) => a.minutes - b.minutes);
  const [fastest, slowest] = [minutes[0]!, minutes.at(-1)!];
  const memory = range(
    all.flatMap(({ epochs }) => epochs.map(({ peakBytes }) => peakBytes / 1e6)),
    (mb) => mb.toFixed(0),
  );
  const threads = JSON.parse(read('threads.json')) as { isEqual: boolean; seconds: Record<string, number[]> }[];
  if (!threads.every(({ isEqual }) => isEqual))
    throw new Error('threads.json: two threads have other weights than one.');
  const shared = threads.map(({ seconds }) => median(seconds['two threads']!) / median(seconds['whole batches']!));
  const { rows: steps } = JSON.parse(read('fine-tuning.json')) as {
    rows: { batches: Record<'4', { chromium: { clock: number } }> }[];
  };
  const small = steps.map(({ batches }) => batches[4].chromium.clock);
  const tuning = JSON.parse(read('tuning-cost.json')) as {
    slowdown: { page: number };
    refresh: { longestTask: number; layoutShift: number };
    rows: Tuned[];
  };
  if (tuning.refresh.layoutShift !== 0)
    throw new Error('tuning-cost.json: a list that is asked for again shifts the page.');
  const tasks = [
    tuning.refresh.longestTask,
    ...tuning.rows.flatMap(({ page, worker }) => [page.longestTask, worker.pageTask]),
  ];
  if (Math.max(...tasks) > 50) throw new Error('tuning-cost.json: a task blocks the page for more than 50 ms.');
  const of = (method: Tuned['method']) => tuning.rows.filter((row) => row.method === method);
  const [adapter, full] = [of('adapter'), of('full')];
  const cost = (rows: readonly Tuned[], text: (ms: number) => string) =>
    range(
      rows.map(({ page }) => page.processor),
      text,
    );
  const task = (rows: readonly Tuned[]) => most(rows.map(({ page }) => page.longestTask));
  const grown = (rows: readonly Tuned[]) => most(rows.map(({ peakMemoryBytes }) => peakMemoryBytes / 1e6));
  const stored = (rows: readonly Tuned[]) =>
    range(
      rows.map(({ bytes }) => bytes / 1000),
      (kB) => kB.toFixed(0),
    );
  return `* **Training on a laptop**: an epoch of Diginetica (${all[0]!.events.toLocaleString('en')} events, ${all[0]!.items.toLocaleString('en')} items) takes from ${fastest.minutes.toFixed(1)} minutes of
  processor time (${fastest.name}) to ${slowest.minutes.toFixed(1)} (${slowest.name}), and ${memory} MB, in the settings of
  the [table](../test/bench/results/epochs.md) (\`node test/run.mjs test/bench/epochs.ts --epochs 2\`). Whole trainings in
  today's presets, which are wider and draw more, are [measured with their quality](../test/bench/results/quality-diginetica.md).
  Two threads take ${range(shared, (value) => value.toFixed(2))} of the time without \`--threads\`, to the same bytes as one ([table](../test/bench/results/threads.md)).
* **Small steps**: one of four sessions, as a page would learn from, takes ${range(small, (ms) => ms.toFixed(0))} ms in Chromium, the softmax over up to 10,000
  items included ([table](../test/bench/results/fine-tuning.md)).
* **Learning from twenty events** in a page that devtools slow down ${tuning.slowdown.page.toFixed(1)} times takes ${cost(adapter, (ms) => ms.toFixed(0))} ms of processor time by the adapter
  and ${cost(full, (ms) => (ms / 1000).toFixed(2))} s by all parameters, over the demo's ${adapter.length} models, in tasks of at most ${task(adapter)} and ${task(full)} ms; in the worker, where it
  runs, the page's own longest task meanwhile is ${most(tuning.rows.map(({ worker }) => worker.pageTask))} ms. Memory grows by at most ${grown(adapter)} and ${grown(full)} MB; ${stored(adapter)} and ${stored(full)} kB are stored.
  A list that is asked for again after every click shifts nothing, and its longest task is ${most([tuning.refresh.longestTask])} ms
  ([table](../test/bench/results/tuning-cost.md), \`node test/run.mjs test/bench/tuning-cost.ts\`).`;
}

/** V-SkNN on Diginetica, by its grid. */
export function neighbours(): string {
  const rows = rowsOf('neighbours.md');
  const lost = rows.find(([name]) => name === 'v-sknn')![2];
  const grid = rows.filter(([name]) => name!.startsWith('similarity='));
  return `* **Neighbours**: on Diginetica V-SkNN at its best of a grid of ${grid.length} settings, found on a validation part, reaches ${lost}
  percent in Recall@20 and MRR@20 with ties lost ([table](../test/bench/results/neighbours.md)).`;
}
