/**
 * What a training step takes, for every architecture: beside TensorFlow.js without our kernels, beside PyTorch where the
 * peer has the step, in which kernels, and how fast the products are.
 *
 *     node test/run.mjs test/bench/training-steps.ts [runs=7] [NAME…]
 *
 * Turns alternate, each row is one sitting; times are medians of processor time a step, which other work on the machine
 * does not stretch. Results go to `results/training-steps.{json,md}`; rows of other names stay as they are.
 */
import { matMul, tensor2d, tidy, transpose } from '@tensorflow/tfjs';
import { dependencies } from '../../package.json';
import { wasmPath } from '../../src/pipeline/files/backend';
import { markdownTable } from '../../src/pipeline/format';
import { builtChild, Contender, torchPeer } from './contender';
import { median } from './figures';
import { type KernelTime, kernelTimes } from './kernel-times';
import { learnerSteps, type TrainingWorkload } from './learner-steps';
import { host, short } from './machine';
import { readResult, writeResult } from './results';
import { WORKLOADS } from './workloads';

/** Cases of the peer, by ours. */
const PEERS: Readonly<Record<string, string>> = {
  gru4rec: 'gru4rec-step-xe',
  'sasrec-bce': 'sasrec-step-bce',
  'sasrec-ce': 'sasrec-step-ce',
};

interface Share {
  readonly kernel: string;
  readonly ms: number;
  /** Of the time in all kernels. */
  readonly share: number;
  readonly calls: number;
}

interface Row {
  readonly name: string;
  readonly work: TrainingWorkload;
  /** Milliseconds of processor time a step. */
  readonly ours: number;
  readonly stock: number;
  readonly torch?: number;
  /** Of the machine's clock, for those who ask. */
  readonly wall: { readonly ours: number; readonly stock: number; readonly torch?: number };
  readonly kernels: readonly Share[];
  /** Of matrix products and attention, in the time that they take. */
  readonly gflops: number;
}

export async function main(args: readonly string[]): Promise<void> {
  const runs = Number(args.find((argument) => argument.startsWith('runs='))?.slice(5) ?? 7);
  const names = args.filter((argument) => !argument.includes('='));
  const unknown = names.find((name) => !Object.hasOwn(WORKLOADS, name));
  if (unknown) throw new RangeError(`No such step: ${unknown}. There are ${Object.keys(WORKLOADS).join(', ')}.`);
  const child = await builtChild('learner-child.ts');
  const versions: Record<string, string> = {
    node: process.versions.node,
    '@tensorflow/tfjs-backend-wasm': dependencies['@tensorflow/tfjs-backend-wasm'],
  };
  const before = readResult<Earlier>('training-steps', { rows: [], peakGflops: 0, versions: {} });
  const rows = new Map(before.rows.map((row) => [row.name, row]));
  let peak = before.peakGflops;
  try {
    for (const name of names.length > 0 ? names : Object.keys(WORKLOADS)) {
      console.error(name);
      const times = await inTurns(child.program, name, runs, versions);
      const { kernels, gflops } = await profile(WORKLOADS[name]!);
      peak = Math.max(peak, measuredPeak());
      rows.set(name, { name, work: WORKLOADS[name]!, ...times, kernels, gflops });
      const inOrder = Object.keys(WORKLOADS).flatMap((name) => rows.get(name) ?? []);
      report(inOrder, { versions: { ...before.versions, ...versions }, peak, runs });
    }
  } finally {
    await child.remove();
  }
}

interface Earlier {
  readonly rows: readonly Row[];
  readonly peakGflops: number;
  readonly versions: Record<string, string>;
}

/** After every row, so that a run that is cut short leaves what it has. */
function report(rows: readonly Row[], { versions, peak, runs }: Omit<Facts, 'machine'>): void {
  const machine = host();
  const text = markdown(rows, { machine, versions, peak, runs });
  console.log(text);
  const json = { machine, versions, threads: 1, runs, peakGflops: peak, rows };
  writeResult('training-steps', json, text, 2);
}

