/**
 * `docs/reliability.md`: every risk, what was tried against it, and what came out, from the results of a test run and of the soak.
 *
 *     npx vitest run --reporter=json --outputFile=report.json
 *     node test/run.mjs test/docs/reliability.ts report.json      counts the tests of that run, and writes the page
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { markdownTable, whole } from '../../src/pipeline/format';
import { commit, machine } from '../bench/machine';
import { RESULTS } from '../bench/quality/record';
import { type Pages, writePages } from './pages';

const ROOT = resolve(import.meta.dirname, '../..');
const RUN = join(RESULTS, 'tests.json');
const ENGINES = ['Firefox', 'WebKit'] as const;

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What is committed of a test run. */
interface TestRun {
  readonly commit: string;
  readonly machine: string;
  readonly seconds: number;
  /** By file, without `test/` and the ending; those of three browsers also by `file > browser > test`. */
  readonly files: Readonly<Record<string, Counts>>;
}

interface SoakRow extends Counts {
  readonly file: string;
  readonly seconds: number;
}

interface Risk {
  readonly id: string;
  readonly name: string;
  readonly tried: string;
  /** Files of tests, without `test/` and the ending. */
  readonly in: readonly string[];
  /** Beginnings of names of tests of `engines/engines`, in Firefox and WebKit. */
  readonly elsewhere?: readonly string[];
}

const WORKER = 'with the worker beside it';
const ANSWERS = ['answers, explains and learns'];
const VISIT = ['a visit is stored after consent'];

