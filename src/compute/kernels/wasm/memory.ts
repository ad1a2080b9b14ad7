/**
 * The heap of TensorFlow.js' WASM module, on which all its tensors lie. This is the only file that allocates there or
 * views it, and a kernel of ours gets a view only once all that it needs is allocated: see `shared/kernel.ts`.
 */
import type { KernelBackend, KernelConfig, TensorInfo } from '@tensorflow/tfjs';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm/dist/backend_wasm';
import { deviceFailed } from '../../backend-fault';
import {
  type Kernel,
  type KernelPlan,
  kernelConfig,
  type Memory,
  type Routines,
  type Values,
  type Views,
} from '../shared/kernel';
import { dropPacked } from './packed';
import { transposeBlock } from './transpose';

/** The parts of Emscripten's module that TensorFlow.js types away. */
interface Module {
  readonly asm: { readonly memory: WebAssembly.Memory };
  readonly HEAPU8: Uint8Array<ArrayBuffer>;
  _malloc(bytes: number): number;
  _free(at: number): void;
  cwrap(name: string, result: null, args: string[]): (...args: number[]) => void;
}

export interface WasmViews extends Views {
  /** Address of a tensor's numbers in bytes; unlike a view it stays right when the heap grows. */
  at(tensor: TensorInfo): number;
  /** The numbers at an address. */
  floatsAt(address: number, count: number): Float32Array;
  /** Address of the plan's workspace. Its content is undefined. */
  readonly workspace: number;
}

/** They work by addresses. */
export interface WasmRoutines extends Routines {
  at(tensor: TensorInfo): number;
  /** Address of six integers, overwritten by each call. */
  integers(a: number, b: number, c: number, d: number, e: number, f: number): number;
  /** Writes the transposes of `count` matrices `[rows, columns]` at `from` to `to`. */
  transpose(from: number, to: number, rows: number, columns: number, count: number): void;
}

export type WasmMemory = Memory<WasmViews, WasmRoutines>;
export type WasmPlan = KernelPlan<WasmViews, WasmRoutines>;
export type WasmKernel = Kernel<WasmPlan>;

/** The most that an address can say. */
const LARGEST = 2 ** 32 - 1;

/**
 * Makes every allocation from JavaScript, TensorFlow.js' own included, fail with an error that says so. Its `_malloc`
 * returns 0 where memory is used up, and takes sizes modulo 2³²: tensors would be written over whatever is there.
 */
export function refuseExhaustion(backend: BackendWasm): void {
  const module = backend.wasm as unknown as Module;
  module._free(module._malloc(1)); // its first call puts another function in its place
  const allocate = module._malloc;
  module._malloc = (bytes) => {
    const at = bytes > LARGEST ? 0 : allocate(bytes) >>> 0;
    if (at > 0) return at;
    const held = Math.round(module.HEAPU8.length / 2 ** 20);
    throw new Error(
      `WebAssembly has no room for ${bytes} bytes more; its memory is ${held} MB, of 4,095 at most. Take smaller batches or a smaller model.`,
    );
  };
}

const memories = new WeakMap<object, WasmMemory>();

function memoryOf(anyBackend: KernelBackend): WasmMemory {
  const backend = anyBackend as BackendWasm;
  const known = memories.get(backend.wasm);
  if (known) return known;
  const module = backend.wasm as unknown as Module;
  const dataOf = ({ dataId }: TensorInfo) => backend.dataIdMap.get(dataId);
  const at = (tensor: TensorInfo) => dataOf(tensor).memoryOffset;
  const view = (tensor: TensorInfo) => backend.typedArrayFromHeap(tensor) as Values;
  // XNNPACK's, several times as fast as exponentials one by one.
  const softmax = module.cwrap('Softmax', null, ['number', 'number', 'number', 'number']);
  const atIntegers = module._malloc(24);
  let sixIntegers = new Int32Array(0);
  let [workspace, reserved] = [0, 0];
  const made: WasmMemory = {
    views: {
      view,
      floats: view as (tensor: TensorInfo) => Float32Array,
      ints: view as (tensor: TensorInfo) => Int32Array,
      at,
      floatsAt: (address, count) => new Float32Array(module.HEAPU8.buffer, address, count),
      get workspace() {
        return workspace;
      },
    },
    routines: {
      at,
      softmax(x, out, rows, columns) {
        if (rows * columns > 0) softmax(dataOf(x).id, dataOf(out).id, columns, rows);
      },
      integers(a, b, c, d, e, f) {
        // Every product uses it: a new view only where the heap has grown, and no list is allocated.
        if (sixIntegers.length === 0) sixIntegers = new Int32Array(module.HEAPU8.buffer, atIntegers, 6);
        sixIntegers[0] = a;
        sixIntegers[1] = b;
        sixIntegers[2] = c;
        sixIntegers[3] = d;
        sixIntegers[4] = e;
        sixIntegers[5] = f;
        return atIntegers;
      },
      transpose(from, to, rows, columns, count) {
        const heap = new Float32Array(module.HEAPU8.buffer);
        const size = rows * columns;
        for (let i = 0; i < count; i++) {
          transposeBlock(heap, (from >>> 2) + i * size, heap, (to >>> 2) + i * size, rows, columns);
        }
      },
    },
    make: ({ shape, dtype }) => backend.makeOutput([...shape], dtype),
    free: (tensor) => void backend.disposeData(tensor.dataId),
    share: (tensor) => backend.incRef(tensor.dataId),
    references: (tensor) => backend.refCount(tensor.dataId),
    changed: (tensor) => dropPacked(backend, tensor),
    reserve(bytes) {
      if (bytes <= reserved) return;
      if (reserved > 0) module._free(workspace);
      reserved = 0;
      workspace = module._malloc(bytes);
      reserved = bytes;
    },
  };
  memories.set(backend.wasm, made);
  return made;
}

/** An instance of our own WebAssembly that works on this heap. */
export function instantiate<Exports>(backend: BackendWasm, compiled: WebAssembly.Module): Exports {
  const { memory } = (backend.wasm as unknown as Module).asm;
  try {
    return new WebAssembly.Instance(compiled, { env: { memory } }).exports as Exports;
  } catch (error) {
    throw deviceFailed({ name: 'wasm', instance: backend }, error); // wherever a kernel asks for it first
  }
}

/** A kernel for this backend, in front of the last one of `others` by its name, which it replaces. */
export const onWasm = (kernel: WasmKernel, others: readonly KernelConfig[] = []): KernelConfig =>
  kernelConfig(
    'wasm',
    kernel,
    memoryOf,
    others.findLast(({ kernelName }) => kernelName === kernel.name),
  );
