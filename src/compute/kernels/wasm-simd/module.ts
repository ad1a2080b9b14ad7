/**
 * Our own WebAssembly with SIMD. It works in the memory of TensorFlow.js' module, so that tensors are passed as addresses and
 * nothing is copied. The source is in `assembly/`.
 */
import type { KernelBackend, KernelConfig } from '@tensorflow/tfjs';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm/dist/backend_wasm';
import { type Binary, compileFirst } from '../../wasm-module';
import { instantiate } from '../wasm/memory';

/** @param binaries The faster first. */
export function simdModule<Exports>(binaries: readonly Binary[]) {
  let compiled: WebAssembly.Module | undefined;
  const instances = new WeakMap<object, Exports>();
  return {
    /**
     * `others` and, behind them, `simd`. Where the engine has no SIMD `others` are all there is: what `simd` computes is
     * computed elsewhere too, only slower.
     */
    async withSimd(others: readonly KernelConfig[], simd: readonly KernelConfig[]): Promise<readonly KernelConfig[]> {
      compiled = await compileFirst(binaries);
      return compiled ? [...others, ...simd] : others;
    },
    /** The module over a backend's memory. `withSimd` comes first. */
    simdOf(anyBackend: KernelBackend): Exports {
      const { wasm } = anyBackend as BackendWasm;
      let instance = instances.get(wasm);
      if (!instance) {
        instance = instantiate<Exports>(anyBackend as BackendWasm, compiled!);
        instances.set(wasm, instance);
      }
      return instance;
    },
  };
}
