/** The losses of `row-losses.ts` on WebGL: a program for each sum over the columns, then one for the formula. */
import type { KernelConfig, KernelFunc, TensorInfo } from '@tensorflow/tfjs';
import type { MathBackendWebGL } from '@tensorflow/tfjs-backend-webgl/dist/backend_webgl';
import { type Pick, type RowLoss, rowLosses, type Step } from '../shared/row-losses';
import { checkRows } from '../shared/row-shapes';
import { getterOf, runProgram } from './program';

const pick: Pick = (test, yes, no) => `(${test} ? ${yes} : ${no})`;

function kernelOf({ kernel, scores, hasGradient, numbersOf, plan }: RowLoss): KernelConfig {
  const kernelFunc: KernelFunc = (call) => {
    const backend = call.backend as unknown as MathBackendWebGL;
    const { positive, dy } = call.inputs;
    const given = call.inputs[scores]!;
    const { rows, columns } = checkRows(given, positive!, kernel);
    const shape = hasGradient ? [rows, columns] : [rows];
    if (rows === 0) return backend.makeTensorInfo(shape, 'float32', new Float32Array(0));
    const numbers = numbersOf(call.attrs ?? {}, columns);
    const { steps, perColumn, result } = plan(numbers, pick);
    const folded: Record<string, TensorInfo> = {};
    const values: Step[] = [];

    /** What every formula may use: the numbers of the row so far. */
    const head = (at: string) => `
      ${at}
      int own_column = int(getPositive(b));
      float own_score = ${getterOf(scores)}(b, own_column);
      ${Object.keys(folded)
        .map((name) => `float ${name} = ${getterOf(name)}(b);`)
        .join('\n')}
      ${values.map(({ name, value }) => `float ${name} = ${value};`).join('\n')}`;
    const column = `float s = ${getterOf(scores)}(b, j); bool isOwn = j == own_column;`;
    const inputs = () => ({ [scores]: given, positive: positive!, ...folded });

    for (const step of steps) {
      const { name, kind, value } = step;
      if (kind === 'value') {
        values.push(step);
        continue;
      }
      const code = `${head('int b = getOutputCoords();')}
        float folding = ${kind === 'sum' ? '0.0' : '-3.4e38'};
        for (int j = 0; j < ${columns}; j++) {
          ${column}
          folding = ${kind === 'sum' ? `folding + ${value}` : `max(folding, ${value})`};
        }
        setOutput(folding);`;
      folded[name] = runProgram(backend, [rows], inputs(), code, { numbers });
    }
    const code = hasGradient
      ? `${head('ivec2 at = getOutputCoords(); int b = at.x; int j = at.y;')}
         float slope = getDy(b);
         ${column}
         ${perColumn.map(([name, value]) => `float ${name} = ${value};`).join('\n')}
         setOutput(${result});`
      : `${head('int b = getOutputCoords();')} setOutput(${result});`;
    const out = runProgram(backend, shape, { ...inputs(), ...(hasGradient && { dy: dy! }) }, code, { numbers });
    for (const tensor of Object.values(folded)) backend.disposeIntermediateTensorInfo(tensor);
    return out;
  };
  return { kernelName: kernel, backendName: 'webgl', kernelFunc };
}

export const rowLossKernels: readonly KernelConfig[] = rowLosses.map(kernelOf);
