/** Kernels over rows: cross-entropy, layer normalisation, sums, and rows by their indices. */
import { backend_util, util } from '@tensorflow/tfjs';
import { crossEntropySizes, lossOf, targetsOf } from '../shared/cross-entropy';
import { checkIndices, float32 } from '../shared/kernel';
import type { WasmKernel } from '../wasm/memory';
import { runOfAxes } from '../wasm/sum';
import { isFloat, sizeOf } from './kernel';
import { simdOf } from './module';

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

/** `[y, n, r]` of `nn/layer-norm.ts`. */
export const layerNorm: WasmKernel = {
  name: 'AisleLayerNorm',
  plan({ inputs, attrs, backend }) {
    const [x, gain, bias] = [inputs.x!, inputs.gain!, inputs.bias!];
    const [rows, d] = x.shape as [number, number];
    return {
      outputs: [float32(x.shape), float32(x.shape), float32([rows, 1])],
      compute({ at }, made) {
        const [y, n, r] = made.map(at) as [number, number, number];
        simdOf(backend).layerNorm(at(x), at(gain), at(bias), attrs.epsilon as number, rows, d, y, n, r);
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

/** Sums over a run of leading or middle axes. */
export const sum: WasmKernel = {
  name: 'Sum',
  plan({ inputs, attrs, backend }) {
    const x = inputs.x!;
    const { isRun, outer, count, inner, kept } = runOfAxes(x, attrs);
    if (!isRun || !isFloat(x) || sizeOf(x) === 0) return undefined;
    return {
      outputs: float32(kept),
      workspace: inner * 4,
      compute: ({ at, workspace }, [out]) => simdOf(backend).sumMiddle(at(x), at(out!), outer, count, inner, workspace),
    };
  },
};

/** Along the first axis only, which is what models use: other calls take the plain kernel. */
export const gather: WasmKernel = {
  name: 'GatherV2',
  plan({ inputs, attrs, backend }) {
    const [x, indices] = [inputs.x!, inputs.indices!];
    const axis = util.parseAxisParam(attrs.axis as number, x.shape)[0]!;
    if (axis !== 0 || attrs.batchDims || x.dtype === 'string' || x.dtype === 'bool') return undefined;
    const { dimSize, outputShape, sliceSize } = backend_util.segment_util.collectGatherOpShapeInfo(
      x as never,
      indices as never,
      0,
      0,
    );
    return {
      outputs: { shape: outputShape, dtype: x.dtype },
      compute({ at, ints }, [out]) {
        const ids = ints(indices);
        checkIndices(ids, dimSize, 'GatherV2: the index');
        simdOf(backend).gatherRows(at(x), at(indices), at(out!), ids.length, sliceSize);
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
