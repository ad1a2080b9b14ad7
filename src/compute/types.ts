/** What several files of this folder share, and the layers above name. No tensors: the page uses it too. */

/** `plan`: the plan that an artifact was compiled to; the others are TensorFlow.js'. */
export type BackendName = 'plan' | TensorBackend;
export type TensorBackend = 'cpu' | 'wasm' | 'webgl' | 'webgpu';
export type BackendChoice = 'auto' | BackendName;

export const isGpu = (backend: BackendChoice): boolean => backend === 'webgl' || backend === 'webgpu';

/** URLs of the two module files: with SIMD, and for the few engines without. */
export interface WasmFiles {
  readonly simd: string;
  readonly plain: string;
}
