/**
 * What it costs a page to learn from twenty events, on a device that is four times slower, in Chromium:
 *
 *     node test/run.mjs test/bench/tuning-cost.ts [turns=5] [NAME…]
 *
 * The demo shop's models, on WebAssembly. Chromium slows threads down that its devtools are attached to; a loop in each
 * thread says by how much. Results go to `results/tuning-cost.{json,md}`; rows of other names stay as they are.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { TuneMethod } from '../../src/checkpoint/delta';
import type { EngineEvent } from '../../src/engine/types';
import { markdownTable } from '../../src/pipeline/format';
import { random } from '../../src/session/random';
import { buildChanged, built } from '../build/built';
import { launchChromium } from '../chromium';
import { DEMO_MODELS } from '../demo/demo-models';
import { servedPage } from './contender';
import { median } from './figures';
import { host } from './machine';
import { readResult, writeResult } from './results';
import type { Bench } from './tuning-page';

const SLOWER = 4;
const EVENTS = 20;
/** Bytes. A renderer that fits into what an earlier run has freed does not grow, which does not mean that it uses nothing. */
const LEAST_MEMORY = 1e6;
const METHODS = ['adapter', 'full'] as const satisfies readonly TuneMethod[];

interface Row {
  readonly name: string;
  readonly method: TuneMethod;
  /** All events in the worker: milliseconds by the clock; of the worker's processor time; of the page's longest task. */
  readonly worker: { readonly clock: number; readonly processor: number; readonly pageTask: number };
  /** The same in the page's own thread, which is slowed down. */
  readonly page: { readonly clock: number; readonly processor: number; readonly longestTask: number };
  /** Milliseconds of processor time until what was learnt answers, in the worker. */
  readonly adopting: number;
  /** By which the renderer's memory grew at most. */
  readonly peakMemoryBytes: number;
  /** Of the file of what was learnt. */
  readonly bytes: number;
}

/** A list that is asked for again and again while the visitor goes on, in the script to embed. */
interface Refresh {
  readonly layoutShift: number;
  readonly longestTask: number;
  readonly refreshes: number;
}

interface Results {
  readonly machine: string;
  readonly chromium: string;
  readonly turns: number;
  /** How much longer the loop takes in the page's own thread, and in a worker. */
  readonly slowdown: { readonly page: number; readonly worker: number };
  readonly refresh?: Refresh;
  readonly rows: readonly Row[];
}

type Global = { readonly bench: Bench };
type Devtools = Awaited<ReturnType<Browser['newBrowserCDPSession']>>;

export async function main(args: readonly string[]): Promise<void> {
  const turns = Number(args.find((argument) => argument.startsWith('turns='))?.slice(6) ?? 5);
  const names = args.filter((argument) => !argument.includes('='));
  const unknown = names.find((name) => !DEMO_MODELS.some((model) => model.name === name));
  if (unknown)
    throw new RangeError(`No such model: ${unknown}. There are ${DEMO_MODELS.map(({ name }) => name).join(', ')}.`);
  const [site, browser] = await Promise.all([served(), launchChromium()]);
  const machine = host();
  const rows = new Map(earlier().map((row) => [`${row.name} ${row.method}`, row]));
  try {
    const devtools = await browser.newBrowserCDPSession();
    const slowdown = await slowdownOf(browser, site.url);
    const refresh = await refreshing(browser, site.url);
    for (const { name, folder } of DEMO_MODELS) {
      for (const method of METHODS) {
        if (names.length === 0 || names.includes(name)) {
          const row = { name, method, ...(await costs(browser, devtools, site.url, folder, method, turns)) };
          console.error(JSON.stringify(row));
          rows.set(`${name} ${method}`, row);
        }
      }
      const all = DEMO_MODELS.flatMap(({ name }) => METHODS.flatMap((method) => rows.get(`${name} ${method}`) ?? []));
      report({ machine, chromium: browser.version(), turns, slowdown, refresh, rows: all });
    }
  } finally {
    await Promise.all([browser.close(), site.close()]);
  }
}

/** Opens a page in a context of its own, slowed down unless it is to be measured as it is. */
async function opened(browser: Browser, url: string, slower = SLOWER, withWorkers = true): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 412, height: 915 } });
  const page = await context.newPage();
  if (!withWorkers) await page.addInitScript('delete globalThis.Worker');
  const session = await context.newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: slower });
  await page.goto(url);
  return page;
}

