/**
 * Milliseconds per kernel at the sizes of a GRU4Rec step (64 rows, 2,048 negatives, width 100) and of a SASRec step
 * (128 sessions of 50, width 64, 2 heads, 10,000 items), ours against TensorFlow.js' own, on WASM.
 *
 *     node test/run.mjs test/bench/kernels.ts [REGULAR EXPRESSION]
 */
import stock from 'virtual:tfjs-kernels/wasm/stock';
import * as tf from '@tensorflow/tfjs';
import { addKernels } from '../../src/compute/backends/registry';
import { startBackend } from '../../src/compute/backends/start';
import { registerTraining } from '../../src/compute/training';
import { crossEntropy } from '../../src/nn/cross-entropy';
import { dropout } from '../../src/nn/dropout';
import { adagradUpdate, adamUpdate } from '../../src/nn/updates';
import { wasmPath } from '../../src/pipeline/files/backend';

/** Milliseconds of processor time per run, which other work on the machine does not stretch. */
function time(run: () => void, budget = 150): number {
  for (let i = 0; i < 3; i++) run();
  const before = process.cpuUsage();
  for (let runs = 1; ; runs++) {
    run();
    const { user, system } = process.cpuUsage(before);
    if (user + system > budget * 1000) return (user + system) / 1000 / runs;
  }
}

const rnd = (...shape: number[]) =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Math.random() - 0.5),
    shape,
  );
const ids = (n: number, limit: number) =>
  tf.tensor1d(
    Int32Array.from({ length: n }, () => Math.floor(Math.random() * limit)),
    'int32',
  );

