import { ownTraining } from '../shared/training';
import { cpuTraining } from './tfjs-training';

export const kernels = [...cpuTraining, ...ownTraining('cpu')];
