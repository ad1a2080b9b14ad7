/**
 * `docs/reliability.md`: every risk, what was tried against it, and what came out, from the results of a test run and of the soak.
 *
 *     npx vitest run --reporter=json --outputFile=report.json
 *     node test/run.mjs test/docs/reliability.ts report.json      counts the tests of that run, and writes the page
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { markdownTable, whole } from '../../src/pipeline/format';
import type { ChaosReport } from '../attacks/chaos';
import { commit, machine } from '../bench/machine';
import { RESULTS } from '../bench/results';
import { type Pages, writePages } from './pages';

const ROOT = resolve(import.meta.dirname, '../..');
const RUN = join(RESULTS, 'tests.json');
const ENGINES = ['Firefox', 'WebKit', 'WPE'] as const;
const CHAOS = join(RESULTS, 'chaos.json');
const IN_BROWSERS = 'engines/engines';

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
  /** What its tests have tried; an older row has none, and counts its tests. */
  readonly tries?: number;
  /** Of tests in several browsers: what came out, by `browser > test`. */
  readonly browsers?: Readonly<Record<string, string>>;
}

interface Risk {
  readonly id: string;
  readonly name: string;
  readonly tried: string;
  /** Files of tests, without `test/` and the ending. */
  readonly in: readonly string[];
  /** Parts of names of tests of `engines/engines`, in all browsers. */
  readonly elsewhere?: readonly string[];
  /** Why nothing of it is tried in the other browsers. */
  readonly notElsewhere?: string;
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
    in: [
      'attacks/public-calls',
      'ui/embed',
      'ui/guest',
      'compute/fallback.built',
      'ui/recovery',
      'attacks/chaos.built',
    ],
    elsewhere: [WORKER, 'wrong calls are refused'],
  },
  {
    id: 'R2',
    name: 'the device is lost',
    tried: 'each device call of every operation meets a lost device, in turn',
    in: ['browser/gpu-engine', 'browser/fault-table', 'engine/fault-table', 'engine/loss.built', 'attacks/chaos.built'],
    elsewhere: ['a WebGL context that is lost', 'a worker that ends in the middle'],
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
    elsewhere: [...ANSWERS, 'answers on webgl as elsewhere'],
  },
  {
    id: 'R4',
    name: 'a backend kills the tab',
    tried: 'the tab dies while a backend is tried; the next page leaves it alone',
    in: ['recommender-auto.built', 'browser/trials'],
    notElsewhere: 'their drivers cannot end one tab of several, as a crash of the GPU does in Chromium',
  },
  {
    id: 'R5',
    name: 'leaks',
    tried: 'recommendations, learnings, moves between backends and reloads of models, tensors and memory counted',
    in: ['browser/leaks', 'browser/engine', 'engine/heap.built'],
    notElsewhere: 'they do not tell what a worker holds',
  },
  {
    id: 'R6',
    name: 'IndexedDB closes',
    tried: 'connections that end, also in the middle of a transaction',
    in: ['store/faults', 'store/page-faults.built', 'store/event-store'],
    elsewhere: ['whose connection closes is opened again'],
  },
  {
    id: 'R7',
    name: 'the quota is used up',
    tried: 'quotas from nothing to some records',
    in: ['store/page-faults.built', 'store/event-store', 'studio/studio.built', 'attacks/chaos.built'],
    elsewhere: ['has no room'],
  },
  {
    id: 'R8',
    name: 'IndexedDB hangs',
    tried: 'requests and transactions that never settle',
    in: ['store/faults', 'store/page-faults.built'],
    elsewhere: ['never opens'],
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
      'attacks/chaos.built',
    ],
    elsewhere: ['records that are torn are set aside'],
  },
  {
    id: 'R10',
    name: 'the database is another script’s',
    tried: 'empty, of another version, with other stores and records',
    in: ['store/faults', 'store/page-faults.built'],
    elsewhere: ['a database of another script is put right'],
  },
  {
    id: 'R11',
    name: 'several tabs',
    tried: 'tabs that track, learn and erase side by side, killed at random',
    in: [
      'store/tabs.built',
      'privacy/tabs',
      'store/merge',
      'browser/one-trainer',
      'store/one-trainer',
      'attacks/chaos.built',
    ],
    elsewhere: [...VISIT, 'three tabs'],
  },
  {
    id: 'R12',
    name: 'back and forward',
    tried: 'pages out of the browser’s cache, also left while they write, and ones that nobody looks at',
    in: ['ui/slots', 'ui/looks', 'ui/unseen', 'ui/prerender', 'attacks/chaos.built'],
    elsewhere: ['a page that comes back'],
  },
  {
    id: 'R13',
    name: 'bad networks',
    tried: 'offline before each file, files that are missing, cut off, late, of a wrong type, or that drip',
    in: [
      'ui/recovery',
      'engine/artifact-loader',
      'compute/fallback.built',
      'worker/start.built',
      'attacks/chaos.built',
    ],
    elsewhere: ['there is an error, and all is well when it is there'],
  },
  {
    id: 'R14',
    name: 'the page is slow or moves',
    tried: 'layout shifts in every state, bytes and requests of every page; the bench measures tasks',
    in: ['ui/looks', 'build/budgets', 'build/bundle', 'ui/catalogue', 'demo/page'],
    notElsewhere: 'they do not report layout shifts; bytes and requests are the same',
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
    elsewhere: ['a page whose model has a plan', 'two visitors with different histories'],
  },
  {
    id: 'S2',
    name: 'files are tampered with',
    tried: 'sizes and hashes of every file, also of files that were exchanged together',
    in: ['engine/artifact-loader', 'checkpoint/artifact', 'checkpoint/verify'],
    elsewhere: ['weights of which a byte was changed'],
  },
  {
    id: 'S3',
    name: 'bombs in files',
    tried:
      'headers, sizes, tensors, golden sessions and plans beyond limits; random changes of plans and archives; inputs that reach new code of ten parsers',
    in: ['checkpoint/safetensors', 'compute/plan/format', 'engine/artifact-loader', 'pipeline/zip', 'attacks/parsers'],
    elsewhere: ['is refused before its weights are fetched'],
  },
  {
    id: 'S4',
    name: 'markup in texts',
    tried: 'titles, addresses and rules of a catalogue with markup and scripts; every use of markup listed',
    in: ['ui/guest', 'ui/served', 'network.built', 'ui/previous-list'],
    elsewhere: ['markup in a catalogue is text'],
  },
  {
    id: 'S5',
    name: 'prototype pollution',
    tried: 'ids, keys and files named __proto__ and constructor',
    in: ['attacks/public-calls', 'checkpoint/artifact', 'session/properties', 'recommender'],
    elsewhere: ['ids that are names of properties'],
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
    tried:
      'bursts and nonsense, for which the gate does not open; one product over and over, most of which is not learnt',
    in: ['engine/tune', 'train/tuning/gate', 'train/tuning/tune'],
    elsewhere: ['a burst of nonsense opens no gate'],
  },
  {
    id: 'S8',
    name: 'shared computers',
    tried: 'what a second visitor sees after a pause, a denial, an erasure',
    in: ['privacy/erase', 'recommender-storage', 'ui/privacy-panel'],
    elsewhere: ['a second visitor finds nothing new', 'stores, or says why not, and answers'],
  },
  {
    id: 'S9',
    name: 'exports',
    tried: 'files that another passphrase, a changed byte or another model must not open',
    in: ['recommender/taste', 'checkpoint/sealed-file', 'ui/privacy-panel'],
    elsewhere: ['in a file that only its passphrase opens'],
  },
  {
    id: 'S10',
    name: 'erasure',
    tried: 'erased while tabs learn and write, and looked for on the disk',
    in: ['privacy/erase', 'privacy/tabs', 'recommender-storage', 'attacks/chaos.built'],
    elsewhere: VISIT,
  },
  {
    id: 'S11',
    name: 'consent',
    tried: 'every order of answers of the platforms, also false ones and late ones',
    in: ['recommender/consent.built', 'recommender/consent-words', 'attacks/chaos.built'],
    elsewhere: VISIT,
  },
  {
    id: 'S12',
    name: 'Global Privacy Control',
    tried: 'with every other answer',
    in: ['recommender/consent.built', 'recommender/consent-words'],
    elsewhere: ['Global Privacy Control denies whatever'],
  },
  {
    id: 'S13',
    name: 'hostile scripts of the page',
    tried:
      'patched and frozen prototypes, functions of the realm replaced one by one, other push functions, elements under our names',
    in: ['ui/guest', 'attacks/public-calls', 'attacks/primordials.built'],
    elsewhere: ['whose prototypes are frozen', 'whose array of commands is frozen', 'whose arrays have toJSON'],
  },
  {
    id: 'S14',
    name: 'frames',
    tried: 'of the same and of another origin, sandboxed',
    in: ['ui/frames'],
    elsewhere: ['shows suggestions, and says what it lacks'],
  },
  {
    id: 'S15',
    name: 'supply chain',
    tried:
      'two builds and two packings equal byte for byte, the files listed, a page that takes scripts by their hashes alone; licences, hashes and advisories of the lock file',
    in: ['build/package', 'build/file-list', 'build/code-hash', 'attacks/supply-chain', 'ui/guest'],
    notElsewhere: 'no browser takes part',
  },
  {
    id: 'A1',
    name: 'accessibility',
    tried:
      'axe on slots, panels, the views of the demo and the states of the studio (wide and light, narrow and dark): no fault; by the ' +
      'keyboard alone: a slot, the privacy panel, an order in the demo, the studio from a log to a download',
    in: ['ui/looks', 'ui/privacy-panel', 'demo/page', 'demo/models', 'studio/studio.built'],
    elsewhere: ['slots and the privacy panel are accessible'],
  },
];

