/// <reference types="vite/client" />
/**
 * Where TensorFlow.js' WASM modules are, for the engine of a page; Node passes a folder instead. This is the development server's
 * answer. `src/build/worker-files.ts` puts another module in its place: in the page's scripts their addresses, in the
 * worker's their names relative to it, which the page resolves.
 */

import plain from '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.wasm?url&no-inline';
import simd from '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm?url&no-inline';
import type { WasmFiles } from '../types';

export const wasmFiles: WasmFiles = { simd, plain };