type Case = [name: string, run: () => unknown];
function cases(): Case[] {
  const table = rnd(10001, 100),
    t64 = rnd(10001, 64),
    i64 = ids(64, 10001),
    i2112 = ids(2112, 10001),
    i6400 = ids(6400, 10001);
  const h = rnd(64, 100),
    y = rnd(2112, 100),
    s = rnd(64, 2112),
    w = rnd(100, 300),
    x3 = rnd(64, 300);
  const X = rnd(6400, 64),
    W = rnd(64, 64),
    q = rnd(128, 2, 50, 32),
    a = rnd(128, 2, 50, 50),
    X3 = rnd(128, 50, 64),
    g64 = rnd(64);
  const c512 = rnd(512, 10001),
    v6400 = rnd(6400),
    h512 = rnd(512, 64),
    s1 = rnd(64, 1),
    s6400 = rnd(6400, 1),
    m50 = rnd(50, 50),
    tiny = rnd(256, 4, 4),
    tiny1 = rnd(4, 4),
    i512 = ids(512, 10001) as tf.Tensor1D,
    i64s = ids(64, 2112) as tf.Tensor1D,
    acc = tf.zeros([10001, 100]),
    acc64 = tf.zeros([10001, 64]),
    acc64b = tf.zeros([10001, 64]),
    u2112 = tf.range(5, 2117, 1, 'int32'),
    u6400 = tf.range(5, 6405, 1, 'int32');
  return [
    ['gather 2112x100', () => tf.gather(table, i2112)],
    ['gather 64x100', () => tf.gather(table, i64)],
    ['gather 6400x64', () => tf.gather(t64, i6400)],
    ['segsum 6400x64 ->10001', () => tf.unsortedSegmentSum(X as tf.Tensor2D, i6400, 10001)],
    ['segsum 2112x100->2112', () => tf.unsortedSegmentSum(y as tf.Tensor2D, ids(2112, 2112), 2112)],
    ['matMul 64x100 . 100x300', () => tf.matMul(h, w)],
    ['matMul 64x100 . (300x100)T', () => tf.matMul(h, rnd(300, 100), false, true)],
    ['matMul (64x100)T . 64x300', () => tf.matMul(h, x3, true, false)],
    ['matMul 64x100 . (2112x100)T', () => tf.matMul(h, y, false, true)],
    ['matMul 64x2112 . 2112x100', () => tf.matMul(s, y)],
    ['matMul (64x2112)T . 64x100', () => tf.matMul(s, h, true, false)],
    ['matMul 6400x64 . 64x64', () => tf.matMul(X, W)],
    ['matMul 6400x64 . (64x64)T', () => tf.matMul(X, W, false, true)],
    ['matMul (6400x64)T . 6400x64', () => tf.matMul(X, X, true, false)],
    ['matMul q.kT 128x2x50x32', () => tf.matMul(q, q, false, true)],
    ['matMul tiny 256x4x4', () => tf.matMul(tiny, tiny)],
    ['matMul tiny one', () => tf.matMul(tiny1, tiny1)],
    ['matMul a.v', () => tf.matMul(a, q)],
    ['matMul aT.v', () => tf.matMul(a, q, true, false)],
    ['matMul 128x50x64 . 64x64 (broadcast)', () => tf.matMul(X3, W)],
    ['matMul 1x64 . 64x10001', () => tf.matMul(tf.reshape(g64, [1, 64]), tf.reshape(t64, [64, 10001]))],
    ['matMul 512x64 . (10001x64)T', () => tf.matMul(h512, t64, false, true)],
    ['matMul 512x10001 . 10001x64', () => tf.matMul(c512, t64)],
    ['matMul (512x10001)T . 512x64', () => tf.matMul(c512, h512, true, false)],
    ['transpose 64x2112', () => tf.transpose(s)],
    ['transpose 128x50x2x32 ->0213', () => tf.transpose(tf.reshape(q, [128, 50, 2, 32]), [0, 2, 1, 3])],
    ['add 64x2112', () => tf.add(s, s)],
    ['add 64x2112 + [2112]', () => tf.add(s, tf.reshape(tf.slice(s, [0, 0], [1, 2112]), [2112]))],
    ['sub 64x2112 - [64,1]', () => tf.sub(s, s1)],
    ['mul 64x2112 * scalar', () => tf.mul(s, 2)],
    ['mul 64x300 * scalar', () => tf.mul(x3, 2)],
    ['add 6400x64', () => tf.add(X, X)],
    ['add 6400x64 + [64]', () => tf.add(X, g64)],
    ['mul 6400x64 * [6400,1]', () => tf.mul(X, s6400)],
    ['add 128x2x50x50 + [50,50]', () => tf.add(a, m50)],
    ['exp 64x2112', () => tf.exp(s)],
    ['log 64x2112', () => tf.log(s)],
    ['elu 64x2112', () => tf.elu(s)],
    ['sigmoid 64x2112', () => tf.sigmoid(s)],
    ['tanh 64x2112', () => tf.tanh(s)],
    ['square 64x2112', () => tf.square(s)],
    ['neg 64x2112', () => tf.neg(s)],
    ['step 64x2112', () => tf.step(s)],
    ['relu 6400x64', () => tf.relu(X)],
    ['sqrt 64x2112', () => tf.sqrt(s)],
    ['rsqrt 6400', () => tf.rsqrt(v6400)],
    ['softplus 64x2112', () => tf.softplus(s)],
    ['softplus 6400', () => tf.softplus(v6400)],
    ['softmax 64x2112', () => tf.softmax(s)],
    ['softmax 128x2x50x50', () => tf.softmax(a)],
    ['logSoftmax 64x2112', () => tf.logSoftmax(s)],
    ['logSoftmax 512x10001', () => tf.logSoftmax(c512)],
    ['cross-entropy fused 512x10001', () => tf.grad((x) => tf.sum(crossEntropy(x as tf.Tensor2D, i512)))(c512)],
    ['sum all 64x2112', () => tf.sum(s)],
    ['sum rows 64x2112 axis1', () => tf.sum(s, 1)],
    ['sum cols 64x2112 axis0', () => tf.sum(s, 0)],
    ['sum cols 6400x64 axis0', () => tf.sum(X, 0)],
    ['sum rows 6400x64 axis1', () => tf.sum(X, 1)],
    ['sum 128x50x64 axis0', () => tf.sum(X3, 0)],
    ['mean 6400x64 axis1', () => tf.mean(X, 1, true)],
    ['max 64x2112 axis1', () => tf.max(s, 1)],
    ['max 512x10001 axis1', () => tf.max(c512, 1)],
    ['split 64x300 3', () => tf.split(x3, 3, 1)],
    ['concat 3x64x100', () => tf.concat([h, h, h], 1)],
    ['slice 64x2112', () => tf.slice(s, [0, 64], [64, 2048])],
    ['where 64x2112', () => tf.where(tf.greater(s, 0), s, tf.zerosLike(s))],
    ['greater 64x2112', () => tf.greater(s, 0)],
    ['cast bool 64x2112', () => tf.cast(tf.greater(s, 0), 'float32')],
    ['ones 64x2112', () => tf.ones([64, 2112])],
    ['fill 64x2112', () => tf.fill([64, 2112], 2)],
    ['tile 64x1 -> 64x2112', () => tf.tile(s1, [1, 2112])],
    ['oneHot 64x10001', () => tf.oneHot(i64, 10001)],
    ['cross-entropy fused', () => tf.grad((x) => tf.sum(crossEntropy(x as tf.Tensor2D, i64s)))(s)],
    ['clone 64x2112', () => tf.clone(s)],
    ['eluGrad', () => tf.engine().runKernel('EluGrad', { dy: s, y: s })],
    [
      'adagrad 2112x100 rows',
      () =>
        adagradUpdate(
          { param: table, accumulator: acc, gradient: y, rows: u2112 as tf.Tensor1D },
          { learningRate: 0.05, momentum: 0, epsilon: 1e-6 },
        ),
    ],
    [
      'adam 6400x64 rows',
      () =>
        adamUpdate(
          { param: t64, m: acc64, v: acc64b, gradient: X, rows: u6400 as tf.Tensor1D },
          { learningRate: 0.05, beta1: 0.9, beta2: 0.99, epsilon: 1e-6, step: 3, weightDecay: 0, decay: 'coupled' },
        ),
    ],
    ['dropout 6400x64', () => dropout(X, 0.2, 3)],
    ['scalar', () => tf.scalar(1)],
  ];
}

await startBackend('wasm', { wasmPath: wasmPath() });
await registerTraining();
const only = process.argv[2] ? new RegExp(process.argv[2]) : /./;
const all = cases().filter(([name]) => only.test(name));
const timed = (run: () => unknown) => time(() => void tf.tidy(() => void run()));
const ours = all.map(([, run]) => timed(run));
addKernels('wasm', stock);
all.forEach(([name, run], i) => {
  let theirs = Number.NaN;
  try {
    theirs = timed(run);
  } catch {
    // TensorFlow.js cannot: no such kernel, or its packed copy of the matrix has another shape.
  }
  console.log(
    `${name.padEnd(40)} ours ${ours[i]!.toFixed(3).padStart(9)}  tfjs ${theirs.toFixed(3).padStart(9)}  x${(theirs / ours[i]!).toFixed(1)}`,
  );
});