export const RISKS: readonly Risk[] = [
  {
    id: 'R1',
    name: 'an error reaches the page',
    tried:
      'calls of the library with values of every kind, commands of the tag with wrong arguments, pages whose every part fails',
    in: ['attacks/public-calls', 'ui/embed', 'ui/guest', 'compute/fallback.built', 'ui/recovery'],
    elsewhere: [WORKER],
  },
  {
    id: 'R2',
    name: 'the device is lost',
    tried: 'each device call of every operation meets a lost device, in turn',
    in: ['browser/gpu-engine', 'browser/fault-table', 'engine/fault-table', 'engine/loss.built'],
  },
  {
    id: 'R3',
    name: 'a backend lies',
    tried: 'drivers that return NaN, zeros, or another answer; each kernel against plain CPU',
    in: [
      'browser/gpu-kernels',
      'browser/parity',
      'compute/kernels/not-finite',
      'reference/golden-gpu.built',
      'browser/trials',
    ],
    elsewhere: ANSWERS,
  },
  {
    id: 'R4',
    name: 'a backend kills the tab',
    tried: 'the tab dies while a backend is tried; the next page leaves it alone',
    in: ['recommender-auto.built', 'browser/trials'],
  },
  {
    id: 'R5',
    name: 'leaks',
    tried: 'recommendations, learnings, moves between backends and reloads of models, tensors and memory counted',
    in: ['browser/leaks', 'browser/engine'],
  },
  {
    id: 'R6',
    name: 'IndexedDB closes',
    tried: 'connections that end, also in the middle of a transaction',
    in: ['store/faults', 'store/page-faults.built', 'store/event-store'],
  },
  {
    id: 'R7',
    name: 'the quota is used up',
    tried: 'quotas from nothing to some records',
    in: ['store/page-faults.built', 'store/event-store', 'studio/studio.built'],
  },
  {
    id: 'R8',
    name: 'IndexedDB hangs',
    tried: 'requests and transactions that never settle',
    in: ['store/faults', 'store/page-faults.built'],
  },
  {
    id: 'R9',
    name: 'stored data are torn',
    tried: 'each byte of records changed or cut off; renderers and browsers killed while they write',
    in: [
      'store/records',
      'privacy/bytes',
      'privacy/kills',
      'store/tabs.built',
      'checkpoint/sealed-file',
      'checkpoint/delta-file',
    ],
  },
  {
    id: 'R10',
    name: 'the database is another script’s',
    tried: 'empty, of another version, with other stores and records',
    in: ['store/faults', 'store/page-faults.built'],
  },
  {
    id: 'R11',
    name: 'several tabs',
    tried: 'tabs that track, learn and erase side by side, killed at random',
    in: ['store/tabs.built', 'privacy/tabs', 'store/merge', 'browser/one-trainer', 'store/one-trainer'],
    elsewhere: [...VISIT, 'three tabs'],
  },
  {
    id: 'R12',
    name: 'back and forward',
    tried: 'pages out of the browser’s cache, and ones that nobody looks at',
    in: ['ui/slots', 'ui/looks', 'ui/unseen'],
    elsewhere: ['a page that comes back'],
  },
  {
    id: 'R13',
    name: 'bad networks',
    tried: 'offline before each file, files that are missing, cut off, late, of a wrong type, or that drip',
    in: ['ui/recovery', 'engine/artifact-loader', 'compute/fallback.built', 'worker/start.built'],
  },
  {
    id: 'R14',
    name: 'the page is slow or moves',
    tried: 'layout shifts in every state, bytes and requests of every page; the bench measures tasks',
    in: ['ui/looks', 'build/budgets', 'build/bundle', 'ui/catalogue', 'demo/page'],
  },
  {
    id: 'R15',
    name: 'the same input gives something else',
    tried: 'trainings and answers bit by bit: resumed, on threads, on backends, from two builds',
    in: ['cli/resume', 'cli/threads.built', 'browser/parity', 'build/code-hash', 'reference/golden'],
    elsewhere: ANSWERS,
  },
  {
    id: 'S1',
    name: 'something leaves the device',
    tried: 'two visitors, every request and the browser’s own log compared; planted leaks that must be found',
    in: ['privacy/journey', 'privacy/next-page', 'privacy/plants', 'network.built'],
    elsewhere: ['a page whose model has a plan'],
  },
  {
    id: 'S2',
    name: 'files are tampered with',
    tried: 'sizes and hashes of every file, also of files that were exchanged together',
    in: ['engine/artifact-loader', 'checkpoint/artifact', 'checkpoint/verify'],
  },
  {
    id: 'S3',
    name: 'bombs in files',
    tried: 'headers, sizes, tensors, golden sessions and plans beyond limits; random changes of plans and archives',
    in: ['checkpoint/safetensors', 'compute/plan/format', 'engine/artifact-loader', 'pipeline/zip'],
  },
  {
    id: 'S4',
    name: 'markup in texts',
    tried: 'titles, addresses and rules of a catalogue with markup and scripts; every use of markup listed',
    in: ['ui/guest', 'ui/served', 'network.built', 'ui/previous-list'],
  },
  {
    id: 'S5',
    name: 'prototype pollution',
    tried: 'ids, keys and files named __proto__ and constructor',
    in: ['attacks/public-calls', 'checkpoint/artifact', 'session/properties', 'recommender'],
  },
  {
    id: 'S6',
    name: 'security policies',
    tried: 'strict policies, Trusted Types with and without our policy, no WebAssembly, no workers',
    in: ['ui/guest', 'compute/fallback.built'],
    elsewhere: ['the embed works under a strict'],
  },
  {
    id: 'S7',
    name: 'poisoned learning',
    tried: 'bursts, repetitions and nonsense; the gate opens for none of it',
    in: ['engine/tune', 'train/tuning/gate', 'train/tuning/tune'],
  },
  {
    id: 'S8',
    name: 'shared computers',
    tried: 'what a second visitor sees after a pause, a denial, an erasure',
    in: ['privacy/erase', 'recommender-storage', 'ui/privacy-panel'],
  },
  {
    id: 'S9',
    name: 'exports',
    tried: 'files that another passphrase, a changed byte or another model must not open',
    in: ['recommender/taste', 'checkpoint/sealed-file', 'ui/privacy-panel'],
  },
  {
    id: 'S10',
    name: 'erasure',
    tried: 'erased while tabs learn and write, and looked for on the disk',
    in: ['privacy/erase', 'privacy/tabs', 'recommender-storage'],
    elsewhere: VISIT,
  },
  {
    id: 'S11',
    name: 'consent',
    tried: 'every order of answers of the platforms, also false ones and late ones',
    in: ['recommender/consent.built', 'recommender/consent-words'],
    elsewhere: VISIT,
  },
  {
    id: 'S12',
    name: 'Global Privacy Control',
    tried: 'with every other answer',
    in: ['recommender/consent.built', 'recommender/consent-words'],
  },
  {
    id: 'S13',
    name: 'hostile scripts of the page',
    tried: 'patched and frozen prototypes, other push functions, elements under our names',
    in: ['ui/guest', 'attacks/public-calls'],
  },
  { id: 'S14', name: 'frames', tried: 'of the same and of another origin, sandboxed', in: ['ui/frames'] },
  {
    id: 'S15',
    name: 'supply chain',
    tried: 'the package packed twice to the same bytes, its files listed, its licences',
    in: ['build/package', 'build/file-list', 'build/code-hash'],
  },
  {
    id: 'A1',
    name: 'accessibility',
    tried: 'axe on slots, panels, the demo and the studio: light and dark, narrow and wide; keyboard alone',
    in: ['ui/looks', 'ui/privacy-panel', 'demo/page', 'demo/models', 'studio/studio.built'],
  },
];

