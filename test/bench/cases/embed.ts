import type { Browser } from 'playwright-core';
import { devDependencies } from '../../../package.json';
import { launchChromium } from '../../chromium';
import { takeShifts, watchShifts } from '../../layout-shifts';
import { type EmbedServer, openEmbed, ready, SCRIPT, SLOT, serveEmbed } from '../../ui/embed-window';
import type { BenchCase, OpenCase } from '../bench-case';
import { median } from '../figures';

const THROTTLE = 4;

/** The page's own thread while suggestions come, on a processor slowed down to a quarter, beside the page without them. */
export const cases: readonly BenchCase[] = [
  { name: 'embed-longest-task', unit: 'ms', runs: 10, warmup: 1, open: openCase },
];

interface Load {
  /**
   * Milliseconds of processor time of the longest task of the page's own thread, from navigation to first suggestions:
   * what else the machine does stretches it less than the time on the wall.
   */
  readonly longest: number;
  /** The same of the tasks in which a script of ours ran. */
  readonly own: number;
  /** The longest of all by the clock on the wall. */
  readonly wall: number;
  /** Milliseconds of processor time of all its tasks. */
  readonly busy: number;
  /** Milliseconds from navigation to first suggestions. */
  readonly suggestions: number;
  /** Sum of the layout shifts. */
  readonly shifts: number;
}

async function openCase(): Promise<OpenCase> {
  const [browser, server] = await Promise.all([launchChromium(), serveEmbed()]);
  const loads: Load[] = [];
  return {
    async ours() {
      const load = await loadPage(browser, server, true);
      loads.push(load);
      return load.longest;
    },
    async theirs() {
      return (await loadPage(browser, server, false)).longest;
    },
    peer: `the same page without Aisle, both at ${THROTTLE}× slower`,
    threads: 1,
    versions: { Chromium: browser.version(), 'playwright-core': devDependencies['playwright-core'] },
    facts() {
      const most = (figure: (load: Load) => number) => Math.round(Math.max(...loads.map(figure)));
      return {
        'longest task with a script of ours, median, ms (limit 50)': Math.round(median(loads.map(({ own }) => own))),
        'longest task with a script of ours, of all runs, ms': most(({ own }) => own),
        'runs with a task of ours over 50 ms': loads.filter(({ own }) => own > 50).length,
        'longest task of all runs, ms': most(({ longest }) => longest),
        'longest task by the clock on the wall, ms': most(({ wall }) => wall),
        'all tasks of a run, ms, at most': most(({ busy }) => busy),
        'first suggestions after, ms, at most': most(({ suggestions }) => suggestions),
        'layout shift, at most (limit 0)': Math.max(...loads.map(({ shifts }) => shifts)),
      };
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}

async function loadPage(browser: Browser, server: EmbedServer, withAisle: boolean): Promise<Load> {
  const { page } = await openEmbed(browser, server, SLOT, {
    head: withAisle ? SCRIPT : '',
    async prepare(opened) {
      const devtools = await opened.context().newCDPSession(opened);
      await devtools.send('Emulation.setCPUThrottlingRate', { rate: THROTTLE });
      await watchShifts(opened);
      await browser.startTracing(opened, { categories: ['toplevel', 'blink.user_timing', 'devtools.timeline', 'v8'] });
    },
  });
  if (withAisle) await ready(page);
  const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const suggestions = await page.evaluate(() => performance.now());
  const shifts = (await takeShifts(page)).reduce((sum, { value }) => sum + value, 0);
  await page.context().close();
  const tasks = tasksOf(trace.traceEvents, page.url());
  return {
    longest: Math.max(0, ...tasks.map(({ cpu }) => cpu)),
    own: Math.max(0, ...tasks.filter(({ isOurs }) => isOurs).map(({ cpu }) => cpu)),
    wall: Math.max(0, ...tasks.map((task) => task.wall)),
    busy: tasks.reduce((sum, { cpu }) => sum + cpu, 0),
    suggestions,
    shifts,
  };
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly ts: number;
  readonly dur?: number;
  /** Microseconds of processor time. */
  readonly tdur?: number;
  readonly args?: {
    readonly name?: string;
    readonly data?: { readonly documentLoaderURL?: string; readonly url?: string };
  };
}

interface Task {
  readonly cpu: number;
  readonly wall: number;
  /** Whether a script of ours ran in it. */
  readonly isOurs: boolean;
}

/** Where the server of these tests has our scripts. */
const OURS = '/aisle/';

/** Whether a script of ours runs; that one is asked for or arrives is the page's own work. Of modules the page has no other. */
const runsOurs = ({ name, args }: TraceEvent): boolean =>
  name === 'v8.evaluateModule' ||
  (/^(EvaluateScript|FunctionCall|v8\.compileModule)$/.test(name) && !!args?.data?.url?.includes(OURS));

/** Milliseconds of each task of the main thread of the process that shows the address, from its navigation on. */
function tasksOf(events: readonly TraceEvent[], address: string): Task[] {
  const start = events.find(
    ({ name, args }) => name === 'navigationStart' && args?.data?.documentLoaderURL === address,
  );
  if (!start) throw new Error(`The trace has no navigation to ${address}.`);
  const main = events.find(
    ({ name, pid, args }) => name === 'thread_name' && pid === start.pid && args?.name === 'CrRendererMain',
  );
  const here = events.filter(({ pid, tid, ts }) => pid === start.pid && tid === main?.tid && ts >= start.ts);
  const scripts = here.filter(runsOurs).map(({ ts }) => ts);
  return here
    .filter(({ name }) => /RunTask$/.test(name))
    .map(({ ts, dur = 0, tdur = dur }) => ({
      cpu: tdur / 1000,
      wall: dur / 1000,
      isOurs: scripts.some((script) => script >= ts && script <= ts + dur),
    }));
}