/** Milliseconds of processor time of the tasks of a page's threads while something is done: of all of them, and of the longest. */
interface Tasks {
  readonly total: number;
  readonly longest: number;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds of processor time of a complete event. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/**
 * Processor time, not the clock's: another program that runs meanwhile does not count. Where devtools slow a thread down, they
 * keep its processor busy, and that counts.
 */
async function tasksOf(browser: Browser, work: () => Promise<unknown>): Promise<{ page: Tasks; worker: Tasks }> {
  await browser.startTracing(undefined, { categories: ['toplevel', '__metadata'] });
  await work();
  const { traceEvents } = JSON.parse(String(await browser.stopTracing())) as { traceEvents: TraceEvent[] };
  const names = traceEvents.filter(({ name }) => name === 'thread_name');
  const of = (thread: RegExp): Tasks => {
    const threads = new Set(
      names.filter(({ args }) => thread.test(args?.name ?? '')).map(({ pid, tid }) => `${pid} ${tid}`),
    );
    const tasks = traceEvents.filter(({ name, ph, pid, tid }) => {
      return name === 'ThreadControllerImpl::RunTask' && ph === 'X' && threads.has(`${pid} ${tid}`);
    });
    const times = tasks.map(({ tdur = 0 }) => tdur / 1000);
    return { total: times.reduce((sum, time) => sum + time, 0), longest: Math.max(0, ...times) };
  };
  return { page: of(/^CrRendererMain$/), worker: of(/^DedicatedWorker/) };
}

async function slowdownOf(browser: Browser, url: string): Promise<Results['slowdown']> {
  const speeds: Record<number, { page: number; worker: number }> = {};
  for (const rate of [1, SLOWER]) {
    const page = await opened(browser, `${url}/bench`, rate);
    const own = await tasksOf(browser, () => page.evaluate(() => (globalThis as unknown as Global).bench.loop()));
    const other = await tasksOf(browser, () =>
      page.evaluate(() => (globalThis as unknown as Global).bench.loopInWorker()),
    );
    speeds[rate] = { page: own.page.longest, worker: other.worker.longest };
    await page.context().close();
  }
  const [as, slow] = [speeds[1]!, speeds[SLOWER]!];
  return { page: slow.page / as.page, worker: slow.worker / as.worker };
}

/** Four visits of five clicks among a few products. */
function visits(folder: string): EngineEvent[][] {
  const ids: string[] = JSON.parse(readFileSync(resolve('public', folder, 'items.json'), 'utf8'));
  const draws = random(3, 'visits');
  const liked = Array.from({ length: 9 }, () => ids[draws.integer(ids.length)]!);
  return Array.from({ length: 4 }, (_, visit) =>
    Array.from({ length: EVENTS / 4 }, (_, click) => ({
      itemId: liked[draws.integer(liked.length)]!,
      time: 1_700_000_000 + 86_400 * visit + 40 * click,
    })),
  );
}

async function costs(
  browser: Browser,
  devtools: Devtools,
  url: string,
  folder: string,
  method: TuneMethod,
  turns: number,
): Promise<Omit<Row, 'name' | 'method'>> {
  const sessions = visits(folder);
  /** Runs of the same, after one that fetches and compiles. */
  async function measured(withWorkers: boolean) {
    const page = await opened(browser, `${url}/bench`, SLOWER, withWorkers);
    const tune = () =>
      page.evaluate(([method, sessions]) => (globalThis as unknown as Global).bench.tune(method, sessions), [
        method,
        sessions,
      ] as const);
    const load = (modelUrl: string) => (globalThis as unknown as Global).bench.load(modelUrl);
    const thread = await page.evaluate(load, `/${folder}/`);
    if (thread !== (withWorkers ? 'worker' : 'main')) throw new Error(`The engine is in another thread: ${thread}.`);
    await tune();
    const { id } = await rendererOf(devtools);
    const held = resident(id, 'VmRSS');
    resetPeak(id);
    const clocks: number[] = [];
    const tasks = await tasksOf(browser, async () => {
      for (let turn = 0; turn < turns; turn++) clocks.push(await tune());
    });
    const peakMemoryBytes = Math.max(0, resident(id, 'VmHWM') - held);
    const adopting = await tasksOf(browser, () => page.evaluate(() => (globalThis as unknown as Global).bench.adopt()));
    const bytes = await page.evaluate(() => (globalThis as unknown as Global).bench.stored());
    await page.context().close();
    return { tasks, peakMemoryBytes, bytes, adopting, clock: median(clocks) };
  }

  const inWorker = await measured(true);
  const inPage = await measured(false);
  const { page, worker } = inWorker.tasks;
  const own = inPage.tasks.page;
  return {
    worker: { clock: inWorker.clock, processor: worker.total / turns, pageTask: page.longest },
    page: { clock: inPage.clock, processor: own.total / turns, longestTask: own.longest },
    adopting: inWorker.adopting.worker.total,
    peakMemoryBytes: inWorker.peakMemoryBytes,
    bytes: inWorker.bytes,
  };
}

/** The process of the page that was opened last. */
async function rendererOf(devtools: Devtools): Promise<{ id: number }> {
  const { processInfo } = await devtools.send('SystemInfo.getProcessInfo');
  return processInfo.filter(({ type }) => type === 'renderer').reduce((a, b) => (a.id > b.id ? a : b));
}

function resident(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8').match(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm'));
  return 1024 * Number(line![1]);
}

