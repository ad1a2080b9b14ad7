/** The losses of `row-losses.ts` on WebGPU: a work group per row. */
import type { KernelConfig, KernelFunc } from '@tensorflow/tfjs';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu/dist/backend_webgpu';
import { type Pick, type RowLoss, rowLosses, type Step } from '../shared/row-losses';
import { checkRows } from '../shared/row-shapes';
import { GROUP, program, type Uniform } from './program';

const pick: Pick = (test, yes, no) => `select(${no}, ${yes}, ${test})`;

/** Brings the values of all threads together, in shared memory. */
const fold = (name: string, two: string): string => `
  fn ${name}(value : f32, lane : i32) -> f32 {
    lanes[lane] = value;
    workgroupBarrier();
    for (var gap = ${GROUP / 2}; gap > 0; gap = gap / 2) {
      if (lane < gap) { lanes[lane] = ${two}; }
      workgroupBarrier();
    }
    let folded = lanes[0];
    workgroupBarrier();
    return folded;
  }`;

const FOLDS = `
  var<workgroup> lanes : array<f32, ${GROUP}>;
  ${fold('foldSum', 'lanes[lane] + lanes[lane + gap]')}
  ${fold('foldMax', 'max(lanes[lane], lanes[lane + gap])')}`;

const eachColumn = (scores: string, work: string): string => `
  for (var j = lane; j < columns; j = j + ${GROUP}) {
    let s = ${scores}[start + j];
    let isOwn = j == own_column;
    ${work}
  }`;

function stepCode(scores: string, { name, kind, value }: Step): string {
  if (kind === 'value') return `let ${name} = ${value};`;
  const [from, two, fold] =
    kind === 'sum' ? ['0.0', `folding + ${value}`, 'foldSum'] : ['-3.4e38', `max(folding, ${value})`, 'foldMax'];
  return `folding = ${from}; ${eachColumn(scores, `folding = ${two};`)} let ${name} = ${fold}(folding, lane);`;
}

function kernelOf({ kernel, scores, hasGradient, numbersOf, plan }: RowLoss): KernelConfig {
  const kernelFunc: KernelFunc = ({ inputs, attrs, backend }) => {
    const { rows, columns } = checkRows(inputs[scores]!, inputs.positive!, kernel);
    const numbers = numbersOf(attrs ?? {}, columns);
    const names = Object.keys(numbers);
    const { variant, steps, perColumn, result } = plan(numbers, pick);
    const write = hasGradient
      ? eachColumn(
          scores,
          `${perColumn.map(([name, value]) => `let ${name} = ${value};`).join(' ')} result[start + j] = ${result};`,
        )
      : `if (lane == 0) { result[b] = ${result}; }`;
    const code = `${FOLDS}
      fn main(index : i32) {
        let lane = index % ${GROUP};
        let b = min(index / ${GROUP}, uniforms.rows - 1);
        let columns = uniforms.columns;
        let start = b * columns;
        let own_column = clamp(positive[b], 0, columns - 1);
        let own_score = ${scores}[start + own_column];
        ${names.map((name) => `let ${name} = uniforms.${name};`).join(' ')}
        ${hasGradient ? 'let slope = dy[b];' : ''}
        var folding = 0.0;
        ${steps.map((step) => stepCode(scores, step)).join('\n')}
        ${write}
      }`;
    const uniforms: Uniform[] = [
      { type: 'int32', data: [rows] },
      { type: 'int32', data: [columns] },
      ...names.map((name): Uniform => ({ type: 'float32', data: [numbers[name]!] })),
    ];
    const reads = [scores, 'positive', ...(hasGradient ? ['dy'] : [])];
    return (backend as unknown as WebGPUBackend).runWebGPUProgram(
      program({
        key: `${kernel}-${variant}`,
        reads,
        uniforms: ['rows : i32', 'columns : i32', ...names.map((name) => `${name} : f32`)].join(', ').concat(','),
        code,
        shape: hasGradient ? [rows, columns] : [rows],
        groups: rows,
      }),
      reads.map((name) => inputs[name]!),
      'float32',
      uniforms as never,
    );
  };
  return { kernelName: kernel, backendName: 'webgpu', kernelFunc };
}

export const rowLossKernels: readonly KernelConfig[] = rowLosses.map(kernelOf);
