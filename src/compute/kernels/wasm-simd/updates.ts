/** The optimiser steps of `nn/updates.ts`, four numbers at a time. */
import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import { checkShapes } from '../shared/update-shapes';
import { dropPacked } from '../wasm/packed';
import type { SimdCall, SimdKernel } from './kernel';

/** Runs an update over the rows of the gradient. @returns False where a row is out of range: nothing is written then. */
function update(
  kernel: string,
  { inputs, simd, backend }: SimdCall,
  written: readonly string[],
  run: (offset: number, gradient: number, count: number) => void,
): boolean {
  const [param, gradient, rows] = [inputs.param!, inputs.gradient!, inputs.rows];
  checkShapes(kernel, inputs, gradient, written, (tensor) => backend.refCount(tensor.dataId));
  const from = simd.at(gradient);
  if (!rows) run(0, from, util.sizeFromShape(param.shape));
  else {
    const indices = backend.typedArrayFromHeap(rows) as Int32Array;
    const width = util.sizeFromShape(param.shape.slice(1));
    for (const row of indices) if (!(row >= 0 && row < param.shape[0]!)) return false;
    for (let i = 0; i < indices.length; i++) run(indices[i]! * width * 4, from + i * width * 4, width);
  }
  for (const name of written) dropPacked(backend, inputs[name] as TensorInfo);
  return true;
}

export const adam: SimdKernel = {
  name: 'AisleAdam',
  run(call) {
    const { inputs, attrs, simd } = call;
    const { learningRate, beta1, beta2, epsilon, step, weightDecay, decay } = attrs as Record<string, number> & {
      decay: 'coupled' | 'decoupled';
    };
    const coupled = decay === 'coupled' ? weightDecay : 0;
    const shrink = decay === 'decoupled' ? 1 - learningRate! * weightDecay! : 1;
    const rate = learningRate! / (1 - beta1! ** step!);
    const scale = 1 / Math.sqrt(1 - beta2! ** step!);
    const constants = [beta1, beta2, 1 - beta1!, 1 - beta2!, coupled, shrink, rate, scale, epsilon] as number[];
    const [p, m, v] = [simd.at(inputs.param!), simd.at(inputs.m!), simd.at(inputs.v!)];
    const isDone = update('adamUpdate', call, ['param', 'm', 'v'], (offset, gradient, count) =>
      simd.run.adam(p + offset, m + offset, v + offset, gradient, count, ...constants),
    );
    return isDone ? [] : undefined;
  },
};

export const adagrad: SimdKernel = {
  name: 'AisleAdagrad',
  run(call) {
    const { inputs, attrs, simd } = call;
    const { learningRate, momentum, epsilon } = attrs as { learningRate: number; momentum: number; epsilon: number };
    const hasSpeed = momentum > 0;
    const [p, a] = [simd.at(inputs.param!), simd.at(inputs.accumulator!)];
    const speed = hasSpeed ? simd.at(inputs.velocity!) : 0;
    const written = hasSpeed ? ['param', 'accumulator', 'velocity'] : ['param', 'accumulator'];
    const isDone = update('adagradUpdate', call, written, (offset, gradient, count) => {
      const velocity = hasSpeed ? speed + offset : 0;
      simd.run.adagrad(p + offset, a + offset, velocity, gradient, count, learningRate, momentum, epsilon);
    });
    return isDone ? [] : undefined;
  },
};