export function reliabilityPages(): Pages {
  if (!existsSync(RUN)) return new Map();
  const read = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;
  const soak = read<SoakRow[]>(join(RESULTS, 'soak.json'));
  const storm = existsSync(CHAOS) ? read<Storm>(CHAOS) : undefined;
  return new Map([[join(ROOT, 'docs/reliability.md'), reliabilityPage(read<TestRun>(RUN), soak, storm)]]);
}

const sum = (all: readonly Counts[], key: keyof Counts) => all.reduce((total, counts) => total + counts[key], 0);

function cell(all: readonly Counts[]): string {
  const failed = sum(all, 'failed');
  if (failed > 0) return `**${failed} failed**`;
  const skipped = sum(all, 'skipped');
  if (sum(all, 'passed') === 0) return 'not tried';
  return `${whole(sum(all, 'passed'))}${skipped > 0 ? ` (${whole(skipped)} skipped)` : ''}`;
}

/** What a browser said of these tests: in the soak, which runs all of them, or else in the test run. */
function inBrowser(run: TestRun, soak: readonly SoakRow[], browser: string, tests: readonly string[]): Counts[] {
  const isOne = ([key]: readonly [string, unknown]) =>
    key.startsWith(`${browser} > `) && tests.some((part) => key.includes(part));
  const inSoak = soak.find(({ file }) => short(file) === IN_BROWSERS)?.browsers;
  if (inSoak) {
    const results = Object.entries(inSoak).filter(isOne);
    return results.map(([, result]) => ({
      passed: +(result === 'passed'),
      failed: +(result === 'failed'),
      skipped: 0,
    }));
  }
  return Object.entries(run.files)
    .map(([key, counts]) => [key.replace(`${IN_BROWSERS} > `, ''), counts] as const)
    .filter(isOne)
    .map(([, counts]) => counts);
}

