/** Our own kernels that scoring runs, for plain CPU and WASM. */
import { tile } from './broadcast';
import type { Kernel } from './kernel';
import { gather, identity, slice, splitV } from './rows';

export const sharedInference: readonly Kernel[] = [gather, slice, splitV, identity, tile];
