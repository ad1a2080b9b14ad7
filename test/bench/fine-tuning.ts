/**
 * What a fine-tuning step takes, in Node and in a worker of a page in Chromium, on WASM, for every architecture:
 *
 *     node test/run.mjs test/bench/fine-tuning.ts [turns=5] [NAME…]
 *
 * Both run the same learner on the same batches, in turns of one sitting for each row. Times are processor time a step, of
 * the whole renderer process in Chromium, and by the clock. Results go to `results/fine-tuning.{json,md}`; rows of other
 * names stay as they are.
 */
import type { Browser } from 'playwright-core';
import { dependencies } from '../../package.json';
import { markdownTable } from '../../src/pipeline/format';
import { launchChromium } from '../chromium';
import { builtChild, Contender, type Sample, servedPage } from './contender';
import { median } from './figures';
import type { Ask } from './learner-page';
import type { TrainingWorkload } from './learner-steps';
import { host, short } from './machine';
import { readResult, writeResult } from './results';
import { WORKLOADS } from './workloads';

/** Sessions of a fine-tuning step. */
const BATCHES = [4, 16] as const;
const STEPS = 10;
const PAGE = '<!doctype html><title>Steps</title><script type="module" src="/page.js"></script>';

interface Times {
  /** Milliseconds of processor time a step, and by the clock. */
  readonly processor: number;
  readonly clock: number;
}

interface Row {
  readonly name: string;
  /** By the batch's size. */
  readonly batches: Readonly<Record<string, { readonly node: Times; readonly chromium: Times }>>;
}

interface Results {
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly turns: number;
  readonly rows: readonly Row[];
}

export async function main(args: readonly string[]): Promise<void> {
  const turns = Number(args.find((argument) => argument.startsWith('turns='))?.slice(6) ?? 5);
  const names = args.filter((argument) => !argument.includes('='));
  const unknown = names.find((name) => !Object.hasOwn(WORKLOADS, name));
  if (unknown) throw new RangeError(`No such step: ${unknown}. There are ${Object.keys(WORKLOADS).join(', ')}.`);
  const [child, page, browser] = await Promise.all([
    builtChild('learner-child.ts'),
    servedPage('learner-page.ts', [{ path: '/steps', text: PAGE, type: 'text/html; charset=utf-8' }]),
    launchChromium(),
  ]);
  const versions = {
    node: process.versions.node,
    Chromium: browser.version(),
    '@tensorflow/tfjs-backend-wasm': dependencies['@tensorflow/tfjs-backend-wasm'],
  };
  const machine = host();
  const rows = new Map(earlier().map((row) => [row.name, row]));
  try {
    for (const name of names.length > 0 ? names : Object.keys(WORKLOADS)) {
      const batches: Record<string, { node: Times; chromium: Times }> = {};
      for (const batchSize of BATCHES) {
        const work = { ...WORKLOADS[name]!, set: { ...WORKLOADS[name]!.set, batchSize } };
        batches[batchSize] = await inTurns(child.program, browser, `${page.url}/steps`, work, turns);
        console.error(name, batchSize, JSON.stringify(batches[batchSize]));
      }
      rows.set(name, { name, batches });
      report({ machine, versions, turns, rows: Object.keys(WORKLOADS).flatMap((name) => rows.get(name) ?? []) });
    }
  } finally {
    await Promise.all([child.remove(), browser.close(), page.close()]);
  }
}

/** Node and Chromium, some steps each in turns, after a turn of each that compiles. */
async function inTurns(program: string, browser: Browser, url: string, work: TrainingWorkload, turns: number) {
  const node = new Contender(process.execPath, [program, JSON.stringify(work)]);
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(url);
  const ask = (message: TrainingWorkload | number) =>
    page.evaluate((given) => (globalThis as unknown as { ask: Ask }).ask(given), message);
  await ask(work);
  const devtools = await browser.newBrowserCDPSession();
  const times: Record<'node' | 'chromium', Sample[]> = { node: [], chromium: [] };
  for (let turn = -1; turn < turns; turn++) {
    const ours = await node.sample(STEPS);
    const before = await rendererSeconds(devtools);
    const ms = await ask(STEPS);
    const cpu = (1000 * ((await rendererSeconds(devtools)) - before)) / STEPS;
    if (turn < 0) continue;
    times.node.push(ours);
    times.chromium.push({ ms, cpu });
  }
  await Promise.all([node.close(), context.close()]);
  // The system counts a process's time in hundredths of a second: the mean over all turns is finer than each.
  const of = (list: readonly Sample[]): Times => ({
    processor: list.reduce((sum, { cpu }) => sum + cpu, 0) / list.length,
    clock: median(list.flatMap(({ ms }) => ms)),
  });
  return { node: of(times.node), chromium: of(times.chromium) };
}

type Devtools = Awaited<ReturnType<Browser['newBrowserCDPSession']>>;

/** Seconds of processor time of all pages so far; only one of them does anything. */
async function rendererSeconds(devtools: Devtools): Promise<number> {
  const { processInfo } = await devtools.send('SystemInfo.getProcessInfo');
  return processInfo.reduce((sum, { type, cpuTime }) => sum + (type === 'renderer' ? cpuTime : 0), 0);
}

const earlier = () => readResult<Pick<Results, 'rows'>>('fine-tuning', { rows: [] }).rows;

function report(results: Results): void {
  writeResult('fine-tuning', results, markdown(results), 2);
}

function markdown({ machine, versions, turns, rows }: Results): string {
  const software = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const figures = ({ processor, clock }: Times): string => `${short(processor)} / ${short(clock)}`;
  const titles = ['step', ...BATCHES.flatMap((size) => [`Node, batch of ${size}`, `Chromium, batch of ${size}`])];
  const cells = rows.map(({ name, batches }) => [
    name,
    ...BATCHES.flatMap((size) => [figures(batches[size]!.node), figures(batches[size]!.chromium)]),
  ]);
  return `# Fine-tuning steps in Node and in Chromium

    node test/run.mjs test/bench/fine-tuning.ts

${machine}; ${software.join(', ')}. On WebAssembly, one thread; in Chromium in a worker of a page that is built as pages
are. Milliseconds a step, of processor time / by the clock: the mean, and the median, of ${turns * STEPS} steps in ${turns} turns
that alternate with the other side. All parameters learn, over the whole catalogue where the loss is; the work of each row
stands in \`test/bench/workloads.ts\`.

${markdownTable(titles, cells).join('\n')}
`;
}
