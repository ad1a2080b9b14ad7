import { ownWebglTraining } from '../kernels/own-webgl-training';
import { webglTraining } from '../kernels/webgl-training';

export const kernels = [...webglTraining, ...ownWebglTraining];
