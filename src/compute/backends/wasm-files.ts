/// <reference types="vite/client" />
/** Where the development server has the WASM modules. Node passes a folder instead, and `worker/files.ts` says of builds. */

import plain from '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.wasm?url&no-inline';
import simd from '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm?url&no-inline';
import type { WasmFiles } from './wasm';

export const wasmFiles: WasmFiles = { simd, plain };
