/** Matrix products of any form by our own WebAssembly: transposed or batched, no operand is copied. */
import { type KernelBackend, type TensorInfo, util } from '@tensorflow/tfjs';
import { float32 } from '../shared/kernel';
import { batchOffsets, checkProduct } from '../wasm/matmul';
import type { WasmKernel, WasmPlan } from '../wasm/memory';
import { simdOf } from './inference-module';

/** With fewer rows packing the right-hand matrix does not pay; XNNPACK packs it once for many calls. */
const FEW = 4;

interface Product {
  readonly a: TensorInfo;
  readonly b: TensorInfo;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly bias?: TensorInfo | undefined;
  readonly relu?: boolean;
}

function matMul(
  backend: KernelBackend,
  { a, b, transposeA, transposeB, bias, relu = false }: Product,
): WasmPlan | undefined {
  const { dimsA, dimsB, outDims, m, k, n } = checkProduct(a, b, transposeA, transposeB);
  const outputs = float32([...outDims, m, n]);
  const size = util.sizeFromShape([...outputs.shape]);
  if (size === 0 || k === 0) return undefined;
  const run = simdOf(backend);
  return {
    outputs,
    workspace: run.gemmScratch(),
    compute({ at, workspace }, [out]) {
      const [atA, atB, atOut, atBias] = [at(a), at(b), at(out!), bias ? at(bias) : 0];
      const [tA, tB, positive] = [transposeA ? 1 : 0, transposeB ? 1 : 0, relu ? 1 : 0] as const;
      const product = (a: number, b: number, c: number, rows: number) =>
        run.gemm(a, transposeA ? m : k, tA, b, transposeB ? k : n, tB, c, n, rows, k, n, atBias, positive, workspace);
      // One right-hand side for all: the batch of the left is so many more rows.
      if (util.sizeFromShape(dimsB) === 1 && !transposeA) return product(atA, atB, atOut, size / n);
      const [fromA, fromB] = [batchOffsets(dimsA, outDims), batchOffsets(dimsB, outDims)];
      for (let entry = 0; entry < fromA.length; entry++) {
        product(atA + fromA[entry]! * m * k * 4, atB + fromB[entry]! * k * n * 4, atOut + entry * m * n * 4, m);
      }
    },
  };
}

export const batchMatMul: WasmKernel = {
  name: 'BatchMatMul',
  plan({ inputs, attrs, backend }) {
    const [a, b] = [inputs.a!, inputs.b!];
    const [transposeA, transposeB] = [Boolean(attrs.transposeA), Boolean(attrs.transposeB)];
    const isNarrow = !transposeA && !transposeB && util.sizeFromShape(a.shape.slice(0, -1)) < FEW;
    if (isNarrow && b.shape.length === 2) return undefined;
    return matMul(backend, { a, b, transposeA, transposeB });
  },
};

export const fusedMatMul: WasmKernel = {
  name: '_FusedMatMul',
  plan({ inputs, attrs, backend }) {
    const { a, b, bias, preluActivationWeights } = inputs;
    const { transposeA, transposeB, activation } = attrs as unknown as {
      transposeA: boolean;
      transposeB: boolean;
      activation: string | null;
    };
    const relu = activation === 'relu';
    const isOurs = relu || activation === null || activation === 'linear';
    const fits = !bias || util.sizeFromShape(bias.shape) === (transposeB ? b!.shape.at(-2) : b!.shape.at(-1));
    if (!isOurs || !fits || preluActivationWeights) return undefined;
    return matMul(backend, { a: a!, b: b!, transposeA, transposeB, bias, relu });
  },
};
