import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'vite';
import { devDependencies } from '../../../package.json';
import type { BenchCase, OpenCase } from '../bench-case';
import { generateEvents } from '../generate-events';

const EVENTS = 10_000_000;
const LIMIT = 300e6 + 64 * EVENTS;
const SEED = 1;

/** Ten million events into sessions of item indices, against the mere parsing of the same rows. */
export const cases: readonly BenchCase[] = [{ name: 'read-events', unit: 's', runs: 3, warmup: 0, open }];

async function open(): Promise<OpenCase> {
  // Inside the checkout, where Node finds csv-parse.
  await mkdir(resolve('.cache'), { recursive: true });
  const folder = await mkdtemp(join(resolve('.cache'), 'read-events-'));
  const file = join(folder, 'events.tsv');
  await build({
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    build: { ssr: resolve('test/bench/read-events-child.ts'), outDir: folder, emptyOutDir: false, minify: false },
  });
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await generateEvents(file, EVENTS, SEED);
  } catch (error) {
    await remove(); // half a file is large too
    throw error;
  }
  let peak = 0;
  let peerPeak = 0;
  const read = async (side: 'ours' | 'csv-parse'): Promise<number> => {
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'read-events-child.js'), side, file]);
    const { seconds, events, peakBytes } = JSON.parse(stdout);
    if (events !== EVENTS) throw new Error(`${side} read ${events} events of ${EVENTS}.`);
    if (side === 'ours') peak = Math.max(peak, peakBytes);
    else peerPeak = Math.max(peerPeak, peakBytes);
    return seconds;
  };
  const { size } = await stat(file);
  return {
    ours: () => read('ours'),
    theirs: () => read('csv-parse'),
    peer: 'csv-parse (splits rows only: no ids, times or sessions)',
    threads: 1,
    versions: { 'csv-parse': devDependencies['csv-parse'] },
    facts: () => ({
      events: EVENTS,
      'file bytes': size,
      'peak bytes': peak,
      'peak limit': LIMIT,
      'peak of limit': `${((100 * peak) / LIMIT).toFixed(0)} %`,
      'peak bytes of csv-parse': peerPeak,
    }),
    close: remove,
  };
}
