/** What training runs besides `inference.ts`, built in the same way into `training-binary.ts` and `training-binary-fused.ts`. */
export { attentionReadGradient, attentionScratch, attentionWeightsGradient } from './attention';
export { adagrad, adam, dropout, geluGradient } from './elements';
export { gemmScratch } from './gemm';
export { addRows, crossEntropy, layerNormGradient } from './rows';
