import { ownWebgpuTraining } from './own-training';
import { webgpuTraining } from './tfjs-training';

export const kernels = [...webgpuTraining, ...ownWebgpuTraining];
