/** Our own kernels for WebGPU, in WGSL. Only training runs them. */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu/dist/backend_webgpu';
import { unsortedSegmentSumConfig } from '@tensorflow/tfjs-backend-webgpu/dist/kernels/UnsortedSegmentSum';
import type { WebGPUProgram } from '@tensorflow/tfjs-backend-webgpu/dist/webgpu_program';
import type { KernelConfig, KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import { util } from '@tensorflow/tfjs-core';
import { checkRows } from './cross-entropy-shapes';
import { dropoutKeys } from './dropout-keys';
import { type RunPass, updateKernels } from './gpu-updates';

type Uniform = { readonly type: 'float32' | 'int32' | 'uint32'; readonly data: number[] };

const GROUP = 64;

interface Source {
  readonly key: string;
  readonly reads: readonly string[];
  readonly uniforms: string;
  readonly code: string;
  /** Shape whose size is `uniforms.size`. */
  readonly shape: readonly number[];
  /** Work groups; default: a thread for each number of `shape`. */
  readonly groups?: number;
}

function program({ key, reads, uniforms, code, shape, groups }: Source): WebGPUProgram {
  return {
    shaderKey: `aisle-${key}`,
    variableNames: [...reads],
    outputShape: [...shape],
    workgroupSize: [GROUP, 1, 1],
    dispatchLayout: { x: shape.map((_, axis) => axis) },
    dispatch: [groups ?? Math.ceil(util.sizeFromShape([...shape]) / GROUP), 1, 1],
    size: true,
    uniforms,
    getUserCode: () => code,
  };
}

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

/** A work group per row: the largest score, then the sum of exponentials, each folded together in shared memory. */
const ROW = `
  var<workgroup> lanes : array<f32, ${GROUP}>;

  fn row(start : i32, columns : i32, lane : i32) -> vec2<f32> {
    var highest = -3.4e38;
    for (var i = lane; i < columns; i = i + ${GROUP}) { highest = max(highest, scores[start + i]); }
    lanes[lane] = highest;
    workgroupBarrier();
    for (var gap = ${GROUP / 2}; gap > 0; gap = gap / 2) {
      if (lane < gap) { lanes[lane] = max(lanes[lane], lanes[lane + gap]); }
      workgroupBarrier();
    }
    highest = lanes[0];
    workgroupBarrier();
    var total = 0.0;
    for (var i = lane; i < columns; i = i + ${GROUP}) { total = total + exp(scores[start + i] - highest); }
    lanes[lane] = total;
    workgroupBarrier();
    for (var gap = ${GROUP / 2}; gap > 0; gap = gap / 2) {
      if (lane < gap) { lanes[lane] = lanes[lane] + lanes[lane + gap]; }
      workgroupBarrier();
    }
    return vec2<f32>(highest, lanes[0]);
  }`;

const crossEntropy: KernelFunc = ({ inputs, backend }) => {
  const { rows, columns } = checkRows(inputs);
  const code = `${ROW}
    fn main(index : i32) {
      let b = index / ${GROUP};
      let lane = index % ${GROUP};
      let start = min(b, uniforms.size - 1) * uniforms.columns;
      let found = row(start, uniforms.columns, lane);
      if (lane == 0 && b < uniforms.size) {
        let column = clamp(positive[b], 0, uniforms.columns - 1);
        result[b] = found.x + log(found.y) - scores[start + column];
      }
    }`;
  return (backend as unknown as WebGPUBackend).runWebGPUProgram(
    program({
      key: 'cross-entropy',
      reads: ['scores', 'positive'],
      uniforms: 'columns : i32,',
      code,
      shape: [rows],
      groups: rows,
    }),
    [inputs.scores!, inputs.positive!],
    'float32',
    [{ type: 'int32', data: [columns] }],
  );
};

const crossEntropySlope: KernelFunc = ({ inputs, backend }) => {
  const { rows, columns } = checkRows(inputs);
  const code = `${ROW}
    fn main(index : i32) {
      let b = index / ${GROUP};
      let lane = index % ${GROUP};
      let start = min(b, uniforms.rows - 1) * uniforms.columns;
      let found = row(start, uniforms.columns, lane);
      if (b < uniforms.rows) {
        for (var i = lane; i < uniforms.columns; i = i + ${GROUP}) {
          let p = exp(scores[start + i] - found.x) / found.y;
          result[start + i] = (p - select(0.0, 1.0, i == positive[b])) * dy[b];
        }
      }
    }`;
  return (backend as unknown as WebGPUBackend).runWebGPUProgram(
    program({
      key: 'cross-entropy-slope',
      reads: ['scores', 'positive', 'dy'],
      uniforms: 'columns : i32, rows : i32,',
      code,
      shape: [rows, columns],
      groups: rows,
    }),
    [inputs.scores!, inputs.positive!, inputs.dy!],
    'float32',
    [
      { type: 'int32', data: [columns] },
      { type: 'int32', data: [rows] },
    ],
  );
};

/** TensorFlow.js' kernel fails on tensors without numbers. */
const segmentSum: KernelFunc = (call) => {
  const x = call.inputs.x!;
  const backend = call.backend as unknown as WebGPUBackend;
  if (util.sizeFromShape(x.shape) > 0) return unsortedSegmentSumConfig.kernelFunc(call);
  const shape = [call.attrs!.numSegments as number, ...x.shape.slice(1)];
  return backend.makeTensorInfo(shape, x.dtype, zeros(shape, x.dtype)) as TensorInfo;
};

const zeros = (shape: number[], dtype: string) =>
  util.getTypedArrayFromDType(dtype as 'float32', util.sizeFromShape(shape));

const config = (kernelName: string, kernelFunc: KernelFunc): KernelConfig => ({
  kernelName,
  backendName: 'webgpu',
  kernelFunc,
});

export const ownWebgpuTraining: readonly KernelConfig[] = [
  config('AisleDropout', dropout),
  config('AisleCrossEntropy', crossEntropy),
  config('AisleCrossEntropyGrad', crossEntropySlope),
  config('UnsortedSegmentSum', segmentSum),
  ...updateKernels('webgpu', runPass),
];