export function reliabilityPages(): Pages {
  if (!existsSync(RUN)) return new Map();
  const run: TestRun = JSON.parse(readFileSync(RUN, 'utf8'));
  const soak: SoakRow[] = JSON.parse(readFileSync(join(RESULTS, 'soak.json'), 'utf8'));
  return new Map([[join(ROOT, 'docs/reliability.md'), reliabilityPage(run, soak)]]);
}

export function reliabilityPage(run: TestRun, soak: readonly SoakRow[]): string {
  const sum = (all: readonly Counts[], key: keyof Counts) => all.reduce((total, counts) => total + counts[key], 0);
  const cell = (all: readonly Counts[]) => {
    const failed = sum(all, 'failed');
    return failed > 0 ? `**${failed} failed**` : sum(all, 'passed') === 0 ? 'not tried' : whole(sum(all, 'passed'));
  };
  const rows = RISKS.map(({ id, name, tried, in: files, elsewhere = [] }) => {
    const inRun = files.flatMap((file) => run.files[file] ?? []);
    const inSoak = soak.filter(({ file }) => files.includes(short(file)));
    const others = ENGINES.map((engine) =>
      cell(
        Object.entries(run.files).flatMap(([key, counts]) => {
          const [, browser, test] = key.split(' > ');
          return browser === engine && elsewhere.some((part) => test!.includes(part)) ? [counts] : [];
        }),
      ),
    );
    const failed = sum([...inRun, ...inSoak], 'failed');
    return [`${id} ${name}`, tried, cell(inRun), inSoak.length === 0 ? '' : cell(inSoak), ...others, String(failed)];
  });
  return [
    '# Reliability',
    '',
    'What can go wrong on other people’s pages, what was tried against it, and what came out. Written by `npm run docs` from the results of',
    'a test run and of the soak; the files of each row stand below, and say what they assert. The last column counts tests that failed.',
    '',
    `The run: \`npm test\` at ${run.commit}, ${run.machine}. The soak: [its rows](../test/bench/results/soak.md), each with its commit. Numbers are tests that`,
    'passed; a randomised one makes many tries, in the soak up to 10,000. "not tried" is what it says.',
    '',
    ...markdownTable(['risk', 'what was tried', 'Chromium and Node', 'soak', ...ENGINES, 'failed'], rows),
    '',
    '## Files',
    '',
    ...RISKS.map(({ id, in: files }) => `* ${id}: ${files.map((file) => `\`test/${file}.test.ts\``).join(', ')}`),
    '',
    'In Firefox and WebKit: `test/engines/engines.test.ts`. What each browser was found to do: [browsers](browsers.md).',
    '',
  ].join('\n');
}

const short = (file: string): string => file.replace(/^test\//, '').replace(/\.test\.ts$/, '');

interface Report {
  readonly startTime: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly endTime: number;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

function testRun(report: Report): TestRun {
  const files: Record<string, { passed: number; failed: number; skipped: number }> = {};
  for (const { name, assertionResults } of report.testResults) {
    const file = short(relative(ROOT, name));
    for (const { fullName, status } of assertionResults) {
      const browser = ENGINES.find((engine) => file === 'engines/engines' && fullName.includes(`in '${engine}'`));
      const keys = [
        file,
        ...(browser ? [`${file} > ${browser} > ${fullName.split(`in '${browser}'`)[1]!.trim()}`] : []),
      ];
      for (const key of keys) {
        files[key] ??= { passed: 0, failed: 0, skipped: 0 };
        files[key][status === 'passed' ? 'passed' : status === 'failed' ? 'failed' : 'skipped']++;
      }
    }
  }
  const end = Math.max(...report.testResults.map(({ endTime }) => endTime));
  const seconds = Math.round((end - report.startTime) / 1000);
  const ordered = Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { commit: commit(), machine: machine(), seconds, files: ordered };
}

export function main([report]: readonly string[]): void {
  if (report !== undefined) {
    const run = testRun(JSON.parse(readFileSync(report, 'utf8')));
    const lines = Object.entries(run.files).map(
      ([file, counts]) => `  ${JSON.stringify(file)}: ${JSON.stringify(counts)}`,
    );
    const { files: _, ...about } = run;
    writeFileSync(RUN, `${JSON.stringify(about).slice(0, -1)},"files":{\n${lines.join(',\n')}\n}}\n`);
  }
  writePages(reliabilityPages());
}
