/** The optimiser steps of `nn/updates.ts`, four numbers at a time. */
import { type TensorInfo, util } from '@tensorflow/tfjs';
import { checkIndices, type KernelCall } from '../shared/kernel';
import { type AdagradAttrs, type AdamAttrs, adamFactors, checkShapes } from '../shared/update-shapes';
import type { WasmKernel, WasmPlan } from '../wasm/memory';
import { simdOf } from './training-module';

/** One step over `count` numbers, `offset` bytes from the addresses of the tables, by the gradient at an address. */
type Step = (tables: readonly number[], offset: number, gradient: number, count: number) => void;

/** The plan of an update over the rows of the gradient. All rows are checked before the first number is written. */
function updating(
  kernel: string,
  { inputs, references }: KernelCall,
  written: readonly string[],
  step: Step,
): WasmPlan {
  const { param, gradient, rows } = inputs as { param: TensorInfo; gradient: TensorInfo; rows?: TensorInfo };
  checkShapes(kernel, inputs, written, references);
  const changes = written.map((name) => inputs[name]!);
  return {
    outputs: [],
    changes,
    compute({ at, ints }) {
      const [tables, from] = [changes.map(at), at(gradient)];
      if (!rows) return step(tables, 0, from, util.sizeFromShape(param.shape));
      const indices = ints(rows);
      checkIndices(indices, param.shape[0]!, `${kernel}: row`);
      const width = util.sizeFromShape(param.shape.slice(1));
      for (let i = 0; i < indices.length; i++) step(tables, indices[i]! * width * 4, from + i * width * 4, width);
    },
  };
}

export const adam: WasmKernel = {
  name: 'AisleAdam',
  plan(call) {
    const attrs = call.attrs as unknown as AdamAttrs;
    const { beta1, beta2, epsilon } = attrs;
    const { coupled, shrink, rate, scale } = adamFactors(attrs);
    const constants = [beta1, beta2, 1 - beta1, 1 - beta2, coupled, shrink, rate, scale, epsilon];
    const run = simdOf(call.backend);
    return updating('adamUpdate', call, ['param', 'm', 'v'], ([p, m, v], offset, gradient, count) =>
      run.adam(p! + offset, m! + offset, v! + offset, gradient, count, ...constants),
    );
  },
};

export const adagrad: WasmKernel = {
  name: 'AisleAdagrad',
  plan(call) {
    const { learningRate, momentum, epsilon } = call.attrs as unknown as AdagradAttrs;
    const written = momentum > 0 ? ['param', 'accumulator', 'velocity'] : ['param', 'accumulator'];
    const run = simdOf(call.backend);
    return updating('adagradUpdate', call, written, ([p, a, v], offset, gradient, count) => {
      const velocity = v === undefined ? 0 : v + offset;
      run.adagrad(p! + offset, a! + offset, velocity, gradient, count, learningRate, momentum, epsilon);
    });
  },
};
