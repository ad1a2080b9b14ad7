import { simdModule } from './module';

type Flag = 0 | 1;

/** What `assembly/inference.ts` exports; its docstrings say what each does. Addresses are in bytes. */
export interface SimdExports {
  gemmScratch(): number;
  gemm(
    a: number,
    lda: number,
    tA: Flag,
    b: number,
    ldb: number,
    tB: Flag,
    c: number,
    ldc: number,
    m: number,
    k: number,
    n: number,
    start: number,
    relu: Flag,
    scratch: number,
  ): void;
  unary(op: number, x: number, y: number, n: number): void;
  binary(op: number, a: number, b: number, to: number, ...sizesAndStrides: number[]): void;
  layerNorm(
    x: number,
    gain: number,
    bias: number,
    epsilon: number,
    rows: number,
    d: number,
    y: number,
    n: number,
    r: number,
  ): void;
  sumMiddle(x: number, to: number, outer: number, count: number, inner: number, chunk: number): void;
  copyBlocks(from: number, fromStep: number, to: number, toStep: number, bytes: number, count: number): void;
  transpose(x: number, to: number, count: number, rows: number, columns: number): void;
  attentionScratch(T: number, K: number, R: number): number;
  attentionWeights(...addressesAndSizes: number[]): void;
  attentionRead(...addressesAndSizes: number[]): void;
  gatherRows(x: number, ids: number, out: number, count: number, width: number): void;
}

/** The faster first. It multiplies and adds in one instruction, by relaxed SIMD, which some engines lack. */
export const { withSimd, simdOf } = simdModule<SimdExports>([
  { load: () => import('./binary-fused') },
  { load: () => import('./binary') },
]);
