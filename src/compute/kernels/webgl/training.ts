import { ownWebglTraining } from './own-training';
import { webglTraining } from './tfjs-training';

export const kernels = [...webglTraining, ...ownWebglTraining];
