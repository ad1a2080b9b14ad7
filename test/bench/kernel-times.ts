/** Where the time of a training step goes, kernel by kernel, on WASM. */
import { getKernelsForBackend, type KernelConfig, type NamedTensorInfoMap, util } from '@tensorflow/tfjs';

/** What one kernel did. */
export interface KernelTime {
  calls: number;
  /** Milliseconds of processor time, which other work on the machine does not stretch. */
  ms: number;
  /** Multiplications and additions of matrix products. */
  flops: number;
}

/** Calls, times and products of every kernel while `run` runs. */
export function kernelTimes(run: () => void): ReadonlyMap<string, KernelTime> {
  const spent = new Map<string, KernelTime>();
  const configs: KernelConfig[] = getKernelsForBackend('wasm');
  const originals = configs.map(({ kernelFunc }) => kernelFunc);
  configs.forEach((config, i) => {
    Object.assign(config, {
      kernelFunc: (call: Parameters<KernelConfig['kernelFunc']>[0]) => {
        const start = process.cpuUsage();
        const result = originals[i]!(call);
        const { user, system } = process.cpuUsage(start);
        const entry = spent.get(config.kernelName) ?? { calls: 0, ms: 0, flops: 0 };
        entry.calls++;
        entry.ms += (user + system) / 1000;
        entry.flops += flopsOf(config.kernelName, call.inputs, call.attrs ?? {});
        spent.set(config.kernelName, entry);
        return result;
      },
    });
  });
  try {
    run();
  } finally {
    configs.forEach((config, i) => {
      Object.assign(config, { kernelFunc: originals[i] });
    });
  }
  return spent;
}

/** Two for each pair of numbers that a matrix product multiplies. */
function flopsOf(kernel: string, inputs: NamedTensorInfoMap, attrs: Readonly<Record<string, unknown>>): number {
  switch (kernel) {
    case 'BatchMatMul':
    case '_FusedMatMul': {
      const [a, b] = [inputs.a!.shape, inputs.b!.shape];
      const [m, k] = attrs.transposeA ? [a.at(-1)!, a.at(-2)!] : [a.at(-2)!, a.at(-1)!];
      const n = attrs.transposeB ? b.at(-2)! : b.at(-1)!;
      const batch = Math.max(util.sizeFromShape(a.slice(0, -2)), util.sizeFromShape(b.slice(0, -2)));
      return 2 * batch * m * k * n;
    }
    case 'AisleAttentionWeights':
    case 'AisleAttentionWeightsGrad': {
      const [rows, d] = inputs.q!.shape as [number, number];
      const columns = inputs.k!.shape[0]! / (attrs.batch as number) + (inputs.r?.shape[0] ?? 0);
      return 2 * rows * d * columns * (kernel.endsWith('Grad') ? 2 : 1);
    }
    case 'AisleAttentionRead':
    case 'AisleAttentionReadGrad': {
      const queries = inputs.weights!.shape[2]!;
      return 2 * util.sizeFromShape(inputs.v!.shape) * queries * (kernel.endsWith('Grad') ? 2 : 1);
    }
    default:
      return 0;
  }
}
