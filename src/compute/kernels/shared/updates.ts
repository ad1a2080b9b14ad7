/** The in-place optimiser steps behind `nn/updates.ts`, which has the equations. They return no tensor. */
import { util } from '@tensorflow/tfjs-core';
import type { Call, Memory, OwnKernel, TensorInfo } from './memory';
import { checkShapes } from './update-shapes';

/** Where one step reads and writes: row r of the gradient belongs to row `rows[r]` of the tables. */
interface Span {
  readonly rows: Int32Array | undefined;
  /** Rows of the gradient; 1 without `rows`. */
  readonly count: number;
  /** Numbers per row. */
  readonly width: number;
}

/** Checks all that could fail, before the first write. */
function span(kernel: string, { inputs, memory }: Call, gradient: TensorInfo, written: readonly string[]): Span {
  checkShapes(kernel, inputs, gradient, written, memory.references);
  const param = inputs.param!;
  const rows = inputs.rows;
  if (!rows) return { rows: undefined, count: 1, width: util.sizeFromShape(param.shape) };
  const indices = memory.ints(rows);
  for (const row of indices) {
    if (!(row >= 0 && row < param.shape[0]!)) {
      throw new Error(`${kernel}: row ${row} is not in [0, ${param.shape[0]! - 1}].`);
    }
  }
  return { rows: indices, count: indices.length, width: util.sizeFromShape(param.shape.slice(1)) };
}

/** After the last write. */
function done({ inputs, memory }: Call, written: readonly string[]): [] {
  for (const name of written) memory.written(inputs[name]!);
  return [];
}

const optional = (memory: Memory, tensor: TensorInfo | undefined) => tensor && memory.floats(tensor);

export const adagrad: OwnKernel = {
  name: 'AisleAdagrad',
  run(call) {
    const { inputs, memory } = call;
    const { learningRate, momentum, epsilon } = call.attrs as Record<string, number> as {
      learningRate: number;
      momentum: number;
      epsilon: number;
    };
    const written = momentum > 0 ? ['param', 'accumulator', 'velocity'] : ['param', 'accumulator'];
    const { rows, count, width } = span('adagradUpdate', call, inputs.gradient!, written);
    const p = memory.floats(inputs.param!);
    const a = memory.floats(inputs.accumulator!);
    const v = momentum > 0 ? optional(memory, inputs.velocity) : undefined;
    const g = memory.floats(inputs.gradient!);
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
    return done(call, written);
  },
};

export const adam: OwnKernel = {
  name: 'AisleAdam',
  run(call) {
    const { inputs, memory, attrs } = call;
    const { learningRate, beta1, beta2, epsilon, step, weightDecay, decay } = attrs as unknown as {
      learningRate: number;
      beta1: number;
      beta2: number;
      epsilon: number;
      step: number;
      weightDecay: number;
      decay: 'coupled' | 'decoupled';
    };
    const { rows, count, width } = span('adamUpdate', call, inputs.gradient!, ['param', 'm', 'v']);
    const coupled = decay === 'coupled' ? weightDecay : 0;
    const shrink = decay === 'decoupled' ? 1 - learningRate * weightDecay : 1;
    const rate = learningRate / (1 - beta1 ** step);
    const scale = 1 / Math.sqrt(1 - beta2 ** step);
    const p = memory.floats(inputs.param!);
    const m = memory.floats(inputs.m!);
    const v = memory.floats(inputs.v!);
    const g = memory.floats(inputs.gradient!);
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
    return done(call, ['param', 'm', 'v']);
  },
};

export const assignRows: OwnKernel = {
  name: 'AisleAssignRows',
  run(call) {
    const { inputs, memory } = call;
    const { rows, count, width } = span('assignRows', call, inputs.values!, ['param']);
    const p = memory.floats(inputs.param!);
    const values = memory.floats(inputs.values!);
    for (let r = 0; r < count; r++) p.set(values.subarray(r * width, (r + 1) * width), rows![r]! * width);
    return done(call, ['param']);
  },
};