export function reliabilityPage(run: TestRun, soak: readonly SoakRow[], storm?: Storm): string {
  const rows = RISKS.map(({ id, name, tried, in: files, elsewhere = [] }) => {
    const inRun = files.flatMap((file) => run.files[file] ?? []);
    const inSoak: readonly (Counts & Pick<SoakRow, 'tries'>)[] = [
      ...soak.filter(({ file }) => files.includes(short(file))),
      ...(soak.length > 0 ? inBrowser(run, soak, 'Chromium', elsewhere) : []),
    ];
    const others = ENGINES.map((engine) => inBrowser(run, soak, engine, elsewhere));
    const failed = sum([...inRun, ...inSoak, ...others.flat()], 'failed');
    return [
      `${id} ${name}`,
      tried,
      cell(inRun),
      inSoak.length === 0 ? '–' : cell(inSoak),
      inSoak.length === 0 ? '–' : whole(inSoak.reduce((total, row) => total + (row.tries ?? row.passed), 0)),
      ...others.map(cell),
      String(failed),
    ];
  });
  return [
    '# Reliability',
    '',
    'What can go wrong on other people’s pages, what was tried against it, and what came out. Written by `npm run docs` from the results of',
    'a test run and of the soak; the files of each row stand below, and say what they assert. The last column counts tests that failed:',
    'each fails where anything is lost, thrown, leaked or answered wrong, so that 0 is none of these.',
    '',
    `The run: \`npm test\` at ${run.commit}, ${run.machine}. The soak: [its rows](../test/bench/results/soak.md), each with its commit. Numbers are tests that`,
    'passed; "tries" are what these made in the soak: a randomised test many, another one. "not tried" is what it says; – has no more to run',
    'in the soak.',
    '',
    ...markdownTable(['risk', 'what was tried', 'Chromium and Node', 'soak', 'tries', ...ENGINES, 'failed'], rows),
    '',
    ...(storm ? stormLines(storm) : []),
    ...plantedLines(),
    '## Not tried in the other browsers',
    '',
    ...RISKS.flatMap(({ id, name, notElsewhere }) => (notElsewhere ? [`* ${id} ${name}: ${notElsewhere}.`] : [])),
    '',
    '## Files',
    '',
    ...RISKS.map(({ id, in: files }) => `* ${id}: ${files.map((file) => `\`test/${file}.test.ts\``).join(', ')}`),
    '',
    'In Firefox, WebKit and WPE: `test/engines/engines.test.ts` and `test/engines/risks.ts`. What each browser was found to do:',
    '[browsers](browsers.md).',
    '',
  ].join('\n');
}

/** How many planted errors the tests see. */
function plantedLines(): string[] {
  const known = /^(\d+) of (\d+) are seen/m.exec(readFileSync(join(RESULTS, 'mutants.md'), 'utf8'))!;
  const random = /^(\d+) of (\d+) are seen/m.exec(readFileSync(join(RESULTS, 'random-mutants.md'), 'utf8'))!;
  return [
    '## Planted errors',
    '',
    `Do the tests see an error? Of ${known[2]} that are known, in the models and in what keeps hostile pages out, they see [${known[1]}](../test/bench/results/mutants.md);`,
    `of ${random[2]} that were planted at random in \`session\`, \`store\`, \`checkpoint\`, \`ranking\` and \`recommender\`, the tests of the same folder see`,
    `[${random[1]}](../test/bench/results/random-mutants.md).`,
    '',
  ];
}

