/**
 * Our own WebAssembly with SIMD, for training. It works in the memory of TensorFlow.js' module, so that tensors are passed
 * as addresses and nothing is copied. The source is in `assembly/`.
 */
import type { KernelBackend } from '@tensorflow/tfjs';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm/dist/backend_wasm';
import { type Binary, compileFirst } from '../../wasm-module';
import { instantiate } from '../wasm/memory';

type Flag = 0 | 1;

/** What `assembly/index.ts` exports; its docstrings say what each does. Addresses are in bytes. */
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
  geluGradient(dy: number, x: number, dx: number, n: number): void;
  dropout(x: number, y: number, n: number, first: number, second: number, threshold: number, factor: number): void;
  adam(p: number, m: number, v: number, g: number, n: number, ...constants: number[]): void;
  adagrad(
    p: number,
    a: number,
    speed: number,
    g: number,
    n: number,
    rate: number,
    momentum: number,
    epsilon: number,
  ): void;
  binary(op: number, a: number, b: number, to: number, ...sizesAndStrides: number[]): void;
  crossEntropy(
    s: number,
    positive: number,
    dy: number,
    rows: number,
    columns: number,
    spread: number,
    own: number,
    parts: number,
    slope: number,
  ): void;
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
  layerNormGradient(
    dy: number,
    n: number,
    r: number,
    gain: number,
    rows: number,
    d: number,
    dx: number,
    dGain: number,
    dBias: number,
    chunk: number,
  ): void;
  sumMiddle(x: number, to: number, outer: number, count: number, inner: number, chunk: number): void;
  addRows(x: number, ids: number, out: number, count: number, width: number, segments: number): void;
  copyBlocks(from: number, fromStep: number, to: number, toStep: number, bytes: number, count: number): void;
  transpose(x: number, to: number, count: number, rows: number, columns: number): void;
  attentionScratch(T: number, K: number, R: number): number;
  attentionWeights(...addressesAndSizes: number[]): void;
  attentionWeightsGradient(...addressesAndSizes: number[]): void;
  attentionRead(...addressesAndSizes: number[]): void;
  attentionReadGradient(...addressesAndSizes: number[]): void;
  gatherRows(x: number, ids: number, out: number, count: number, width: number): void;
}

let compiled: WebAssembly.Module | undefined;
const instances = new WeakMap<object, SimdExports>();

/** The faster first. It multiplies and adds in one instruction, by relaxed SIMD, which some engines lack. */
const BINARIES: readonly Binary[] = [{ load: () => import('./binary-fused') }, { load: () => import('./binary') }];

/** Compiles the module, once, for backends that start after it. @returns Whether there is one: a few engines have no SIMD. */
export async function compileSimd(): Promise<boolean> {
  compiled = await compileFirst(BINARIES);
  return compiled !== undefined;
}

/** The module over a backend's memory. `compileSimd` comes first. */
export function simdOf(anyBackend: KernelBackend): SimdExports {
  const backend = anyBackend as BackendWasm;
  let instance = instances.get(backend.wasm);
  if (!instance) {
    instance = instantiate<SimdExports>(backend, compiled!);
    instances.set(backend.wasm, instance);
  }
  return instance;
}
