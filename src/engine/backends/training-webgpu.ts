import { ownWebgpuTraining } from '../kernels/own-webgpu-training';
import { webgpuTraining } from '../kernels/webgpu-training';

export const kernels = [...webgpuTraining, ...ownWebgpuTraining];
