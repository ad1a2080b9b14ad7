/**
 * What training on WebGL and on WebGPU shares: the segment sum of tensors without numbers, and the optimiser steps.
 *
 * The optimiser steps behind `nn/updates.ts` are written once for WGSL and GLSL: a step is a list of passes, each
 * of which writes one table by a formula that reads alike in both languages.
 *
 * Row indices out of range cannot be refused here, since they are on the GPU and reading them back would stall it: they
 * write nothing.
 */
import { type KernelConfig, type KernelFunc, type NamedTensorInfoMap, type TensorInfo, util } from '@tensorflow/tfjs';
import { type AdagradAttrs, type AdamAttrs, adamFactors, checkShapes } from './update-shapes';

/** TensorFlow.js' segment sum, which fails on tensors without numbers on a GPU. */
export const segmentSum = (config: KernelConfig): KernelConfig => ({
  ...config,
  kernelFunc(call) {
    const x = call.inputs.x!;
    if (util.sizeFromShape(x.shape) > 0) return config.kernelFunc(call);
    const shape = [call.attrs!.numSegments as number, ...x.shape.slice(1)];
    const zeros = util.getTypedArrayFromDType(x.dtype as 'float32', util.sizeFromShape(shape));
    return (call.backend as GpuBackend).makeTensorInfo(shape, x.dtype, zeros);
  },
});

interface GpuBackend {
  makeTensorInfo(shape: number[], dtype: string, values: Float32Array): TensorInfo;
}

/** One table written: `table[at] = formula`. */
export interface Pass {
  /** Names the program: equal names have equal formulas, reads and numbers. */
  readonly name: string;
  /** The input that is written. The formula calls its old number `old`. */
  readonly writes: string;
  /** Inputs of the shape of the table that the formula reads, by these names. */
  readonly reads: readonly string[];
  /** The input with a row for each row written, which the formula reads as `given`. */
  readonly given?: string;
  /** Numbers that the formula reads, by these names. */
  readonly numbers: Readonly<Record<string, number>>;
  readonly formula: string;
}

/** Carries out one pass on a backend. */
export type RunPass<B> = (backend: B, pass: Pass, inputs: NamedTensorInfoMap, given: TensorInfo) => void;

function adagradPasses({ learningRate, momentum, epsilon }: AdagradAttrs): Pass[] {
  const squares: Pass = {
    name: 'adagrad-squares',
    writes: 'accumulator',
    reads: [],
    given: 'gradient',
    numbers: {},
    formula: 'old + given * given',
  };
  if (!(momentum > 0)) {
    return [
      squares,
      {
        name: 'adagrad',
        writes: 'param',
        reads: ['accumulator'],
        given: 'gradient',
        numbers: { learningRate, epsilon },
        formula: 'old - learningRate * given / sqrt(accumulator + epsilon)',
      },
    ];
  }
  return [
    squares,
    {
      name: 'adagrad-velocity',
      writes: 'velocity',
      reads: ['accumulator'],
      given: 'gradient',
      numbers: { learningRate, epsilon, momentum },
      formula: 'momentum * old - learningRate * given / sqrt(accumulator + epsilon)',
    },
    { name: 'adagrad-move', writes: 'param', reads: ['velocity'], numbers: {}, formula: 'old + velocity' },
  ];
}

function adamPasses(attrs: AdamAttrs): Pass[] {
  const { beta1, beta2, epsilon } = attrs;
  const { coupled, shrink, rate, scale } = adamFactors(attrs);
  const slope = '(given + coupled * param)';
  // 1 − β is computed here: in 32 bits on the GPU it would lose digits where β is close to 1.
  return [
    {
      name: 'adam-mean',
      writes: 'm',
      reads: ['param'],
      given: 'gradient',
      numbers: { coupled, beta: beta1, rest: 1 - beta1 },
      formula: `beta * old + rest * ${slope}`,
    },
    {
      name: 'adam-square',
      writes: 'v',
      reads: ['param'],
      given: 'gradient',
      numbers: { coupled, beta: beta2, rest: 1 - beta2 },
      formula: `beta * old + rest * ${slope} * ${slope}`,
    },
    {
      name: 'adam-move',
      writes: 'param',
      reads: ['m', 'v'],
      numbers: { shrink, rate, scale, epsilon },
      formula: 'shrink * old - rate * m / (sqrt(v) * scale + epsilon)',
    },
  ];
}

/** The two update kernels of a backend. */
export function updateKernels<B extends { refCount(dataId: object): number }>(
  backendName: string,
  runPass: RunPass<B>,
): readonly KernelConfig[] {
  const kernel = (kernelName: string, caller: string, passesOf: (attrs: never) => readonly Pass[]): KernelConfig => ({
    kernelName,
    backendName,
    kernelFunc: (({ inputs, attrs, backend }) => {
      const gpu = backend as unknown as B;
      const passes = passesOf(attrs as never);
      const written = [...new Set(['param', ...passes.map(({ writes }) => writes)])];
      checkShapes(caller, inputs, written, ({ dataId }) => gpu.refCount(dataId));
      if (inputs.gradient!.shape.includes(0)) return [];
      for (const pass of passes) runPass(gpu, pass, inputs, inputs.gradient!);
      return [];
    }) as KernelFunc,
  });
  return [kernel('AisleAdagrad', 'adagradUpdate', adagradPasses), kernel('AisleAdam', 'adamUpdate', adamPasses)];
}
