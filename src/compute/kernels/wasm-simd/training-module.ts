import type { SimdExports } from './inference-module';
import { simdModule } from './module';

/** What `assembly/training.ts` exports. */
interface TrainingExports extends Pick<SimdExports, 'attentionScratch' | 'gemmScratch'> {
  geluGradient(dy: number, x: number, dx: number, n: number): void;
  dropout(x: number, y: number, n: number, first: number, second: number, threshold: number, factor: number): void;
  adam(p: number, m: number, v: number, g: number, n: number, ...constants: number[]): void;
  adagrad(
    p: number,
    a: number,
    speed: number,
    g: number,
    n: number,
    rate: number,
    momentum: number,
    epsilon: number,
  ): void;
  crossEntropy(
    s: number,
    positive: number,
    dy: number,
    rows: number,
    columns: number,
    spread: number,
    own: number,
    parts: number,
    slope: number,
  ): void;
  layerNormGradient(
    dy: number,
    n: number,
    r: number,
    gain: number,
    rows: number,
    d: number,
    dx: number,
    dGain: number,
    dBias: number,
    chunk: number,
  ): void;
  addRows(x: number, ids: number, out: number, count: number, width: number, segments: number): void;
  attentionWeightsGradient(...addressesAndSizes: number[]): void;
  attentionReadGradient(...addressesAndSizes: number[]): void;
}

/** As in `inference-module.ts`. */
export const { withSimd, simdOf } = simdModule<TrainingExports>([
  { load: () => import('./training-binary-fused') },
  { load: () => import('./training-binary') },
]);
