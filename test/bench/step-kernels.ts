/**
 * Where the time of a training step goes, kernel by kernel, on WASM: the steps of the cases `train-…`. Prints the step's
 * processor time and the time in each kernel.
 *
 *     node test/run.mjs test/bench/step-kernels.ts [gru4rec|sasrec-bce|sasrec-ce|srgnn|…] [items=100000] [KEY=VALUE…]
 */
import { wasmPath } from '../../src/pipeline/files/backend';
import { kernelTimes } from './kernel-times';
import { learnerSteps } from './learner-steps';
import { WORKLOADS } from './workloads';

export async function main(args: string[]): Promise<void> {
  const [name = 'gru4rec'] = args.filter((argument) => !argument.includes('='));
  const { items, ...set } = Object.fromEntries(
    args.filter((argument) => argument.includes('=')).map((argument) => argument.split('=', 2)),
  );
  const work = WORKLOADS[name];
  if (!work) throw new RangeError(`No such step: ${name}. There are ${Object.keys(WORKLOADS).join(', ')}.`);
  const changed = { ...work, set: { ...work.set, ...set }, ...(items !== undefined && { items: Number(items) }) };
  const step = await learnerSteps(changed, { wasmPath: wasmPath() });
  const count = name === 'gru4rec' ? 100 : 5;
  for (let i = 0; i < Math.max(3, count / 10); i++) step();
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) step();
  const { user, system } = process.cpuUsage(before);
  // Processor time, which other work on the machine does not stretch.
  console.log(`step: ${((user + system) / 1000 / count).toFixed(2)} ms of processor time`);

  const spent = kernelTimes(() => {
    for (let i = 0; i < count; i++) step();
  });
  let total = 0;
  for (const [kernel, { calls, ms, flops }] of [...spent].sort((a, b) => b[1].ms - a[1].ms)) {
    total += ms;
    const each = (ms / count).toFixed(3).padStart(9);
    const speed = flops > 0 ? `  ${(flops / ms / 1e6).toFixed(1)} GFLOP/s` : '';
    console.log(`${kernel.padEnd(26)} ${each} ms  ${String(calls / count).padStart(6)} calls${speed}`);
  }
  console.log(`kernels: ${(total / count).toFixed(2)} ms`);
}
