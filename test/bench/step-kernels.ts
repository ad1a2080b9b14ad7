/**
 * Where the time of a training step goes, kernel by kernel, on WASM: GRU4Rec (64 rows, 2,048 negatives, width 100) as in
 * `peers/torch_peer.py`, written in plain ops (`fused`: with our cross-entropy kernel). Prints the step's time and that of each kernel.
 *
 *     node test/run.mjs test/bench/step-kernels.ts [fused] [items=100000]
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import {
  add,
  div,
  engine,
  gather,
  getKernelsForBackend,
  matMul,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor,
  tensor1d,
  tidy,
  zeros,
} from '@tensorflow/tfjs-core';
import { startBackend } from '../../src/engine/backends/index';
import { registerTraining } from '../../src/engine/backends/training';
import { softmaxCrossEntropy } from '../../src/nn/cross-entropy';
import { gruResetAfter } from '../../src/nn/gru';
import { adagradUpdate } from '../../src/nn/updates';
import { crossEntropy } from '../../src/objectives/losses';

const wasmPath = join(
  dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json')),
  'wasm-out/',
);
await startBackend('wasm', { wasmPath });
await registerTraining();

const options = process.argv.slice(2);
const items = Number(options.find((option) => option.startsWith('items='))?.slice(6) ?? 10_000);
const rowLosses = options.includes('fused') ? softmaxCrossEntropy : crossEntropy;
const [rows, sample, hidden] = [64, 2048, 100];
const random = (...shape: number[]) =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => (Math.random() - 0.5) / 2),
    shape,
  );
const ids = (count: number) => Int32Array.from({ length: count }, () => Math.floor(Math.random() * items));
const params = {
  table: random(items, hidden),
  bias: zeros([items]),
  wx: random(hidden, 3 * hidden),
  wh: random(hidden, 3 * hidden),
  bx: zeros([3 * hidden]),
  bh: zeros([3 * hidden]),
};
const accumulators = Object.fromEntries(Object.entries(params).map(([name, param]) => [name, zeros(param.shape)]));
const state = zeros([rows, hidden]) as Tensor2D;

function step(): void {
  tidy(() => {
    const [input, output] = [ids(rows), ids(rows + sample)];
    const place = new Map<number, number>();
    const index = (list: Int32Array) =>
      list.map((id) => {
        if (!place.has(id)) place.set(id, place.size);
        return place.get(id)!;
      });
    const outputs = tensor1d(index(output), 'int32');
    const inputs = tensor1d(index(input), 'int32');
    const touched = tensor1d([...place.keys()], 'int32');
    const local: Tensor[] = [
      gather(params.table, touched),
      gather(params.bias, touched),
      params.wx,
      params.wh,
      params.bx,
      params.bh,
    ];
    const { grads } = engine().gradients(
      () => {
        const [table, bias, wx, wh, bx, bh] = local as [Tensor2D, Tensor1D, Tensor2D, Tensor2D, Tensor1D, Tensor1D];
        const x = add(matMul(gather(table, inputs), wx), bx) as Tensor2D;
        const h = gruResetAfter(x, state, wh, bh);
        const scores = add(matMul(h, gather(table, outputs), false, true), gather(bias, outputs)) as Tensor2D;
        return div(
          sum(
            rowLosses(
              scores,
              tensor1d(
                Int32Array.from({ length: rows }, (_, i) => i),
                'int32',
              ),
            ),
          ),
          rows,
        );
      },
      local,
      undefined,
      true,
    );
    Object.entries(params).forEach(([name, param], i) => {
      const gradient = grads[i]!;
      adagradUpdate(
        { param, accumulator: accumulators[name]!, gradient, rows: i < 2 ? touched : undefined },
        { learningRate: 0.05, momentum: 0, epsilon: 1e-6 },
      );
    });
  });
}

for (let i = 0; i < 10; i++) step();
const before = process.cpuUsage();
for (let i = 0; i < 100; i++) step();
const { user, system } = process.cpuUsage(before);
// Processor time, which other work on the machine does not stretch.
console.log(`step: ${((user + system) / 1e5).toFixed(2)} ms of processor time`);

const spent = new Map<string, { calls: number; total: number }>();
for (const kernel of getKernelsForBackend('wasm')) {
  const run = kernel.kernelFunc;
  Object.assign(kernel, {
    kernelFunc: (call: never) => {
      const start = performance.now();
      const result = run(call);
      const used = performance.now() - start;
      const entry = spent.get(kernel.kernelName) ?? { calls: 0, total: 0 };
      entry.calls++;
      entry.total += used;
      spent.set(kernel.kernelName, entry);
      return result;
    },
  });
}
for (let i = 0; i < 100; i++) step();
let total = 0;
for (const [name, { calls, total: used }] of [...spent].sort((a, b) => b[1].total - a[1].total)) {
  total += used;
  console.log(`${name.padEnd(24)} ${(used / 100).toFixed(3).padStart(8)} ms  ${String(calls / 100).padStart(6)} calls`);
}
console.log(`kernels: ${(total / 100).toFixed(2)} ms`);
