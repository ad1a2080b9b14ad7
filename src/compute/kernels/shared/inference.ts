/** Our own kernels that scoring runs, for plain CPU and WASM. */
import type { Kernel } from './kernel';
import { gather, identity, slice, splitV, tile } from './rows';

export const sharedInference: readonly Kernel[] = [gather, slice, splitV, identity, tile];
