/**
 * A training on one thread and on two, in turns of one sitting, with the weights compared byte for byte:
 *
 *     node test/run.mjs test/bench/threads.ts [--model NAME] [--turns N]
 *
 * Prints a table; run it on a machine that does nothing else, or the ratio says how busy it was.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { built, plainEnv } from '../build/built';

/** No flag: batches are not cut. */
const SETTINGS = { 'whole batches': [], 'one thread': ['--threads', '1'], 'two threads': ['--threads', '2'] };
const CATALOGUE = ['--items', '5000', '--sessions', '3000', '--seed', '1'];

type Setting = keyof typeof SETTINGS;

export async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: { model: { type: 'string', default: 'sasrec' }, turns: { type: 'string', default: '3' } },
  });
  const program = join(await built('cli'), 'aisle.js');
  const place = await mkdtemp(join(tmpdir(), 'aisle-threads-'));
  const aisle = async (...words: string[]): Promise<string> => {
    const options = { env: plainEnv(), maxBuffer: 1 << 28 };
    return (await promisify(execFile)(process.execPath, [program, ...words], options)).stdout;
  };
  try {
    await aisle('simulate', '--out', join(place, 'shop'), ...CATALOGUE);
    const seconds: Record<Setting, number[]> = { 'whole batches': [], 'one thread': [], 'two threads': [] };
    const weights = new Map<string, Buffer>();
    for (let turn = 0; turn < Number(values.turns); turn++) {
      for (const setting of Object.keys(SETTINGS) as Setting[]) {
        const out = join(place, setting);
        const data = ['--data', join(place, 'shop', 'events.tsv.gz'), '--model', values.model, '--out', out];
        const printed = JSON.parse(await aisle('train', ...data, '--epochs', '1', ...SETTINGS[setting], '--json'));
        seconds[setting].push(printed.epochs[0].seconds);
        weights.set(setting, await readFile(join(out, 'weights.safetensors')));
      }
    }
    const base = median(seconds['one thread']);
    const rows = (Object.keys(SETTINGS) as Setting[]).map((setting) => {
      const own = seconds[setting];
      const isEqual = weights.get(setting)!.equals(weights.get('one thread')!);
      const range = `${Math.min(...own).toFixed(1)} to ${Math.max(...own).toFixed(1)}`;
      return [setting, median(own).toFixed(1), range, (median(own) / base).toFixed(2), isEqual ? 'equal' : 'differ'];
    });
    const head = ['setting', 'seconds an epoch, median', 'range', 'ratio to one thread', 'weights beside one thread'];
    const machine = `${cpus()[0]?.model}, ${availableParallelism()} cores, Node ${process.version}`;
    console.log(`${values.model}, ${CATALOGUE.join(' ')}, ${values.turns} turns; ${machine}\n`);
    for (const cells of [head, head.map(() => '---'), ...rows]) console.log(`| ${cells.join(' | ')} |`);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