/** https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html */
const resetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5');

/** A slot of the script to embed on a phone: its list is asked for again after every click. */
async function refreshing(browser: Browser, url: string): Promise<Refresh> {
  const page = await opened(browser, `${url}/shop`);
  await page.locator('aisle-recommendations[data-aisle-state="ready"]').waitFor({ timeout: 120_000 });
  const ids = visits('models/demo')
    .flat()
    .map(({ itemId }) => itemId);
  let seen = { layoutShift: 0, refreshes: 0 };
  const goOn = async (ids: readonly string[]) => {
    const seen = { layoutShift: 0, refreshes: 0 };
    const observe = (kind: string, each: (entry: PerformanceEntry & { value?: number }) => void) =>
      new PerformanceObserver((list) => list.getEntries().forEach(each)).observe({ type: kind });
    observe('layout-shift', ({ value = 0 }) => (seen.layoutShift += value));
    const slot = document.querySelector('aisle-recommendations')!;
    slot.addEventListener('aisle-recommendations', () => seen.refreshes++);
    const { aisle } = globalThis as unknown as { aisle: unknown[][] };
    for (const id of ids) {
      aisle.push(['track', id]);
      aisle.push(['refresh']);
      await new Promise((next) => setTimeout(next, 500));
    }
    await new Promise((next) => setTimeout(next, 5000));
    return seen;
  };
  const { page: own } = await tasksOf(browser, async () => {
    seen = await page.evaluate(goOn, ids);
  });
  await page.context().close();
  return { ...seen, longestTask: own.longest };
}

/** `tuning-page.ts`, the script to embed, and the demo's models. */
function served() {
  buildChanged(['embed']);
  const embed = built('embed');
  const html = (body: string) => ({
    text: `<!doctype html><title>Cost</title>${body}`,
    type: 'text/html; charset=utf-8',
  });
  return servedPage('tuning-page.ts', [
    { path: '/embed/', folder: embed },
    { path: '/models/', folder: resolve('public/models') },
    { path: '/bench', ...html('<script type="module" src="/page.js"></script>') },
    {
      path: '/shop',
      ...html(`<meta name="viewport" content="width=device-width">
<style>aisle-recommendations { display: block; min-height: 21em }</style>
<script type="module" src="/embed/embed.js" data-model-url="/models/demo/" data-backend="wasm" data-consent="granted"></script>
<h1>Product</h1><aisle-recommendations limit="8"></aisle-recommendations><p>What comes below must not move.</p>`),
    },
  ]);
}

const earlier = () => readResult<Pick<Results, 'rows'>>('tuning-cost', { rows: [] }).rows;

function report(results: Results): void {
  writeResult('tuning-cost', results, markdown(results), 2);
}

const short = (value: number): string => String(Number(value.toPrecision(2)));

function markdown({ machine, chromium, turns, slowdown, refresh, rows }: Results): string {
  const titles = [
    'model',
    'method',
    'worker, clock',
    'worker, processor',
    'page’s longest task',
    'in the page, clock',
    'in the page, processor',
    'longest task',
    'adopting',
    'peak memory, MB',
    'stored, kB',
  ];
  const cells = rows.map(({ name, method, worker, page, adopting, peakMemoryBytes, bytes }) => [
    name,
    method,
    short(worker.clock),
    short(worker.processor),
    short(worker.pageTask),
    short(page.clock),
    short(page.processor),
    short(page.longestTask),
    short(adopting),
    peakMemoryBytes < LEAST_MEMORY ? `< ${LEAST_MEMORY / 1e6}` : short(peakMemoryBytes / 1e6),
    short(bytes / 1e3),
  ]);
  const list = refresh
    ? `A list of the script to embed, on a phone's screen, asked for again after each of ${EVENTS} clicks: ` +
      `layout shift ${short(refresh.layoutShift)}, longest task of the page's own thread ${short(refresh.longestTask)} ms, ` +
      `over ${refresh.refreshes} reports of the slot.\n`
    : '';
  return `# What it costs to learn from ${EVENTS} events

    node test/run.mjs test/bench/tuning-cost.ts

${machine}; Chromium ${chromium}, whose devtools slow a page down ${SLOWER} times. A loop took ${short(slowdown.page)} times as
long in the page's own thread, and ${short(slowdown.worker)} times in a worker. Where that is about 1, devtools do not reach workers, and
what the worker takes on such a device is ${SLOWER} times what stands here. The demo shop's models (610 products), on WebAssembly.
Milliseconds: by the clock, medians of ${turns} turns; of processor time, means a turn, and the longest task of all turns. A turn
learns ${EVENTS} events in four visits from nothing, each predicted by base and tuned first, in slices of 250 ms. The engine runs in
the page only where no worker can start. Memory is by how much the renderer grew at most
beyond what it held after a first run, whose freed memory it uses again; growth of less than 1 MB is given as that.

${markdownTable(titles, cells).join('\n')}

${list}`;
}
