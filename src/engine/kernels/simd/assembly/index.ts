/**
 * Training kernels in AssemblyScript: WebAssembly with SIMD that works in TensorFlow.js' memory. Built into `binary.ts` by
 * `npm run simd`. Arguments are addresses and sizes; nothing here allocates, throws, or keeps anything.
 */
export { gemm, gemmScratch } from './gemm';
