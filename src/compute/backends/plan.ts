/** The backend of compiled plans: a module of WebAssembly. It needs no TensorFlow.js. */

import type { RunningDevice } from '../running';
import { type Binary, compileFirst } from '../wasm-module';

/** The faster first: it multiplies and adds in one instruction, by relaxed SIMD. */
const BINARIES: readonly Binary[] = [
  { load: () => import('../plan/binary-fused') },
  { load: () => import('../plan/binary') },
];

/** What the plans of a page run on. Each has a memory of its own, which goes with it. */
export class PlanRunner {
  readonly memories = new Set<WebAssembly.Memory>();
  constructor(readonly module: WebAssembly.Module) {}
}

/** What carries out plans; undefined where the engine has no SIMD. */
export const loadModule = (): Promise<WebAssembly.Module | undefined> => compileFirst(BINARIES);

export async function start(): Promise<RunningDevice> {
  const module = await loadModule();
  if (!module) throw new Error('this engine has no SIMD');
  const instance = new PlanRunner(module);
  return {
    name: 'plan',
    instance,
    tolerance: 1e-4,
    memory() {
      const bytes = [...instance.memories].reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
      return { tensors: 0, bytes };
    },
    activate: async () => {},
    stop: () => instance.memories.clear(),
  };
}
