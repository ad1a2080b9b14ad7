/**
 * What scoring runs, in AssemblyScript: WebAssembly with SIMD that works in TensorFlow.js' memory. Built by `npm run simd` into
 * `binary.ts` and, for engines with fused multiplication and addition, into `binary-fused.ts`. Arguments are addresses and
 * sizes; nothing here allocates, throws, or keeps anything.
 */
export { attentionRead, attentionScratch, attentionWeights } from './attention';
export { binary, unary } from './elements';
export { gemm, gemmScratch } from './gemm';
export { copyBlocks, gatherRows, layerNorm, sumMiddle, transpose } from './rows';
