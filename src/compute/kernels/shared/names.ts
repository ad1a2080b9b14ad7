/**
 * The kernels of TensorFlow.js that the models may use, on every backend: the one list to extend when a new op is needed. The build
 * imports each backend's kernel, and its gradient, by its name here, but for those of `replacedKernels`. Our own kernels (`Aisle…`) are listed in `inference.ts` and
 * `training.ts` beside this file, their gradients in `gradients.ts`.
 */

/** Needed to score. */
export const inferenceKernels: readonly string[] = [
  '_FusedMatMul',
  'Add',
  'AddN',
  'ArgMax',
  'BatchMatMul',
  'Cast',
  'Concat',
  'Elu',
  'Equal',
  'Erf',
  'Exp',
  'ExpandDims',
  'Fill',
  'GatherV2',
  'Greater',
  'GreaterEqual',
  'Identity',
  'LeakyRelu',
  'Less',
  'LessEqual',
  'Log',
  'Log1p',
  'LogicalAnd',
  'LogicalNot',
  'Max',
  'Maximum',
  'Mean',
  'Minimum',
  'Multiply',
  'Neg',
  'NotEqual',
  'OneHot',
  'OnesLike',
  'Pack',
  'PadV2',
  'Pow',
  'Range',
  'RealDiv',
  'Relu',
  'Reshape',
  'Rsqrt',
  'Select',
  'Selu',
  'Sigmoid',
  'Slice',
  'Softmax',
  'Softplus',
  'SplitV',
  'Sqrt',
  'Square',
  'Step',
  'Sub',
  'Sum',
  'Tanh',
  'Tile',
  'Transpose',
  'Unpack',
  'ZerosLike',
];

/** Needed besides by the gradients. */
export const trainingKernels: readonly string[] = ['EluGrad', 'UnsortedSegmentSum'];

const MOVING = ['GatherV2', 'Identity', 'Slice', 'SplitV', 'Tile', 'UnsortedSegmentSum'];
/** Those that ours replace whole, by backend: TensorFlow.js' own would be loaded for nothing. */
export const replacedKernels: Readonly<Record<string, readonly string[]>> = {
  cpu: MOVING,
  wasm: [...MOVING, 'BatchMatMul', '_FusedMatMul'],
};
