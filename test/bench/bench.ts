/**
 * Our figures beside the peers', in one sitting: runs alternate, medians count, the ratio comes first.
 *
 *     npm run bench -- [--json] [--write] [CASE…]       a prefix selects: `train` runs every case that trains
 *
 * `--write` keeps what it measures of answers in `results/inference.{json,md}`, with plots.
 *
 * A case is a file of `cases/` that exports `cases: BenchCase[]`. `personal` takes hours and has options of its own: see
 * `personal.ts`.
 */
import type { BenchCase } from './bench-case';
import { median } from './figures';
import { writeInference } from './inference-results';
import { host, short } from './machine';

const modules = import.meta.glob<{ cases: readonly BenchCase[] }>('./cases/*.ts');

interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Result {
  readonly case: string;
  readonly ours: Spread;
  readonly peer: string;
  readonly theirs: Spread | null;
  /** ours / theirs. */
  readonly ratio: number | null;
  readonly unit: string;
  readonly runs: number;
  readonly threads: number;
  readonly facts?: Readonly<Record<string, number | string>>;
}

export async function main(args: readonly string[]): Promise<void> {
  if (args.includes('personal')) {
    const { main: personal } = await import('./personal');
    return personal(args.filter((argument) => argument !== 'personal'));
  }
  const json = args.includes('--json');
  const options = ['--json', '--write'];
  const prefixes = args.filter((argument) => !argument.startsWith('--'));
  const all = (await Promise.all(Object.values(modules).map((load) => load()))).flatMap((module) => module.cases);
  const chosen = all.filter(({ name }) => prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix)));
  if (chosen.length === 0 || args.some((argument) => argument.startsWith('--') && !options.includes(argument))) {
    console.error(
      `Usage: npm run bench -- [--json] [--write] [CASE…]; cases: ${all.map(({ name }) => name).join(' ')} personal`,
    );
    process.exitCode = 2;
    return;
  }
  const versions: Record<string, string> = { node: process.versions.node };
  const machine = host();
  if (!json) console.log(`${machine}; Node ${versions.node}`);
  const cases: Result[] = [];
  for (const benchCase of chosen) {
    const result = await measure(benchCase, versions);
    cases.push(result);
    if (args.includes('--write')) writeInference([result]);
    if (!json) console.log(describe(result));
  }
  if (json) console.log(JSON.stringify({ machine, versions, cases }));
  else
    console.log(
      `Versions: ${Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', ')}`,
    );
}

async function measure(benchCase: BenchCase, versions: Record<string, string>): Promise<Result> {
  console.error(`${benchCase.name}: preparing`);
  const open = await benchCase.open();
  Object.assign(versions, open.versions);
  const ours: number[] = [];
  const theirs: number[] = [];
  try {
    for (let run = -benchCase.warmup; run < benchCase.runs; run++) {
      const mine = await open.ours();
      const peers = await open.theirs?.();
      if (run < 0) continue;
      ours.push(mine);
      if (peers !== undefined) theirs.push(peers);
      if (benchCase.runs <= 10) console.error(`${benchCase.name}: run ${run + 1} of ${benchCase.runs}`);
    }
    const facts = open.facts?.();
    return {
      case: benchCase.name,
      ours: spread(ours),
      peer: open.peer,
      theirs: theirs.length > 0 ? spread(theirs) : null,
      ratio: theirs.length > 0 ? spread(ours).median / spread(theirs).median : null,
      unit: benchCase.unit,
      runs: benchCase.runs,
      threads: open.threads,
      ...(facts && { facts }),
    };
  } finally {
    await open.close?.();
  }
}

function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

function describe({ case: name, ours, peer, theirs, ratio, unit, runs, threads, facts }: Result): string {
  const figure = ({ median, min, max }: Spread): string => `${short(median)} ${unit} (${short(min)}–${short(max)})`;
  const first = ratio === null ? 'no ratio' : `${short(ratio)}×`;
  const beside = theirs === null ? peer : `${peer} ${figure(theirs)}`;
  const lines = [`${name}: ${first}, ours ${figure(ours)}, ${beside}; ${runs} runs in turns, ${threads} thread`];
  for (const [fact, value] of Object.entries(facts ?? {}))
    lines.push(`  ${fact}: ${typeof value === 'number' ? value.toLocaleString('en') : value}`);
  return lines.join('\n');
}
