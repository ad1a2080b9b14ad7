/**
 * The kernels of WebGL that only training runs: TensorFlow.js', and our own in GLSL.
 *
 * A texture cannot be written while it is read. An update in place therefore draws into a new texture and gives it to the tensor's
 * data id; the old texture is released. Every holder of the tensor sees the new numbers, as on the other backends.
 */

import tfjs from 'virtual:tfjs-kernels/webgl/training';
import { type KernelConfig, type KernelFunc, type TensorInfo, util } from '@tensorflow/tfjs';
import type { MathBackendWebGL } from '@tensorflow/tfjs-backend-webgl/dist/backend_webgl';
import { unsortedSegmentSumConfig } from '@tensorflow/tfjs-backend-webgl/dist/kernels/UnsortedSegmentSum';
import { dropoutKeys } from '../shared/dropout-keys';
import { type RunPass, segmentSum, updateKernels } from '../shared/gpu-training';
import { getterOf, runProgram } from './program';
import { rowLossKernels } from './row-losses';

/** The same numbers, seen under another shape; not a tensor of its own. */
const seenAs = (tensor: TensorInfo, shape: readonly number[]): TensorInfo => ({ ...tensor, shape: [...shape] });

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
    ${reads.map((read) => `float ${read}At = ${getterOf(read)}(at.x, at.y);`).join('\n')}
    setOutput(${reads.reduce((text, read) => text.replaceAll(new RegExp(`\\b${read}\\b`, 'g'), `${read}At`), formula)});`;
  exchange(backend, table, runProgram(backend, shape, seen, code, { numbers }));
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
  return runProgram(backend, [height], { rows }, code, {}, 'int32');
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
  const out = runProgram(backend, [size], { x: seenAs(x, [size]) }, code, {
    numbers: { factor: 1 / (1 - rate) },
    keys: { first, second, bound },
  });
  return seenAs(out, x.shape);
};

/** `out[m, k] = value` where `rowIds[m] = columnIds[k]`, else `x[m, k]`. */
const maskEqual: KernelFunc = (call) => {
  const { x, rowIds, columnIds } = call.inputs as Record<'x' | 'rowIds' | 'columnIds', TensorInfo>;
  const code = `
    ivec2 at = getOutputCoords();
    setOutput(int(getRowIds(at.x)) == int(getColumnIds(at.y)) ? value : getX(at.x, at.y));`;
  const numbers = { value: call.attrs!.value as number };
  return runProgram(call.backend as unknown as MathBackendWebGL, x.shape, { x, rowIds, columnIds }, code, { numbers });
};

const config = (kernelName: string, kernelFunc: KernelFunc): KernelConfig => ({
  kernelName,
  backendName: 'webgl',
  kernelFunc,
});

export const kernels: readonly KernelConfig[] = [
  ...tfjs,
  config('AisleDropout', dropout),
  config('AisleMaskEqual', maskEqual),
  ...rowLossKernels,
  segmentSum(unsortedSegmentSumConfig),
  ...updateKernels('webgl', runPass),
];
