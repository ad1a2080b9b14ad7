import { cpuTraining } from '../kernels/cpu-training';
import { ownTraining } from '../kernels/own-training';

export const kernels = [...cpuTraining, ...ownTraining('cpu')];
