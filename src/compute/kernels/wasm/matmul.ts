/**
 * Matrix products on WASM. TensorFlow.js has one fast path there, XNNPACK's for two plain matrices; anything transposed
 * or batched falls to a loop ten times slower. Here every product becomes calls of the fast path: operands are transposed
 * first, batches are folded into rows or run entry by entry. Our own WebAssembly (`wasm-simd/`) leaves to it plain products of
 * few rows, and an engine without SIMD everything.
 *
 * XNNPACK keeps the right-hand matrix in a packed copy of its own, found again by the tensor's id alone. Two things
 * follow, and are held here: a product with the same numbers under another shape must drop the packed copy, and so must
 * code that writes into a tensor (`dropPacked`).
 */
import { broadcast_util, type TensorInfo, util } from '@tensorflow/tfjs';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm/dist/backend_wasm';
import { float32 } from '../shared/kernel';
import type { WasmKernel, WasmPlan, WasmRoutines } from './memory';
import { dropPacked, packedAs } from './packed';

/**
 * TensorFlow.js' product of two batched matrices: ids, addresses of shapes, ranks, transposed or not, id of the result.
 * TensorFlow.js types it away.
 */
interface Module {
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

/** Whatever multiplies is given these. */
interface Multiplier {
  readonly backend: BackendWasm;
  readonly routines: WasmRoutines;
}

/** `out[m, n] = a[m, k] b[k, n]`, all row by row. */
function plain(
  { backend, routines }: Multiplier,
  a: Block,
  b: Block,
  out: Block,
  m: number,
  k: number,
  n: number,
): void {
  const module = backend.wasm as unknown as Module;
  const { tfjs } = backend.wasm;
  const shapes = routines.integers(1, m, k, 1, k, n);
  if (a.id === undefined) tfjs.registerTensor(LEFT, m * k, a.at);
  if (b.id === undefined) tfjs.registerTensor(RIGHT, k * n, b.at);
  if (out.id === undefined) tfjs.registerTensor(OUT, m * n, out.at);
  module._BatchMatMul(a.id ?? LEFT, shapes, 3, b.id ?? RIGHT, shapes + 12, 3, 0, 0, out.id ?? OUT);
  if (a.id === undefined) tfjs.disposeData(LEFT);
  if (b.id === undefined) tfjs.disposeData(RIGHT); // and with it XNNPACK's packed copy
  if (out.id === undefined) tfjs.disposeData(OUT);
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

/** The batched product of `a` and `b`, each with its last two axes swapped where its flag is set. */
function matMul(
  backend: BackendWasm,
  a: TensorInfo,
  b: TensorInfo,
  transposeA: boolean,
  transposeB: boolean,
): WasmPlan {
  const { dimsA, dimsB, outDims, m, k, n } = checkProduct(a, b, transposeA, transposeB);
  const outputs = float32([...outDims, m, n]);
  const size = util.sizeFromShape(outputs.shape as number[]);
  if (size === 0) return { outputs };
  if (k === 0) return { outputs, compute: ({ floats }, [out]) => void floats(out!).fill(0) };
  // An operand that is stored transposed is transposed once, however often its entries are used.
  const [batchA, batchB] = [util.sizeFromShape(dimsA), util.sizeFromShape(dimsB)];
  const [floatsA, floatsB] = [transposeA ? batchA * m * k : 0, transposeB ? batchB * k * n : 0];
  return {
    outputs,
    scratch: floatsA + floatsB > 0 ? float32([floatsA + floatsB]) : undefined,
    prepare(routines, [out, scratch]) {
      const { at, transpose } = routines;
      const transposed = scratch ? at(scratch) : 0;
      if (transposeA) transpose(at(a), transposed, k, m, batchA);
      if (transposeB) transpose(at(b), transposed + floatsA * 4, n, k, batchB);
      const multiply = plain.bind(undefined, { backend, routines });
      const blockOf = (tensor: TensorInfo, isTransposed: boolean, offset: number): Block =>
        isTransposed ? { at: transposed + offset } : { at: at(tensor), id: backend.dataIdMap.get(tensor.dataId).id };
      const [left, right] = [blockOf(a, transposeA, 0), blockOf(b, transposeB, floatsA * 4)];
      if (batchB === 1 && (!transposeA || batchA === 1)) {
        // One right-hand side for all: the batch of the left is so many more rows.
        const key = k * 2 ** 26 + n;
        if (!transposeB) {
          if ((packedAs.get(b.dataId) ?? key) !== key) dropPacked(backend, b);
          packedAs.set(b.dataId, key);
        }
        return multiply(left, right, blockOf(out!, false, 0), size / n, k, n);
      }
      const [fromA, fromB] = [batchOffsets(dimsA, outDims), batchOffsets(dimsB, outDims)];
      for (let entry = 0; entry < fromA.length; entry++) {
        const one = { at: left.at + fromA[entry]! * m * k * 4 };
        const other = { at: right.at + fromB[entry]! * k * n * 4 };
        multiply(one, other, { at: at(out!) + entry * m * n * 4 }, m, k, n);
      }
    },
  };
}

export const batchMatMul: WasmKernel = {
  name: 'BatchMatMul',
  plan: ({ inputs, attrs, backend }) =>
    matMul(backend as BackendWasm, inputs.a!, inputs.b!, Boolean(attrs.transposeA), Boolean(attrs.transposeB)),
};

/**
 * `f(a b + bias)`. TensorFlow.js' own kernel packs the bias along with the matrix and would not see it change, so the
 * bias and f are applied here.
 */
export const fusedMatMul: WasmKernel = {
  name: '_FusedMatMul',
  plan({ inputs, attrs, backend }) {
    const { a, b, bias, preluActivationWeights } = inputs;
    const { transposeA, transposeB, activation } = attrs as unknown as FusedAttributes;
    if (activation !== null && !['linear', 'relu'].includes(activation))
      throw new Error(`_FusedMatMul: the activation "${activation}" is not supported; apply it afterwards.`);
    if (preluActivationWeights) throw new Error('_FusedMatMul: prelu is not supported; apply it afterwards.');
    const { outputs, scratch, prepare, compute } = matMul(backend as BackendWasm, a!, b!, transposeA, transposeB);
    return {
      outputs,
      scratch,
      prepare,
      compute(views, made) {
        compute?.(views, made);
        const y = views.floats(made[0]!);
        if (bias) addBias(y, views.floats(bias), made[0]!.shape.at(-1)!);
        if (activation === 'relu') for (let i = 0; i < y.length; i++) y[i] = Math.max(y[i]!, 0);
      },
    };
  },
};

function addBias(y: Float32Array, bias: Float32Array, n: number): void {
  if (bias.length !== n) throw new Error(`_FusedMatMul: the bias must have ${n} numbers, got ${bias.length}.`);
  for (let i = 0; i < y.length; i++) y[i]! += bias[i % n]!;
}

interface FusedAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly activation: string | null;
}
