/** Optimisers: state per parameter, and one update in place per parameter and step. */
import { add, addN, div, minimum, mul, sqrt, square, sum, type Tensor, type Tensor1D, zeros } from '@tensorflow/tfjs';
import { toTensor } from '../models/tensors';
import type { OptimiserSpec, ScheduleSpec } from '../models/training';
import { adagradUpdate, adamUpdate } from '../nn/updates';
import type { NdArray } from '../types';

/** Names of the state tensors that an optimiser keeps for each parameter. */
function slotNames(spec: OptimiserSpec): readonly string[] {
  if (spec.kind === 'adam') return ['m', 'v'];
  return spec.momentum > 0 ? ['accumulator', 'velocity'] : ['accumulator'];
}

/** State of an optimiser over all parameters. The trainer disposes it. */
export class Optimiser {
  /** By `PARAMETER.SLOT`: `items.accumulator`. */
  readonly slots: Record<string, Tensor> = {};

  /** @param saved Slots of a checkpoint, else zeros. */
  constructor(
    readonly spec: OptimiserSpec,
    params: Readonly<Record<string, Tensor>>,
    saved?: Readonly<Record<string, NdArray>>,
  ) {
    for (const [name, param] of Object.entries(params)) {
      for (const slot of slotNames(spec)) {
        const key = `${name}.${slot}`;
        this.slots[key] = saved ? toTensor({ ...saved[key]!, data: saved[key]!.data.slice() }) : zeros(param.shape);
      }
    }
  }

  /**
   * Moves one parameter against its gradient.
   *
   * @param rows For a gradient of some rows only: their indices in the parameter.
   * @param step Number of this step, from 1.
   */
  update(
    name: string,
    param: Tensor,
    gradient: Tensor,
    rows: Tensor1D | undefined,
    learningRate: number,
    step: number,
  ): void {
    const { spec } = this;
    if (spec.kind === 'adagrad') {
      const { momentum, epsilon } = spec;
      adagradUpdate(
        {
          param,
          accumulator: this.slots[`${name}.accumulator`]!,
          velocity: this.slots[`${name}.velocity`],
          gradient,
          rows,
        },
        { learningRate, momentum, epsilon },
      );
    } else {
      const { beta1, beta2, epsilon, weightDecay } = spec;
      adamUpdate(
        { param, m: this.slots[`${name}.m`]!, v: this.slots[`${name}.v`]!, gradient, rows },
        { learningRate, beta1, beta2, epsilon, step, weightDecay: weightDecay.amount, decay: weightDecay.kind },
      );
    }
  }

  dispose(): void {
    for (const slot of Object.values(this.slots)) slot.dispose();
  }
}

/** Gradients scaled down to the given norm, taken over all of them together. */
export function clip(gradients: Readonly<Record<string, Tensor>>, most: number): Record<string, Tensor> {
  const squares = Object.values(gradients).map((gradient) => sum(square(gradient)));
  const factor = minimum(1, div(most, add(sqrt(addN(squares)), 1e-6)));
  return Object.fromEntries(Object.entries(gradients).map(([name, gradient]) => [name, mul(gradient, factor)]));
}

/**
 * The learning rate of a step.
 *
 * @param step From 0, of `totalSteps` in all.
 * @param epoch From 0.
 */
export function learningRateAt(
  schedule: ScheduleSpec,
  base: number,
  { step, totalSteps, epoch }: { step: number; totalSteps: number; epoch: number },
): number {
  switch (schedule.kind) {
    case 'constant':
      return base;
    case 'linear':
      return base * Math.max(0, 1 - step / totalSteps);
    case 'step':
      return base * schedule.factor ** Math.floor(epoch / schedule.every);
  }
}
