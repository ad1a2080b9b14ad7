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
import { dropPacked, packedAs } from './packed';
import { transposeBlock } from './transpose';

/** The parts of Emscripten's module that kernels use; TensorFlow.js types them away. */
interface Module {
  cwrap(name: string, result: null, args: string[]): unknown;
  _malloc(bytes: number): number;
  _free(at: number): void;
  readonly HEAPU8: Uint8Array<ArrayBuffer>;
}

const moduleOf = (backend: BackendWasm) => backend.wasm as unknown as Module;

type Multiply = (
  a: number,
  aShape: Uint8Array,
  aRank: number,
  b: number,
  bShape: Uint8Array,
  bRank: number,
  transposeA: boolean,
  transposeB: boolean,
  out: number,
) => void;

let multiply: Multiply;

function setup(backend: BackendWasm): void {
  const types = ['number', 'array', 'number', 'number', 'array', 'number', 'number', 'number', 'number'];
  multiply = moduleOf(backend).cwrap('BatchMatMul', null, types) as Multiply;
}

/** A matrix on the heap: where it starts, in bytes, and the id of the tensor if it is exactly one. */
interface Block {
  readonly at: number;
  readonly id?: number;
}

/** Names under which blocks that are not tensors are registered for one call. Tensors count upwards from 1. */
const LEFT = 0x7ffffff0;
const RIGHT = LEFT + 1;
const OUT = LEFT + 2;

function shapeBytes(rows: number, columns: number): Uint8Array {
  return new Uint8Array(new Int32Array([1, rows, columns]).buffer);
}

/** `out[m, n] = a[m, k] b[k, n]`, all row by row. */
function plain(backend: BackendWasm, a: Block, b: Block, out: Block, m: number, k: number, n: number): void {
  const { tfjs } = backend.wasm;
  if (a.id === undefined) tfjs.registerTensor(LEFT, m * k, a.at);
  if (b.id === undefined) tfjs.registerTensor(RIGHT, k * n, b.at);
  if (out.id === undefined) tfjs.registerTensor(OUT, m * n, out.at);
  multiply(a.id ?? LEFT, shapeBytes(m, k), 3, b.id ?? RIGHT, shapeBytes(k, n), 3, false, false, out.id ?? OUT);
  if (a.id === undefined) tfjs.disposeData(LEFT);
  if (b.id === undefined) tfjs.disposeData(RIGHT);
  if (out.id === undefined) tfjs.disposeData(OUT);
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

/** Writes the transpose of `[rows, columns]` at `from` to `to`, byte offsets on the heap. */
function transposeHeap(backend: BackendWasm, from: number, to: number, rows: number, columns: number): void {
  const heap = new Float32Array(moduleOf(backend).HEAPU8.buffer);
  transposeBlock(heap, from >> 2, heap, to >> 2, rows, columns);
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
function batchOffsets(dims: readonly number[], outDims: readonly number[]): Int32Array {
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

/** The batched product of `a` and `b`, each with its last two axes swapped if so told. */
export function matMulWasm(
  backend: BackendWasm,
  a: TensorInfo,
  b: TensorInfo,
  transposeA: boolean,
  transposeB: boolean,
): TensorInfo {
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
  const offsetsA = batchOffsets(dimsA, outDims);
  const offsetsB = batchOffsets(dimsB, outDims);
  for (let entry = 0; entry < offsetsA.length; entry++) {
    const blockA = { at: dataA.memoryOffset + offsetsA[entry]! * m * k * 4 };
    const blockB = { at: dataB.memoryOffset + offsetsB[entry]! * k * n * 4 };
    const blockOut = { at: dataOut.memoryOffset + entry * m * n * 4 };
    product(backend, blockA, blockB, blockOut, [m, k, n], transposeA, transposeB);
  }
  return out;
}

export const batchMatMul: KernelConfig = {
  kernelName: 'BatchMatMul',
  backendName: 'wasm',
  setupFunc: setup as (backend: object) => void,
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
