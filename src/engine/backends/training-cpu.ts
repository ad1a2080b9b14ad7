export { cpuTraining as kernels } from '../kernels/cpu-training';
