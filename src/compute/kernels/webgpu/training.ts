/** The kernels of WebGPU that only training runs: TensorFlow.js', and our own in WGSL. */

import tfjs from 'virtual:tfjs-kernels/webgpu/training';
import type { KernelConfig, KernelFunc } from '@tensorflow/tfjs';
import { util } from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu/dist/backend_webgpu';
import { unsortedSegmentSumConfig } from '@tensorflow/tfjs-backend-webgpu/dist/kernels/UnsortedSegmentSum';
import { dropoutKeys } from '../shared/dropout-keys';
import { type RunPass, segmentSum, updateKernels } from '../shared/gpu-training';
import { program, type Uniform } from './program';
import { rowLossKernels } from './row-losses';

/**
 * One pass of an optimiser step, in the table's own buffer. The cached copy of its numbers that a read may have left
 * behind no longer holds.
 */
const runPass: RunPass<WebGPUBackend> = (backend, { name, writes, reads, given, numbers, formula }, inputs, rowsOf) => {
  const table = inputs[writes]!;
  const rows = inputs.rows;
  const width = util.sizeFromShape(rows ? table.shape.slice(1) : table.shape);
  const bound = [...reads, ...(given ? [given] : []), ...(rows ? ['rows'] : [])];
  const names = Object.keys(numbers);
  const code = `
    fn main(index : i32) {
      if (index >= uniforms.size) { return; }
      ${
        rows
          ? `let row = rows[index / uniforms.width];
             if (row < 0 || row >= uniforms.height) { return; }
             let at = row * uniforms.width + index % uniforms.width;`
          : 'let at = index + 0 * uniforms.width * uniforms.height;'
      }
      let old = result[at];
      ${given ? `let given = ${given}[index];` : ''}
      ${reads.map((read) => `let ${read}At = ${read}[at];`).join('\n')}
      ${names.map((number) => `let ${number} = uniforms.${number};`).join('\n')}
      result[at] = ${reads.reduce((text, read) => text.replaceAll(new RegExp(`\\b${read}\\b`, 'g'), `${read}At`), formula)};
    }`;
  const uniforms: Uniform[] = [
    { type: 'int32', data: [width] },
    { type: 'int32', data: [rows ? table.shape[0]! : 1] },
    ...names.map((number): Uniform => ({ type: 'float32', data: [numbers[number]!] })),
  ];
  const source = program({
    key: `${name}-${rows ? 'rows' : 'all'}`,
    reads: bound,
    uniforms: ['width : i32', 'height : i32', ...names.map((number) => `${number} : f32`)].join(', ').concat(','),
    code,
    shape: rowsOf.shape,
  });
  backend.runWebGPUProgram(
    source,
    bound.map((read) => inputs[read]!),
    'float32',
    uniforms as never,
    table,
  );
  backend.tensorMap.get(table.dataId).values = null as never;
};

const dropout: KernelFunc = ({ inputs, attrs, backend }) => {
  const x = inputs.x!;
  const { rate, seed } = attrs as unknown as { rate: number; seed: number };
  const { first, second, bound } = dropoutKeys(rate, seed);
  const code = `
    fn main(index : i32) {
      if (index >= uniforms.size) { return; }
      let counter = uniforms.first + u32(index) * 0x9e3779b9u;
      var h = (counter ^ (counter >> 16u)) * 0x7feb352du;
      h = ((h ^ (h >> 15u)) + uniforms.second) * 0x846ca68bu;
      h = h ^ (h >> 16u);
      result[index] = select(0.0, x[index] * uniforms.factor, (h >> 1u) >= uniforms.bound);
    }`;
  const uniforms: Uniform[] = [
    ...[first, second, bound].map((key): Uniform => ({ type: 'uint32', data: [key >>> 0] })),
    { type: 'float32', data: [1 / (1 - rate)] },
  ];
  const names = 'first : u32, second : u32, bound : u32, factor : f32,';
  return (backend as unknown as WebGPUBackend).runWebGPUProgram(
    program({ key: 'dropout', reads: ['x'], uniforms: names, code, shape: x.shape }),
    [x],
    'float32',
    uniforms as never,
  );
};

/** `out[m, k] = value` where `rowIds[m] = columnIds[k]`, else `x[m, k]`. */
const maskEqual: KernelFunc = ({ inputs, attrs, backend }) => {
  const x = inputs.x!;
  const code = `
    fn main(index : i32) {
      if (index >= uniforms.size) { return; }
      let isEqual = rowIds[index / uniforms.columns] == columnIds[index % uniforms.columns];
      result[index] = select(x[index], uniforms.value, isEqual);
    }`;
  return (backend as unknown as WebGPUBackend).runWebGPUProgram(
    program({
      key: 'mask-equal',
      reads: ['x', 'rowIds', 'columnIds'],
      uniforms: 'columns : i32, value : f32,',
      code,
      shape: x.shape,
    }),
    [x, inputs.rowIds!, inputs.columnIds!],
    'float32',
    [
      { type: 'int32', data: [x.shape[1]!] },
      { type: 'float32', data: [attrs!.value as number] },
    ],
  );
};

const config = (kernelName: string, kernelFunc: KernelFunc): KernelConfig => ({
  kernelName,
  backendName: 'webgpu',
  kernelFunc,
});

export const kernels: readonly KernelConfig[] = [
  ...tfjs,
  config('AisleDropout', dropout),
  config('AisleMaskEqual', maskEqual),
  ...rowLossKernels,
  segmentSum(unsortedSegmentSumConfig),
  ...updateKernels('webgpu', runPass),
];
