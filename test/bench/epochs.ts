/**
 * Seconds and peak memory of each epoch on Diginetica, for every architecture:
 *
 *     node test/run.mjs test/bench/epochs.ts [--rows NAME,…] [--every N] [--epochs N] [--again]
 *
 * One training after another, each in a process of its own. `--every 4` learns from each fourth session only, over the
 * whole catalogue. Results go to `results/epochs.{json,md}` after every epoch; a row that has as many epochs of the same work
 * is not repeated, unless `--again` says so. Needs the log of `../shared`; `npm run bench -- epoch` measures a part of it.
 */
import { parseArgs } from 'node:util';
import { presetOf } from '../../src/models/presets';
import { markdownTable } from '../../src/pipeline/format';
import { sharedPath } from '../shared';
import { builtChild, Contender } from './contender';
import { EPOCH_WORKLOADS, type EpochLine, type EpochStart, type EpochWorkload } from './epoch-workloads';
import { commit, machine, short } from './machine';
import { readResult, writeResult } from './results';

interface Row extends EpochStart {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly preset: string;
  readonly every: number;
  readonly epochs: readonly EpochLine[];
  readonly machine: string;
  readonly commit: string;
}

const LIMIT = 4e9;

export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string', default: Object.keys(EPOCH_WORKLOADS).join() },
      every: { type: 'string', default: '1' },
      epochs: { type: 'string', default: '3' },
      again: { type: 'boolean', default: false },
    },
  });
  const names = values.rows.split(',');
  const unknown = names.find((name) => !Object.hasOwn(EPOCH_WORKLOADS, name));
  if (unknown) throw new RangeError(`No such row: ${unknown}. There are ${Object.keys(EPOCH_WORKLOADS).join(', ')}.`);
  const [every, epochs] = [values.every, values.epochs].map(Number) as [number, number];
  if (!(every >= 1 && epochs >= 1)) throw new RangeError('--every and --epochs: expected whole numbers from 1.');
  const data = sharedPath('data/diginetica/train.tsv.gz');
  if (!data) {
    console.error('The log diginetica of ../shared is not here; nothing to train on.');
    process.exitCode = 2;
    return;
  }
  const rows = new Map(
    readResult<{ readonly rows: readonly Row[] }>('epochs', { rows: [] }).rows.map((row) => [row.name, row]),
  );
  const child = await builtChild('epoch-child.ts');
  try {
    for (const name of names) {
      const work: EpochWorkload = { data, ...EPOCH_WORKLOADS[name]!, every, epochs };
      const config = { ...presetOf(work.model, work.preset).config, ...work.set };
      const known = rows.get(name);
      const isSame = known?.every === every && JSON.stringify(known.config) === JSON.stringify(config);
      if (isSame && known.epochs.length >= epochs && !values.again) {
        console.error(`${name}: was there already`);
        continue;
      }
      const side = new Contender(process.execPath, [child.program, JSON.stringify(work)]);
      const start = (await side.line()) as EpochStart;
      const facts = { machine: machine(), commit: commit() };
      const lines: EpochLine[] = [];
      while (lines.length < epochs) {
        const line = (await side.line()) as EpochLine;
        lines.push(line);
        rows.set(name, { name, config, preset: work.preset, every, ...start, ...facts, epochs: [...lines] });
        write(Object.keys(EPOCH_WORKLOADS).flatMap((row) => rows.get(row) ?? []));
        console.error(`${name}, epoch ${line.epoch}: ${short(line.seconds)} s, ${megabytes(line.peakBytes)} MB`);
      }
      await side.close();
    }
    write(Object.keys(EPOCH_WORKLOADS).flatMap((row) => rows.get(row) ?? []));
  } finally {
    await child.remove();
  }
}

const megabytes = (bytes: number): string => Math.round(bytes / 1e6).toLocaleString('en');

function write(rows: readonly Row[]): void {
  writeResult('epochs', { limitBytes: LIMIT, rows }, markdown(rows));
}

const of = (row: Row, figure: (line: EpochLine) => string): string => row.epochs.map(figure).join(' / ');

function markdown(rows: readonly Row[]): string {
  const cells = rows.map((row) => {
    const { name, preset, every, sessions, events, epochs, commit } = row;
    const peaks = epochs.map(({ peakBytes }) => peakBytes);
    const growth = peaks.length > 1 ? `${(100 * (peaks.at(-1)! / peaks[0]! - 1)).toFixed(1)} %` : '';
    return [
      name,
      preset,
      Object.entries(EPOCH_WORKLOADS[name]!.set)
        .map((setting) => setting.join('='))
        .join(' '),
      every === 1 ? 'all' : `1 in ${every}`,
      sessions.toLocaleString('en'),
      events.toLocaleString('en'),
      of(row, (line) => short(line.seconds)),
      of(row, ({ processor }) => short(processor)),
      `${every === 1 ? '' : '≈ '}${short(every * epochs.at(-1)!.processor)}`,
      of(row, ({ peakBytes }) => megabytes(peakBytes)),
      growth,
      Math.max(...peaks) < LIMIT ? 'yes' : 'no',
      of(row, ({ loss }) => loss.toFixed(3)),
      commit,
    ];
  });
  const titles = [
    'model',
    'preset',
    'set',
    'sessions',
    'count',
    'events',
    'seconds an epoch',
    'of processor time',
    'over all sessions',
    'peak MB of each',
    'last to first',
    'under 4 GB',
    'loss',
    'at',
  ];
  return `# Epochs on Diginetica

    node test/run.mjs test/bench/epochs.ts [--every N] [--epochs N]

The training part of Diginetica as SR-GNN cut it, 186,670 sessions, 906,140 events, ${rows[0]?.items.toLocaleString('en')} items. Each row is a
training by the product's own \`learn\`, on WebAssembly, one thread, in a process of its own: epoch by epoch the seconds by the
clock and of processor time, and the most memory that was resident, counted again from each epoch's start. Where sessions are
"1 in N" (\`--every N\`), so many were learnt from, over the tables of the whole catalogue, and an epoch over all is reckoned
from that. Architectures that know how tell targets from draws among the 43,097 items; GRU4Rec does so by itself, SR-GNN and
Caser compare all. The machine did other work too, which stretches the seconds. Machine: ${rows.at(-1)?.machine}.

${markdownTable(titles, cells).join('\n')}
`;
}
