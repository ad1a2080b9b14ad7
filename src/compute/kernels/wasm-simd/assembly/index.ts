/**
 * Training kernels in AssemblyScript: WebAssembly with SIMD that works in TensorFlow.js' memory. Built by
 * `npm run simd` into `binary.ts` and, for engines with fused multiplication and addition, into `binary-fused.ts`. Arguments are addresses and sizes; nothing here allocates, throws, or keeps anything.
 */
export {
  attentionRead,
  attentionReadGradient,
  attentionScratch,
  attentionWeights,
  attentionWeightsGradient,
} from './attention';
export { adagrad, adam, binary, dropout, geluGradient, unary } from './elements';
export { gemm, gemmScratch } from './gemm';
export {
  addRows,
  copyBlocks,
  crossEntropy,
  gatherRows,
  layerNorm,
  layerNormGradient,
  sumMiddle,
  transpose,
} from './rows';
