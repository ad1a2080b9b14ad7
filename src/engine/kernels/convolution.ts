/** The gradient of a convolution by its filter, which TensorFlow.js' WASM backend lacks. */
import { backend_util } from '@tensorflow/tfjs-core';
import type { OwnKernel } from './memory';

/** `dW[i, j, c, o] = Σ x[b, y·s + i − pad, x·s + j − pad, c] · dy[b, y, x, o]`, both in NHWC. */
export const conv2DBackpropFilter: OwnKernel = {
  name: 'Conv2DBackpropFilter',
  run({ inputs, attrs, memory }) {
    const x = inputs.x!;
    const dy = inputs.dy!;
    const filterShape = attrs.filterShape as [number, number, number, number];
    if (attrs.dataFormat !== undefined && attrs.dataFormat !== 'NHWC') {
      throw new Error(`Conv2DBackpropFilter: got data format ${attrs.dataFormat}; only NHWC is supported.`);
    }
    const { strideHeight, strideWidth, filterHeight, filterWidth, padInfo, batchSize, outHeight, outWidth, ...size } =
      backend_util.computeConv2DInfo(
        x.shape as [number, number, number, number],
        filterShape,
        attrs.strides as number,
        1,
        attrs.pad as 'valid',
        attrs.dimRoundingMode as 'floor' | undefined,
      );
    const { inHeight, inWidth, inChannels, outChannels } = size;
    const out = memory.output(filterShape, 'float32');
    const from = memory.floats(x);
    const slope = memory.floats(dy);
    const to = memory.floats(out).fill(0);
    for (let batch = 0; batch < batchSize; batch++) {
      for (let row = 0; row < outHeight; row++) {
        for (let column = 0; column < outWidth; column++) {
          const dyAt = ((batch * outHeight + row) * outWidth + column) * outChannels;
          for (let i = 0; i < filterHeight; i++) {
            const y = row * strideHeight + i - padInfo.top;
            if (y < 0 || y >= inHeight) continue;
            for (let j = 0; j < filterWidth; j++) {
              const left = column * strideWidth + j - padInfo.left;
              if (left < 0 || left >= inWidth) continue;
              const xAt = ((batch * inHeight + y) * inWidth + left) * inChannels;
              const wAt = (i * filterWidth + j) * inChannels * outChannels;
              for (let c = 0; c < inChannels; c++) {
                const value = from[xAt + c]!;
                for (let o = 0, at = wAt + c * outChannels; o < outChannels; o++)
                  to[at + o]! += value * slope[dyAt + o]!;
              }
            }
          }
        }
      }
    }
    return out;
  },
};
