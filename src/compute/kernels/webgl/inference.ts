/** The kernels of WebGL that scoring runs: TensorFlow.js', and ours where its are wrong. */

import tfjs from 'virtual:tfjs-kernels/webgl/inference';
import { type KernelConfig, type KernelFunc, slice_util, util } from '@tensorflow/tfjs';
import type { MathBackendWebGL } from '@tensorflow/tfjs-backend-webgl/dist/backend_webgl';
import { sliceConfig } from '@tensorflow/tfjs-backend-webgl/dist/kernels/Slice';
import { SliceProgram } from '@tensorflow/tfjs-backend-webgl/dist/slice_gpu';

/**
 * Always a copy. TensorFlow.js' kernel may return a window onto the texture of its input, which an update would give back
 * while the window is still looked through.
 */
const slice: KernelFunc = (call) => {
  const backend = call.backend as unknown as MathBackendWebGL;
  const x = call.inputs.x!;
  const { begin, size } = call.attrs as unknown as { begin: number[]; size: number[] };
  const [from, shape] = slice_util.parseSliceParams(x as never, begin, size) as [number[], number[]];
  const isEmpty = util.sizeFromShape(shape) === 0;
  if (isEmpty || backend.shouldExecuteOnCPU([x]) || backend.texData.get(x.dataId).isPacked) {
    return sliceConfig.kernelFunc(call);
  }
  slice_util.assertParamsValid(x as never, from, shape);
  if (shape.length > 1) return backend.runWebGLProgram(new SliceProgram(shape), [x], x.dtype, [from]);
  // Its program does not compile for a vector, which TensorFlow.js only ever looks through a window at: here it is a row.
  const row = { ...x, shape: [1, ...x.shape] };
  const copy = backend.runWebGLProgram(new SliceProgram([1, ...shape]), [row], x.dtype, [[0, ...from]]);
  return { ...copy, shape };
};

export const kernels: readonly KernelConfig[] = [
  ...tfjs,
  { kernelName: 'Slice', backendName: 'webgl', kernelFunc: slice },
];
