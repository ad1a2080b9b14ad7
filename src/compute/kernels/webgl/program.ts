/** Our own programs on WebGL. */
import type { TensorInfo } from '@tensorflow/tfjs';
import type { MathBackendWebGL } from '@tensorflow/tfjs-backend-webgl/dist/backend_webgl';
import type { GPGPUProgram } from '@tensorflow/tfjs-backend-webgl/dist/gpgpu_math';

type Numbers = Readonly<Record<string, number>>;

/** Runs a fragment shader; `numbers` are float uniforms, `keys` integer ones. */
export function runProgram(
  backend: MathBackendWebGL,
  shape: readonly number[],
  inputs: Readonly<Record<string, TensorInfo>>,
  code: string,
  { numbers = {}, keys = {} }: { numbers?: Numbers; keys?: Numbers } = {},
  dtype: 'float32' | 'int32' = 'float32',
): TensorInfo {
  const floats = Object.keys(numbers).map((name) => ({ name, type: 'float' as const }));
  const integers = Object.keys(keys).map((name) => ({ name, type: 'int' as const }));
  const program: GPGPUProgram = {
    variableNames: Object.keys(inputs),
    outputShape: [...shape],
    userCode: `void main() {\n${code}\n}`,
    customUniforms: [...floats, ...integers],
  };
  const values = [...Object.values(numbers), ...Object.values(keys)].map((value) => [value]);
  return backend.runWebGLProgram(program, Object.values(inputs), dtype, values);
}

/** The shader function that reads an input. */
export const getterOf = (name: string): string => `get${name[0]!.toUpperCase()}${name.slice(1)}`;
