/**
 * A training on one thread and on two, in turns of one sitting, with the weights compared byte for byte:
 *
 *     node test/run.mjs test/bench/threads.ts [--models NAME,…] [--turns N]
 *
 * Prints a table and keeps it in `results/threads.{json,md}`, where rows of other models stay as they are. Run it on a machine
 * that does nothing else, or the ratio says how busy it was.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { markdownTable } from '../../src/pipeline/format';
import { buildChanged, built, plainEnv } from '../build/built';
import { median } from './figures';
import { readResult, writeResult } from './results';

/** No flag: batches are not cut. */
const SETTINGS = { 'whole batches': [], 'one thread': ['--threads', '1'], 'two threads': ['--threads', '2'] };
const CATALOGUE = ['--items', '5000', '--sessions', '3000', '--seed', '1'];
/** In the first ones, threads still compile; the last one counts. */
const EPOCHS = 4;
/** What can be cut into parts, at its defaults. */
const MODELS: Readonly<Record<string, readonly string[]>> = {
  sasrec: ['--model', 'sasrec'],
  srgnn: ['--model', 'srgnn'],
  'gpt2-clm': ['--model', 'transformers4rec', '--set', 'lm=gpt2', '--set', 'objective=clm'],
  'xlnet-mlm': ['--model', 'transformers4rec', '--set', 'lm=xlnet', '--set', 'objective=mlm'],
};

type Setting = keyof typeof SETTINGS;

interface Row {
  readonly model: string;
  readonly machine: string;
  readonly turns: number;
  /** Of an epoch, turn by turn, by the clock. */
  readonly seconds: Readonly<Record<Setting, readonly number[]>>;
  /** Whether two threads gave the bytes of one. */
  readonly isEqual: boolean;
}

export async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      models: { type: 'string', default: Object.keys(MODELS).join() },
      turns: { type: 'string', default: '3' },
    },
  });
  const names = values.models.split(',');
  const unknown = names.find((name) => !Object.hasOwn(MODELS, name));
  if (unknown) throw new RangeError(`No such model: ${unknown}. There are ${Object.keys(MODELS).join(', ')}.`);
  buildChanged(['cli']);
  const program = join(built('cli'), 'aisle.js');
  const place = await mkdtemp(join(tmpdir(), 'aisle-threads-'));
  const aisle = async (...words: string[]): Promise<string> => {
    const options = { env: plainEnv(), maxBuffer: 1 << 28 };
    return (await promisify(execFile)(process.execPath, [program, ...words], options)).stdout;
  };
  try {
    await aisle('simulate', '--out', join(place, 'shop'), ...CATALOGUE);
    for (const model of names) {
      const seconds: Record<Setting, number[]> = { 'whole batches': [], 'one thread': [], 'two threads': [] };
      const weights = new Map<string, Buffer>();
      for (let turn = 0; turn < Number(values.turns); turn++) {
        for (const setting of Object.keys(SETTINGS) as Setting[]) {
          const out = join(place, setting);
          const data = ['--data', join(place, 'shop', 'events.tsv.gz'), ...MODELS[model]!, '--out', out];
          const how = ['--epochs', `${EPOCHS}`, ...SETTINGS[setting], '--json'];
          const { epochs } = JSON.parse(await aisle('train', ...data, ...how, '--preset', 'none')) as {
            epochs: { seconds: number }[];
          };
          seconds[setting].push(epochs.at(-1)!.seconds);
          weights.set(setting, await readFile(join(out, 'weights.safetensors')));
        }
      }
      const isEqual = weights.get('two threads')!.equals(weights.get('one thread')!);
      const machine = `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}`;
      keep({ model, machine, turns: Number(values.turns), seconds, isEqual });
    }
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

function keep(row: Row): void {
  const before = readResult<Row[]>('threads', []);
  const rows = Object.keys(MODELS).flatMap((name) =>
    name === row.model ? row : (before.find(({ model }) => model === name) ?? []),
  );
  const text = markdown(rows);
  console.log(text);
  writeResult('threads', rows, text);
}

function markdown(rows: readonly Row[]): string {
  const titles = [
    'model',
    ...Object.keys(SETTINGS).map((setting) => `${setting}, s`),
    'two threads to one',
    'two threads to whole batches',
    'weights of one and two',
    'turns',
  ];
  const cells = rows.map(({ model, seconds, isEqual, turns }) => {
    const figure = (setting: Setting): string => {
      const all = seconds[setting];
      return `${median(all).toFixed(2)} (${Math.min(...all).toFixed(2)} to ${Math.max(...all).toFixed(2)})`;
    };
    const ratio = (to: Setting): string => (median(seconds['two threads']) / median(seconds[to])).toFixed(2);
    const times = (Object.keys(SETTINGS) as Setting[]).map(figure);
    return [model, ...times, ratio('one thread'), ratio('whole batches'), isEqual ? 'equal' : 'differ', `${turns}`];
  });
  return `# Threads that share a training

    node test/run.mjs test/bench/threads.ts

Seconds of the last of ${EPOCHS} epochs by the clock, medians (and range) of turns of one sitting, at the models' defaults, on the log of
\`aisle simulate ${CATALOGUE.join(' ')}\`. "One" and "two threads" are \`aisle train --threads\`, which cuts each batch into four
parts of like sessions; without the flag it stays whole, SASRec's in groups of like length where those hold fewer numbers. Machine: ${rows.at(-1)?.machine}.

${markdownTable(titles, cells).join('\n')}
`;
}