/** Ours, TensorFlow.js' own and PyTorch, a step each in turns. */
async function inTurns(program: string, name: string, runs: number, versions: Record<string, string>) {
  const learner = (stock: boolean) =>
    new Contender(process.execPath, [program, JSON.stringify({ ...WORKLOADS[name], stock })]);
  const peer = PEERS[name] === undefined ? undefined : await torchPeer(PEERS[name]);
  const sides: Record<string, Contender> = { ours: learner(false), stock: learner(true) };
  if (peer && typeof peer !== 'string') {
    sides.torch = peer.side;
    versions.PyTorch = peer.version;
  }
  const lists = (): Record<string, number[]> => Object.fromEntries(Object.keys(sides).map((side) => [side, []]));
  const [cpu, wall] = [lists(), lists()];
  const steps = name === 'gru4rec' ? 5 : 2;
  for (let run = -1; run < runs; run++) {
    for (const [side, process] of Object.entries(sides)) {
      const turn = await process.sample(steps);
      if (run < 0) continue;
      cpu[side]!.push(turn.cpu);
      wall[side]!.push(median(turn.ms));
    }
  }
  await Promise.all(Object.values(sides).map((side) => side.close()));
  const of = (times: Record<string, number[]>) => ({
    ours: median(times.ours!),
    stock: median(times.stock!),
    ...(times.torch && { torch: median(times.torch) }),
  });
  return { ...of(cpu), wall: of(wall) };
}

/** Where the time of a step goes, in this process. */
async function profile(work: TrainingWorkload): Promise<{ kernels: Share[]; gflops: number }> {
  const step = await learnerSteps(work, { wasmPath: wasmPath() });
  for (let i = 0; i < 4; i++) step();
  const count = 5;
  const spent = kernelTimes(() => {
    for (let i = 0; i < count; i++) step();
  });
  const all = [...spent].sort((a, b) => b[1].ms - a[1].ms);
  const total = sum(all.map(([, { ms }]) => ms));
  const kernels = all.map(([kernel, { ms, calls }]) => {
    return { kernel, ms: ms / count, share: ms / total, calls: calls / count };
  });
  const products = all.map(([, time]) => time).filter(({ flops }: KernelTime) => flops > 0);
  return { kernels, gflops: sum(products.map(({ flops }) => flops)) / sum(products.map(({ ms }) => ms)) / 1e6 };
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** The most that a product reaches on this machine, GFLOP/s: the best of ten of two square matrices that fit its caches. */
function measuredPeak(): number {
  const size = 256;
  return tidy(() => {
    const a = tensor2d(
      Float32Array.from({ length: size * size }, (_, i) => Math.sin(i)),
      [size, size],
    );
    const b = transpose(a);
    let best = 0;
    for (let i = 0; i < 10; i++) {
      const repeats = 20;
      const before = process.cpuUsage();
      for (let j = 0; j < repeats; j++) matMul(a, b).dispose();
      const { user, system } = process.cpuUsage(before);
      best = Math.max(best, (2 * size ** 3 * repeats) / (user + system) / 1000);
    }
    return best;
  });
}

interface Facts {
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly peak: number;
  readonly runs: number;
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;

function markdown(rows: readonly Row[], { machine, versions, peak, runs }: Facts): string {
  const software = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const steps = rows.map(({ name, ours, stock, torch, wall, gflops, kernels }) => [
    name,
    short(ours),
    `${short(stock)}, ${short(stock / ours)} times ours`,
    torch === undefined ? '' : `${short(torch)}, ratio ${short(ours / torch)}`,
    short(wall.ours),
    `${short(gflops)}, ${percent(gflops / peak)}`,
    kernels
      .slice(0, 5)
      .map(({ kernel, share }) => `${kernel} ${percent(share)}`)
      .join(', '),
  ]);
  return `# Training steps

    node test/run.mjs test/bench/training-steps.ts

${machine}; ${software.join(', ')}. One thread on each side, OpenBLAS included; medians of at least ${runs} turns, in milliseconds of
processor time a step; each row is one sitting. The work of each row stands in \`test/bench/workloads.ts\`. "Stock" is TensorFlow.js WASM
with its own kernels and gradients wherever it has any. Products are matrix products and attention, against the best that
a product of 256 × 256 matrices reached in the same process, ${short(peak)} GFLOP/s; shares are of the time in kernels.

${table(
  [
    'step',
    'ours, ms',
    'stock, ms',
    'PyTorch, ms',
    'ours by the clock, ms',
    'products, GFLOP/s, of the peak',
    'kernels',
  ],
  steps,
)}
`;
}

const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  markdownTable(header, rows).join('\n');
