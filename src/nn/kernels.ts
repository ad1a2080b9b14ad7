import { getBackend, getKernel } from '@tensorflow/tfjs';

/** Whether the running backend has a kernel: one of ours for a whole layer, where plain ops would do. */
export const hasKernel = (name: string): boolean => getKernel(name, getBackend()) != null;
