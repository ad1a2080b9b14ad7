/**
 * Our own kernels for WebGL that only training runs, in GLSL.
 *
 * A texture cannot be written while it is read, so an update "in place" draws the new numbers into a texture of their own
 * and hands that to the tensor's data id in exchange for the old one: every holder of the tensor sees the new numbers, as
 * on the other backends, and the old texture is given back.
 */
import type { MathBackendWebGL } from '@tensorflow/tfjs-backend-webgl/dist/backend_webgl';
import type { GPGPUProgram } from '@tensorflow/tfjs-backend-webgl/dist/gpgpu_math';
import { maxConfig } from '@tensorflow/tfjs-backend-webgl/dist/kernels/Max';
import { sumConfig } from '@tensorflow/tfjs-backend-webgl/dist/kernels/Sum';
import { unsortedSegmentSumConfig } from '@tensorflow/tfjs-backend-webgl/dist/kernels/UnsortedSegmentSum';
import { type KernelConfig, type KernelFunc, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { checkRows } from './cross-entropy-shapes';
import { dropoutKeys } from './dropout-keys';
import { type RunPass, updateKernels } from './gpu-updates';

type Numbers = Readonly<Record<string, number>>;

/** Runs a fragment shader; `numbers` are float uniforms, `keys` integer ones. */
function run(
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

/** The same numbers, seen under another shape; not a tensor of its own. */
const seenAs = (tensor: TensorInfo, shape: readonly number[]): TensorInfo => ({ ...tensor, shape: [...shape] });

const capital = (name: string): string => name[0]!.toUpperCase() + name.slice(1);

const runPass: RunPass<MathBackendWebGL> = (backend, { writes, reads, given, numbers, formula }, inputs, rowsOf) => {
  const table = inputs[writes]!;
  const { rows } = inputs;
  const height = rows ? table.shape[0]! : 1;
  const shape = [height, util.sizeFromShape(table.shape) / height];
  // Which row of the gradient belongs to each row of the table; −1: none.
  const place = rows && placesOf(backend, rows, height);
  const seen: Record<string, TensorInfo> = { old: seenAs(table, shape) };
  for (const read of reads) seen[read] = seenAs(inputs[read]!, shape);
  if (given) seen.given = seenAs(inputs[given]!, rows ? [rowsOf.shape[0]!, shape[1]!] : shape);
  if (place) seen.place = place;
  const code = `
    ivec2 at = getOutputCoords();
    float old = getOld(at.x, at.y);
    ${place ? 'int row = int(getPlace(at.x)); if (row < 0) { setOutput(old); return; }' : 'int row = at.x;'}
    ${given ? 'float given = getGiven(row, at.y);' : ''}
    ${reads.map((read) => `float ${read}At = get${capital(read)}(at.x, at.y);`).join('\n')}
    setOutput(${reads.reduce((text, read) => text.replaceAll(new RegExp(`\\b${read}\\b`, 'g'), `${read}At`), formula)});`;
  exchange(backend, table, run(backend, shape, seen, code, { numbers }));
  if (place) backend.disposeIntermediateTensorInfo(place);
};

function placesOf(backend: MathBackendWebGL, rows: TensorInfo, height: number): TensorInfo {
  const code = `
    int row = getOutputCoords();
    float place = -1.0;
    for (int r = 0; r < ${rows.shape[0]}; r++) {
      if (int(getRows(r)) == row) place = float(r);
    }
    setOutput(place);`;
  return run(backend, [height], { rows }, code, {}, 'int32');
}

/** Gives the numbers of `made` to the data id of `table`, and the old ones back. */
function exchange(backend: MathBackendWebGL, table: TensorInfo, made: TensorInfo): void {
  const [ours, theirs] = [table, made].map(({ dataId }) => backend.texData.get(dataId)) as [Data, Data];
  for (const key of ['texture', 'texShape', 'isPacked', 'usage', 'values', 'shape'] as const) {
    const before = ours[key];
    ours[key] = theirs[key] as never;
    theirs[key] = before as never;
  }
  ours.shape = table.shape;
  backend.disposeIntermediateTensorInfo(made);
}
type Data = ReturnType<MathBackendWebGL['texData']['get']>;

const dropout: KernelFunc = (call) => {
  const backend = call.backend as unknown as MathBackendWebGL;
  const x = call.inputs.x!;
  const { rate, seed } = call.attrs as unknown as { rate: number; seed: number };
  const { first, second, bound } = dropoutKeys(rate, seed);
  const size = util.sizeFromShape(x.shape);
  const code = `
    int index = getOutputCoords();
    uint counter = uint(first) + uint(index) * 0x9e3779b9u;
    uint h = (counter ^ (counter >> 16)) * 0x7feb352du;
    h = ((h ^ (h >> 15)) + uint(second)) * 0x846ca68bu;
    h = h ^ (h >> 16);
    setOutput((h >> 1) >= uint(bound) ? getX(index) * factor : 0.0);`;
  const out = run(backend, [size], { x: seenAs(x, [size]) }, code, {
    numbers: { factor: 1 / (1 - rate) },
    keys: { first, second, bound },
  });
  return seenAs(out, x.shape);
};

/** The largest score of each row, and the sum of exponentials below it: `[rows, 1]` each. */
function rowSums(backend: MathBackendWebGL, scores: TensorInfo, columns: number) {
  const rows = scores.shape[0]!;
  const highest = reduced(maxConfig.kernelFunc, backend, scores, { reductionIndices: 1, keepDims: true });
  const powers = run(
    backend,
    [rows, columns],
    { scores, highest },
    'ivec2 at = getOutputCoords(); setOutput(exp(getScores(at.x, at.y) - getHighest(at.x, 0)));',
  );
  const total = reduced(sumConfig.kernelFunc, backend, powers, { axis: 1, keepDims: true });
  return {
    highest,
    powers,
    total,
    free: () => {
      for (const tensor of [highest, powers, total]) backend.disposeIntermediateTensorInfo(tensor);
    },
  };
}

const reduced = (kernel: KernelFunc, backend: MathBackendWebGL, x: TensorInfo, attrs: object): TensorInfo =>
  kernel({ inputs: { x }, backend, attrs: attrs as never }) as TensorInfo;

const crossEntropy: KernelFunc = (call) => {
  const backend = call.backend as unknown as MathBackendWebGL;
  const { rows, columns } = checkRows(call.inputs);
  const scores = call.inputs.scores!;
  if (rows === 0) return backend.makeTensorInfo([0], 'float32', new Float32Array(0));
  const { highest, total, free } = rowSums(backend, scores, columns);
  const code = `
    int b = getOutputCoords();
    setOutput(getHighest(b, 0) + log(getTotal(b, 0)) - getScores(b, int(getPositive(b))));`;
  const out = run(backend, [rows], { scores, positive: call.inputs.positive!, highest, total }, code);
  free();
  return out;
};

const crossEntropySlope: KernelFunc = (call) => {
  const backend = call.backend as unknown as MathBackendWebGL;
  const { rows, columns } = checkRows(call.inputs);
  const { scores, positive, dy } = call.inputs as Record<'scores' | 'positive' | 'dy', TensorInfo>;
  if (rows === 0) return backend.makeTensorInfo([0, columns], 'float32', new Float32Array(0));
  const { powers, total, free } = rowSums(backend, scores, columns);
  const code = `
    ivec2 at = getOutputCoords();
    float p = getPowers(at.x, at.y) / getTotal(at.x, 0);
    setOutput((p - (at.y == int(getPositive(at.x)) ? 1.0 : 0.0)) * getDy(at.x));`;
  const out = run(backend, [rows, columns], { powers, total, positive, dy }, code);
  free();
  return out;
};

/** TensorFlow.js' kernel fails on tensors without numbers. */
const segmentSum: KernelFunc = (call) => {
  const backend = call.backend as unknown as MathBackendWebGL;
  const x = call.inputs.x!;
  if (util.sizeFromShape(x.shape) > 0) return unsortedSegmentSumConfig.kernelFunc(call);
  const shape = [call.attrs!.numSegments as number, ...x.shape.slice(1)];
  const zeros = util.getTypedArrayFromDType(x.dtype as 'float32', util.sizeFromShape(shape));
  return backend.makeTensorInfo(shape, x.dtype, zeros);
};

const config = (kernelName: string, kernelFunc: KernelFunc): KernelConfig => ({
  kernelName,
  backendName: 'webgl',
  kernelFunc,
});

export const ownWebglTraining: readonly KernelConfig[] = [
  config('AisleDropout', dropout),
  config('AisleCrossEntropy', crossEntropy),
  config('AisleCrossEntropyGrad', crossEntropySlope),
  config('UnsortedSegmentSum', segmentSum),
  ...updateKernels('webgl', runPass),
];
