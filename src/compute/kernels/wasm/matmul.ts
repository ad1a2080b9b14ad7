/**
 * Matrix products on WASM. TensorFlow.js has one fast path there, XNNPACK's for two plain matrices; anything transposed
 * or batched falls to a loop ten times slower. Here every product becomes calls of the fast path: operands are transposed
 * first, batches are folded into rows or run entry by entry.
 *
 * XNNPACK keeps the right-hand matrix in a packed copy of its own, found again by the tensor's id alone. Two things
 * follow, and are held here: a product with the same numbers under another shape must drop the packed copy, and so must
 * whoever writes into a tensor (`dropPacked`).
 */
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm/dist/backend_wasm';
import { broadcast_util, type KernelConfig, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { transposeBlock } from '../shared/transpose';
import { dropPacked, packedAs } from './packed';

/** The parts of Emscripten's module that kernels use; TensorFlow.js types them away. */
interface Module {
  /** TensorFlow.js' product of two batched matrices: ids, addresses of shapes, ranks, transposed or not, id of the result. */
  _BatchMatMul(
    a: number,
    aShape: number,
    aRank: number,
    b: number,
    bShape: number,
    bRank: number,
    tA: 0,
    tB: 0,
    out: number,
  ): void;
  _malloc(bytes: number): number;
  _free(at: number): void;
  readonly HEAPU8: Uint8Array<ArrayBuffer>;
}

const moduleOf = (backend: BackendWasm) => backend.wasm as unknown as Module;

/** Where each module keeps the shapes of the two operands, six integers on its heap. */
const shapesAt = new WeakMap<object, number>();

/** A matrix on the heap: where it starts, in bytes, and the id of the tensor if it is exactly one. */
interface Block {
  readonly at: number;
  readonly id?: number;
}

/** Names under which blocks that are not tensors are registered for one call. Tensors count upwards from 1. */
const LEFT = 0x7ffffff0;
const RIGHT = LEFT + 1;
const OUT = LEFT + 2;

/** Announces `[1, m, k]` and `[1, k, n]` and returns their address. */
function announce(module: Module, m: number, k: number, n: number): number {
  let at = shapesAt.get(module);
  if (at === undefined) {
    at = module._malloc(24) >>> 0; // for as long as the module lives
    shapesAt.set(module, at);
  }
  new Int32Array(module.HEAPU8.buffer, at, 6).set([1, m, k, 1, k, n]);
  return at;
}

/** `out[m, n] = a[m, k] b[k, n]`, all row by row. */
function plain(backend: BackendWasm, a: Block, b: Block, out: Block, m: number, k: number, n: number): void {
  const module = moduleOf(backend);
  const { tfjs } = backend.wasm;
  const shapes = announce(module, m, k, n);
  if (a.id === undefined) tfjs.registerTensor(LEFT, m * k, a.at);
  if (b.id === undefined) tfjs.registerTensor(RIGHT, k * n, b.at);
  if (out.id === undefined) tfjs.registerTensor(OUT, m * n, out.at);
  module._BatchMatMul(a.id ?? LEFT, shapes, 3, b.id ?? RIGHT, shapes + 12, 3, 0, 0, out.id ?? OUT);
  if (a.id === undefined) tfjs.disposeData(LEFT);
  if (b.id === undefined) tfjs.disposeData(RIGHT);
  if (out.id === undefined) tfjs.disposeData(OUT);
}

/** A batch of plain products: entry e multiplies the blocks at `fromA[e]` and `fromB[e]`, in blocks, from `a` and `b`. */
function plainBatch(
  backend: BackendWasm,
  [a, fromA]: readonly [number, Int32Array],
  [b, fromB]: readonly [number, Int32Array],
  out: number,
  [m, k, n]: readonly [number, number, number],
): void {
  const module = moduleOf(backend);
  const { tfjs } = backend.wasm;
  const shapes = announce(module, m, k, n);
  for (let entry = 0; entry < fromA.length; entry++) {
    tfjs.registerTensor(LEFT, m * k, a + fromA[entry]! * m * k * 4);
    tfjs.registerTensor(RIGHT, k * n, b + fromB[entry]! * k * n * 4);
    tfjs.registerTensor(OUT, m * n, out + entry * m * n * 4);
    module._BatchMatMul(LEFT, shapes, 3, RIGHT, shapes + 12, 3, 0, 0, OUT);
    tfjs.disposeData(LEFT);
    tfjs.disposeData(RIGHT); // and with it XNNPACK's packed copy
    tfjs.disposeData(OUT);
  }
}

/** Runs with `count` floats of scratch on the heap. */
function withScratch(backend: BackendWasm, count: number, use: (at: number) => void): void {
  const at = moduleOf(backend)._malloc(count * 4) >>> 0;
  try {
    use(at);
  } finally {
    moduleOf(backend)._free(at);
  }
}

/** Writes the transposes of `count` matrices `[rows, columns]` at `from` to `to`, byte offsets on the heap. */
function transposeHeap(backend: BackendWasm, from: number, to: number, rows: number, columns: number, count = 1): void {
  const heap = new Float32Array(moduleOf(backend).HEAPU8.buffer);
  const size = rows * columns;
  for (let i = 0; i < count; i++)
    transposeBlock(heap, (from >>> 2) + i * size, heap, (to >>> 2) + i * size, rows, columns);
}

/**
 * One product of two matrices, either stored transposed. Of the two ways, `A B` and `(Bᵀ Aᵀ)ᵀ`, the one that moves fewer
 * numbers is taken, packing the right-hand side counted.
 */
function product(
  backend: BackendWasm,
  a: Block,
  b: Block,
  out: Block,
  [m, k, n]: readonly [number, number, number],
  transposeA: boolean,
  transposeB: boolean,
): void {
  const direct = (transposeA ? m * k : 0) + (transposeB ? k * n : 0) + k * n;
  const flipped = (transposeB ? 0 : k * n) + (transposeA ? 0 : m * k) + m * k + m * n;
  if (!transposeA && !transposeB) plain(backend, a, b, out, m, k, n);
  else if (direct <= flipped) {
    const [sizeA, sizeB] = [transposeA ? m * k : 0, transposeB ? k * n : 0];
    withScratch(backend, sizeA + sizeB, (at) => {
      if (transposeA) transposeHeap(backend, a.at, at, k, m);
      if (transposeB) transposeHeap(backend, b.at, at + sizeA * 4, n, k);
      plain(backend, transposeA ? { at } : a, transposeB ? { at: at + sizeA * 4 } : b, out, m, k, n);
    });
  } else {
    const [sizeA, sizeB] = [transposeA ? 0 : m * k, transposeB ? 0 : k * n];
    withScratch(backend, m * n + sizeA + sizeB, (at) => {
      const atA = at + m * n * 4;
      const atB = atA + sizeA * 4;
      if (!transposeA) transposeHeap(backend, a.at, atA, m, k);
      if (!transposeB) transposeHeap(backend, b.at, atB, k, n);
      // As blocks of their own, so that no packed copy of a tensor is made under a second shape.
      plain(backend, { at: transposeB ? b.at : atB }, { at: transposeA ? a.at : atA }, { at }, n, k, m);
      transposeHeap(backend, at, out.at, n, m);
    });
  }
}

/** Offsets into the batches of an operand, for each entry of the broadcast batch. */
export function batchOffsets(dims: readonly number[], outDims: readonly number[]): Int32Array {
  const count = util.sizeFromShape([...outDims]);
  const offsets = new Int32Array(count);
  const lead = outDims.length - dims.length;
  const strides = util.computeStrides([...dims]).concat(1);
  for (let entry = 0; entry < count; entry++) {
    let rest = entry;
    for (let i = outDims.length - 1; i >= 0; i--) {
      const index = rest % outDims[i]!;
      rest = (rest - index) / outDims[i]!;
      if (i >= lead && dims[i - lead]! > 1) offsets[entry]! += index * strides[i - lead]!;
    }
  }
  return offsets;
}

/**
 * Sizes of a product: batches, and `[m, k] [k, n]` once transposed.
 *
 * @throws Error if the operands do not fit.
 */
export function checkProduct(a: TensorInfo, b: TensorInfo, transposeA: boolean, transposeB: boolean) {
  if (a.dtype !== 'float32' || b.dtype !== 'float32') {
    throw new Error(`matMul multiplies float32 tensors, got ${a.dtype} and ${b.dtype}.`);
  }
  const [dimsA, dimsB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const [rowsA, columnsA] = a.shape.slice(-2) as [number, number];
  const [rowsB, columnsB] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const [k2, n] = transposeB ? [columnsB, rowsB] : [rowsB, columnsB];
  if (k !== k2) {
    throw new Error(
      `matMul: inner sizes ${k} and ${k2} of [${a.shape}] and [${b.shape}] differ (transposed: ${transposeA}, ${transposeB}).`,
    );
  }
  const outDims = broadcast_util.assertAndGetBroadcastShape(dimsA, dimsB);
  return { dimsA, dimsB, outDims, m, k, n };
}

/** The batched product of `a` and `b`, each with its last two axes swapped if so told. */
export function matMulWasm(
  backend: BackendWasm,
  a: TensorInfo,
  b: TensorInfo,
  transposeA: boolean,
  transposeB: boolean,
): TensorInfo {
  const { dimsA, dimsB, outDims, m, k, n } = checkProduct(a, b, transposeA, transposeB);
  const out = backend.makeOutput([...outDims, m, n], 'float32');
  const size = util.sizeFromShape(out.shape);
  if (size === 0) return out;
  if (k === 0) {
    backend.typedArrayFromHeap(out).fill(0);
    return out;
  }
  const dataA = backend.dataIdMap.get(a.dataId);
  const dataB = backend.dataIdMap.get(b.dataId);
  const dataOut = backend.dataIdMap.get(out.dataId);
  const batchB = util.sizeFromShape(dimsB);
  const whole = (data: typeof dataA): Block => ({ at: data.memoryOffset, id: data.id });
  if (batchB === 1 && (!transposeA || size === m * n)) {
    // One right-hand side for all: the batch of the left is so many more rows.
    const key = k * 2 ** 26 + n;
    if (!transposeA && !transposeB) {
      if ((packedAs.get(b.dataId) ?? key) !== key) dropPacked(backend, b);
      packedAs.set(b.dataId, key);
    }
    product(backend, whole(dataA), whole(dataB), whole(dataOut), [size / n, k, n], transposeA, transposeB);
    return out;
  }
  const batchA = util.sizeFromShape(dimsA);
  const [sizeA, sizeB] = [transposeA ? batchA * m * k : 0, transposeB ? batchB * k * n : 0];
  withScratch(backend, sizeA + sizeB, (at) => {
    // An operand that is stored transposed is turned once, however often its entries are used.
    const atB = at + sizeA * 4;
    if (transposeA) transposeHeap(backend, dataA.memoryOffset, at, k, m, batchA);
    if (transposeB) transposeHeap(backend, dataB.memoryOffset, atB, n, k, batchB);
    plainBatch(
      backend,
      [transposeA ? at : dataA.memoryOffset, batchOffsets(dimsA, outDims)],
      [transposeB ? atB : dataB.memoryOffset, batchOffsets(dimsB, outDims)],
      dataOut.memoryOffset,
      [m, k, n],
    );
  });
  return out;
}

export const batchMatMul: KernelConfig = {
  kernelName: 'BatchMatMul',
  backendName: 'wasm',
  kernelFunc: ({ inputs, attrs, backend }) =>
    matMulWasm(backend as BackendWasm, inputs.a!, inputs.b!, Boolean(attrs?.transposeA), Boolean(attrs?.transposeB)),
};

/**
 * `f(a b + bias)`. TensorFlow.js' own kernel packs the bias along with the matrix and would not see it change, so the
 * bias and f are applied here.
 */
export const fusedMatMul: KernelConfig = {
  kernelName: '_FusedMatMul',
  backendName: 'wasm',
  kernelFunc({ inputs, attrs, backend: anyBackend }) {
    const backend = anyBackend as BackendWasm;
    const { transposeA, transposeB, activation, leakyreluAlpha } = attrs as unknown as FusedAttributes;
    if (inputs.preluActivationWeights) throw new Error('_FusedMatMul: prelu is not supported; apply it afterwards.');
    const out = matMulWasm(backend, inputs.a!, inputs.b!, transposeA, transposeB);
    const y = backend.typedArrayFromHeap(out) as Float32Array;
    const n = out.shape.at(-1)!;
    if (inputs.bias) {
      const bias = backend.typedArrayFromHeap(inputs.bias) as Float32Array;
      if (bias.length !== n)
        throw new Error(`_FusedMatMul: the bias must have ${n} numbers, got [${inputs.bias.shape}].`);
      for (let at = 0; at < y.length; ) for (let j = 0; j < n; j++, at++) y[at]! += bias[j]!;
    }
    activate(y, activation, leakyreluAlpha ?? 0.2);
    return out;
  },
};

interface FusedAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly activation: string | null;
  readonly leakyreluAlpha?: number;
}

function activate(y: Float32Array, activation: string | null, alpha: number): void {
  const f = activations[activation ?? 'linear'];
  if (!f) throw new Error(`_FusedMatMul: the activation "${activation}" is not supported; apply it afterwards.`);
  if (f !== activations.linear) for (let i = 0; i < y.length; i++) y[i] = f(y[i]!, alpha);
}

const activations: Record<string, (x: number, alpha: number) => number> = {
  linear: (x) => x,
  relu: (x) => Math.max(x, 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  elu: (x) => (x >= 0 ? x : Math.expm1(x)),
  leakyrelu: (x, alpha) => (x >= 0 ? x : alpha * x),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
};
