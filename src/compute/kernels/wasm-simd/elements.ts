/** Activations, and operations on two operands that broadcast. */
import { broadcast_util, util } from '@tensorflow/tfjs';
import { float32 } from '../shared/kernel';
import type { WasmKernel } from '../wasm/memory';
import { simdOf } from './inference-module';
import { isFloat, sizeOf } from './kernel';

const unary = (name: string, op: number): WasmKernel => ({
  name,
  plan({ inputs, backend }) {
    const x = inputs.x!;
    if (!isFloat(x)) return undefined;
    return {
      outputs: float32(x.shape),
      compute: ({ at }, [y]) => simdOf(backend).unary(op, at(x), at(y!), sizeOf(x)),
    };
  },
});

/** The numbers are those of `assembly/elements.ts`. */
export const unaries: readonly WasmKernel[] = [
  unary('Exp', 0),
  unary('Tanh', 1),
  unary('Sigmoid', 2),
  unary('AisleGelu', 3),
  unary('Erf', 4),
];

const OPERATIONS = { Add: 0, Sub: 1, Multiply: 2, Maximum: 3, Minimum: 4, RealDiv: 5 } as const;

/** Neighbouring axes over which both operands move alike, as one. */
interface Axis {
  size: number;
  readonly a: boolean;
  readonly b: boolean;
}

/** The axes of a broadcast, as few as possible, outermost first. */
function axesOf(a: readonly number[], b: readonly number[], out: readonly number[]): Axis[] {
  const axes: Axis[] = [];
  out.forEach((size, i) => {
    if (size === 1) return;
    const moves = (shape: readonly number[]) => (shape[i - (out.length - shape.length)] ?? 1) !== 1;
    const [movesA, movesB] = [moves(a), moves(b)];
    const last = axes.at(-1);
    if (last && last.a === movesA && last.b === movesB) last.size *= size;
    else axes.push({ size, a: movesA, b: movesB });
  });
  return axes;
}

/** Numbers that an operand moves by with each axis. */
function stridesOf(axes: readonly Axis[], side: 'a' | 'b'): number[] {
  const strides: number[] = [];
  let step = 1;
  for (let i = axes.length - 1; i >= 0; i--) {
    strides[i] = axes[i]![side] ? step : 0;
    if (axes[i]![side]) step *= axes[i]!.size;
  }
  return strides;
}

const binary = (name: keyof typeof OPERATIONS): WasmKernel => ({
  name,
  plan({ inputs, backend }) {
    const [a, b] = [inputs.a!, inputs.b!];
    if (!isFloat(a, b)) return undefined;
    const shape = broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
    const axes = axesOf(a.shape, b.shape, shape);
    if (axes.length > 3) return undefined;
    const outputs = float32(shape);
    if (util.sizeFromShape(shape) === 0) return { outputs };
    while (axes.length < 3) axes.unshift({ size: 1, a: false, b: false });
    const [outer, rows, n] = axes.map(({ size }) => size) as [number, number, number];
    const [ofA, ofB] = [stridesOf(axes, 'a'), stridesOf(axes, 'b')] as [number[], number[]];
    const strides = [ofA, ofB].flatMap(([outer, row, one]) => [outer!, row!, one === 0 ? 1 : 0]);
    return {
      outputs,
      compute: ({ at }, [out]) =>
        simdOf(backend).binary(OPERATIONS[name], at(a), at(b), at(out!), outer, rows, n, ...strides),
    };
  },
});

export const binaries: readonly WasmKernel[] = (Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[]).map(binary);

/** To the type that it has: the same numbers, shared. TensorFlow.js copies them, in every gradient of a product. */
export const cast: WasmKernel = {
  name: 'Cast',
  plan: ({ inputs, attrs }) => (attrs.dtype === inputs.x!.dtype ? { alias: inputs.x! } : undefined),
};
