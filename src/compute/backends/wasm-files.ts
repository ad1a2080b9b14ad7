/// <reference types="vite/client" />
/** Where the bundler put the WASM modules. Only the page imports this: Node passes a folder instead. */

import plain from '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.wasm?url&no-inline';
import simd from '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm?url&no-inline';
import type { WasmFiles } from '../types';

export const wasmFiles: WasmFiles = { simd, plain };
