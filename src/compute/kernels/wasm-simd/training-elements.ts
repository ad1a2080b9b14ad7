/** The slope of an activation, and dropout. */
import { dropoutKeys } from '../shared/dropout-keys';
import { float32 } from '../shared/kernel';
import type { WasmKernel } from '../wasm/memory';
import { sizeOf } from './kernel';
import { simdOf } from './training-module';

export const geluGrad: WasmKernel = {
  name: 'AisleGeluGrad',
  plan({ inputs, backend }) {
    const [dy, x] = [inputs.dy!, inputs.x!];
    return {
      outputs: float32(x.shape),
      compute: ({ at }, [dx]) => simdOf(backend).geluGradient(at(dy), at(x), at(dx!), sizeOf(x)),
    };
  },
};

export const dropout: WasmKernel = {
  name: 'AisleDropout',
  plan({ inputs, attrs, backend }) {
    const x = inputs.x!;
    const [rate, seed] = [attrs.rate as number, attrs.seed as number];
    const { first, second, bound } = dropoutKeys(rate, seed);
    return {
      outputs: float32(x.shape),
      compute: ({ at }, [y]) =>
        simdOf(backend).dropout(at(x), at(y!), sizeOf(x), first, second, bound - 1, 1 / (1 - rate)),
    };
  },
};
