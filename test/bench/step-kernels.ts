/**
 * Where the time of a training step goes, kernel by kernel, on WASM: the steps of the cases `train-…`. Prints the step's
 * processor time and the time in each kernel.
 *
 *     node test/run.mjs test/bench/step-kernels.ts [gru4rec|sasrec-bce|sasrec-ce] [items=100000] [KEY=VALUE…]
 */
import { getKernelsForBackend } from '@tensorflow/tfjs-core';
import { learnerSteps } from './learner-steps';
import { GRU4REC, OTHERS, SASREC_BCE, SASREC_CE } from './works';

const works = { gru4rec: GRU4REC, 'sasrec-bce': SASREC_BCE, 'sasrec-ce': SASREC_CE, ...OTHERS };

export async function main(args: string[]): Promise<void> {
  const [name = 'gru4rec'] = args.filter((argument) => !argument.includes('='));
  const { items, ...set } = Object.fromEntries(
    args.filter((argument) => argument.includes('=')).map((argument) => argument.split('=', 2)),
  );
  const work = works[name as keyof typeof works];
  if (!work) throw new RangeError(`No such step: ${name}. There are ${Object.keys(works).join(', ')}.`);
  const step = await learnerSteps({
    ...work,
    set: { ...work.set, ...set },
    ...(items !== undefined && { items: Number(items) }),
  });
  const count = work === GRU4REC ? 100 : 5;
  for (let i = 0; i < Math.max(3, count / 10); i++) step();
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) step();
  const { user, system } = process.cpuUsage(before);
  // Processor time, which other work on the machine does not stretch.
  console.log(`step: ${((user + system) / 1000 / count).toFixed(2)} ms of processor time`);

  const spent = timeKernels();
  for (let i = 0; i < count; i++) step();
  let total = 0;
  for (const [kernel, { calls, ms }] of [...spent].sort((a, b) => b[1].ms - a[1].ms)) {
    total += ms;
    const each = (ms / count).toFixed(3).padStart(9);
    console.log(`${kernel.padEnd(24)} ${each} ms  ${String(calls / count).padStart(6)} calls`);
  }
  console.log(`kernels: ${(total / count).toFixed(2)} ms`);
}

/** Calls and milliseconds of processor time of every kernel from now on. */
function timeKernels(): ReadonlyMap<string, { calls: number; ms: number }> {
  const spent = new Map<string, { calls: number; ms: number }>();
  for (const kernel of getKernelsForBackend('wasm')) {
    const run = kernel.kernelFunc;
    Object.assign(kernel, {
      kernelFunc: (call: never) => {
        const start = process.cpuUsage();
        const result = run(call);
        const entry = spent.get(kernel.kernelName) ?? { calls: 0, ms: 0 };
        entry.calls++;
        const { user, system } = process.cpuUsage(start);
        entry.ms += (user + system) / 1000;
        spent.set(kernel.kernelName, entry);
        return result;
      },
    });
  }
  return spent;
}
