/** TensorFlow.js' kernels of a backend by the names in `shared/names.ts`, `BACKEND/inference`, `BACKEND/training` or `BACKEND/stock`: generated in the build. */
declare module 'virtual:tfjs-kernels/gradients' {
  const gradients: readonly import('@tensorflow/tfjs').GradConfig[];
  export default gradients;
}
declare module 'virtual:tfjs-kernels/*' {
  const kernels: readonly import('@tensorflow/tfjs').KernelConfig[];
  export default kernels;
}