function stormLines(storm: Storm): string[] {
  const listed = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .sort(([, a], [, b]) => b - a)
      .map(([name, count]) => `${name} ${whole(count)}`)
      .join(', ');
  return [
    '## A storm of faults',
    '',
    `Eight tabs of one shop in Chromium, ${storm.minutes} minutes, seed ${storm.seed}, at ${storm.commit}, ${storm.machine}`,
    '(`npm run soak -- attacks/chaos`):',
    '',
    ...markdownTable(
      ['', ''],
      [
        ['steps', whole(storm.steps)],
        [
          'events tracked, acknowledged, found stored',
          [storm.tracked, storm.acknowledged, storm.found].map(whole).join(', '),
        ],
        ['acknowledged events that an erasure or a denial took before they were looked for', whole(storm.erasedUnseen)],
        ['acknowledged events that gave way for want of space, the oldest first, announced', whole(storm.gaveWay)],
        ['answers equal to Node’s', whole(storm.answers)],
        ['answers by what was learnt, after its gate had opened, which Node cannot check', whole(storm.learntAnswers)],
        [
          'answers of which the clicks cannot be told, because others tracked or erased meanwhile',
          whole(storm.overtaken),
        ],
        ['**events lost, errors in a page, wrong answers, leftovers**', `**${whole(storm.breaches.length)}**`],
      ],
    ),
    '',
    `What happened: ${listed(storm.acts)}.`,
    '',
    `What was announced: ${listed(storm.announced)}. Calls that were refused: ${listed(storm.refused)}.`,
    '',
    ...storm.breaches.map((text) => `* ${text}`),
    ...(storm.breaches.length > 0 ? [''] : []),
  ];
}

const short = (file: string): string => file.replace(/^test\//, '').replace(/\.test\.ts$/, '');

/** What `attacks/chaos.built.test.ts` writes. */
type Storm = ChaosReport & { readonly commit: string; readonly machine: string; readonly minutes: number };

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
      const browser = ENGINES.find((engine) => file === IN_BROWSERS && fullName.includes(`in '${engine}'`));
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
