/** The in-place optimiser steps behind `nn/updates.ts`, which has the equations. They return no tensor. */
import { type TensorInfo, util } from '@tensorflow/tfjs';
import { checkIndices, type Kernel, type KernelCall, type KernelPlan, type Views } from './kernel';
import { type AdagradAttrs, type AdamAttrs, adamFactors, checkShapes } from './update-shapes';

/** A step over `count` rows of `width` numbers: row r of the gradient belongs to row `rows[r]` of the tables. */
type Step = (views: Views, rows: Int32Array | undefined, count: number, width: number) => void;

/** The plan of a step. All that could fail is checked before the first number is written. */
function updating(
  kernel: string,
  { inputs, references }: KernelCall,
  written: readonly string[],
  step: Step,
): KernelPlan {
  checkShapes(kernel, inputs, written, references);
  const { param, rows } = inputs as { param: TensorInfo; rows?: TensorInfo };
  return {
    outputs: [],
    changes: written.map((name) => inputs[name]!),
    compute(views) {
      if (!rows) return step(views, undefined, 1, util.sizeFromShape(param.shape));
      const indices = views.ints(rows);
      checkIndices(indices, param.shape[0]!, `${kernel}: row`);
      step(views, indices, indices.length, util.sizeFromShape(param.shape.slice(1)));
    },
  };
}

export const adagrad: Kernel = {
  name: 'AisleAdagrad',
  plan(call) {
    const { inputs } = call;
    const { learningRate, momentum, epsilon } = call.attrs as unknown as AdagradAttrs;
    const written = momentum > 0 ? ['param', 'accumulator', 'velocity'] : ['param', 'accumulator'];
    return updating('adagradUpdate', call, written, ({ floats }, rows, count, width) => {
      const [p, a, g] = [floats(inputs.param!), floats(inputs.accumulator!), floats(inputs.gradient!)];
      const v = momentum > 0 ? floats(inputs.velocity!) : undefined;
      for (let r = 0, from = 0; r < count; r++) {
        const start = rows ? rows[r]! * width : 0;
        for (let at = start; at < start + width; at++, from++) {
          const slope = g[from]!;
          const sum = a[at]! + slope * slope;
          a[at] = sum;
          const step = (learningRate * slope) / Math.sqrt(sum + epsilon);
          if (v) {
            const speed = momentum * v[at]! - step;
            v[at] = speed;
            p[at]! += speed;
          } else p[at]! -= step;
        }
      }
    });
  },
};

export const adam: Kernel = {
  name: 'AisleAdam',
  plan(call) {
    const { inputs } = call;
    const attrs = call.attrs as unknown as AdamAttrs;
    const { beta1, beta2, epsilon } = attrs;
    const { coupled, shrink, rate, scale } = adamFactors(attrs);
    return updating('adamUpdate', call, ['param', 'm', 'v'], ({ floats }, rows, count, width) => {
      const [p, m, v, g] = [floats(inputs.param!), floats(inputs.m!), floats(inputs.v!), floats(inputs.gradient!)];
      for (let r = 0, from = 0; r < count; r++) {
        const start = rows ? rows[r]! * width : 0;
        for (let at = start; at < start + width; at++, from++) {
          const weight = p[at]! * shrink;
          const slope = g[from]! + coupled * weight;
          const mean = beta1 * m[at]! + (1 - beta1) * slope;
          const square = beta2 * v[at]! + (1 - beta2) * slope * slope;
          m[at] = mean;
          v[at] = square;
          p[at] = weight - (rate * mean) / (Math.sqrt(square) * scale + epsilon);
        }
      }
    });
  },
};
