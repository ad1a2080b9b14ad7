/** Our own programs on WebGPU. */
import { util } from '@tensorflow/tfjs';
import type { WebGPUProgram } from '@tensorflow/tfjs-backend-webgpu/dist/webgpu_program';

/** One value after another, as the program's `uniforms` names them. */
export type Uniform = { readonly type: 'float32' | 'int32' | 'uint32'; readonly data: number[] };

/** Threads of a work group. */
export const GROUP = 64;

export interface Source {
  /** Names the program: equal keys have equal code. */
  readonly key: string;
  readonly reads: readonly string[];
  readonly uniforms: string;
  readonly code: string;
  /** Shape whose size is `uniforms.size`. */
  readonly shape: readonly number[];
  /** Work groups; default: a thread for each number of `shape`. */
  readonly groups?: number;
}

export function program({ key, reads, uniforms, code, shape, groups }: Source): WebGPUProgram {
  return {
    shaderKey: `aisle-${key}`,
    variableNames: [...reads],
    outputShape: [...shape],
    workgroupSize: [GROUP, 1, 1],
    dispatchLayout: { x: shape.map((_, axis) => axis) },
    dispatch: [groups ?? Math.ceil(util.sizeFromShape([...shape]) / GROUP), 1, 1],
    size: true,
    uniforms,
    getUserCode: () => code,
  };
}
