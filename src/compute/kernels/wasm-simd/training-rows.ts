/** Kernels over rows that only training runs: cross-entropy, the gradient of layer normalisation, and sums by indices. */
import { util } from '@tensorflow/tfjs';
import { crossEntropySizes, lossOf, targetsOf } from '../shared/cross-entropy';
import { float32 } from '../shared/kernel';
import type { WasmKernel } from '../wasm/memory';
import { isFloat } from './kernel';
import { simdOf } from './training-module';

/** Loss and slope in one pass, for losses that are summed: `[losses, slopes]`. */
export const crossEntropyWithSlope: WasmKernel = {
  name: 'AisleCrossEntropyWithSlope',
  plan({ inputs, attrs, backend }) {
    const { rows, columns, spread, own } = crossEntropySizes(inputs, attrs);
    return {
      outputs: [float32([rows]), float32([rows, columns])],
      workspace: rows * 12,
      compute(views, [loss, slope]) {
        const { at, floats, floatsAt, workspace } = views;
        const targets = targetsOf(inputs.positive!, views, columns, 'crossEntropy');
        const [s, positive] = [at(inputs.scores!), at(inputs.positive!)];
        simdOf(backend).crossEntropy(s, positive, 0, rows, columns, spread, own, workspace, at(slope!));
        // What `assembly/rows.ts` says of each row.
        const parts = floatsAt(workspace, rows * 3);
        const [scores, to] = [floats(inputs.scores!), floats(loss!)];
        for (let row = 0; row < rows; row++) {
          const [total, highest, rest] = [parts[3 * row]!, parts[3 * row + 1]!, parts[3 * row + 2]!];
          to[row] = lossOf(total, highest, scores[row * columns + targets[row]!]!, own, rest);
        }
      },
    };
  },
};

export const crossEntropyGrad: WasmKernel = {
  name: 'AisleCrossEntropyGrad',
  plan({ inputs, attrs, backend }) {
    const { rows, columns, spread, own, guard } = crossEntropySizes(inputs, attrs);
    if (guard !== 0) return undefined;
    return {
      outputs: float32([rows, columns]),
      compute(views, [slope]) {
        targetsOf(inputs.positive!, views, columns, 'crossEntropy');
        const addresses = [inputs.scores!, inputs.positive!, inputs.dy!].map(views.at) as [number, number, number];
        simdOf(backend).crossEntropy(...addresses, rows, columns, spread, own, 0, views.at(slope!));
      },
    };
  },
};

/** `[∂x, ∂gain, ∂bias]`. */
export const layerNormGradient: WasmKernel = {
  name: 'AisleLayerNormGrad',
  plan({ inputs, backend }) {
    const [dy, n, r, gain] = [inputs.dy!, inputs.n!, inputs.r!, inputs.gain!];
    const [rows, d] = n.shape as [number, number];
    return {
      outputs: [float32(n.shape), float32([d]), float32([d])],
      workspace: 8 * d,
      compute({ at, workspace }, made) {
        const [dx, dGain, dBias] = made.map(at) as [number, number, number];
        const from = [dy, n, r, gain].map(at) as [number, number, number, number];
        simdOf(backend).layerNormGradient(...from, rows, d, dx, dGain, dBias, workspace);
      },
    };
  },
};

export const unsortedSegmentSum: WasmKernel = {
  name: 'UnsortedSegmentSum',
  plan({ inputs, attrs, backend }) {
    const [x, ids] = [inputs.x!, inputs.segmentIds!];
    if (!isFloat(x) || ids.shape.length !== 1 || ids.shape[0] !== x.shape[0]) return undefined;
    const segments = attrs.numSegments as number;
    const rest = x.shape.slice(1);
    return {
      outputs: float32([segments, ...rest]),
      compute({ at, floats }, [out]) {
        floats(out!).fill(0);
        simdOf(backend).addRows(at(x), at(ids), at(out!), x.shape[0]!, util.sizeFromShape(rest), segments);
      },
    };
  },
};
