import { engine, memory, setBackend } from '@tensorflow/tfjs';
import { afterEach, beforeEach, expect } from 'vitest';
import { startBackend } from '../../../src/compute/backends/start';
import { registerTraining } from '../../../src/compute/training';
import { wasmPath as folderOfWasm } from '../../../src/pipeline/files/backend';

/** Folder of TensorFlow.js' `.wasm` files in the installed package. */
export const wasmPath = folderOfWasm();

/** The backends under test. */
export const backends = ['cpu', 'wasm'] as const;

/** Starts a backend, or switches back to one that runs, ready to train. */
export async function start(name: (typeof backends)[number]): Promise<void> {
  if (engine().registry[name]) await setBackend(name);
  else await startBackend(name, { wasmPath });
  await registerTraining();
}

/** Every test of the block frees the tensors that it makes. */
export function expectNoTensorsLeft(): void {
  let before: { numTensors: number; numBytes: number };
  beforeEach(() => {
    const { numTensors, numBytes } = memory();
    before = { numTensors, numBytes };
  });
  afterEach(() => {
    expect(memory(), 'tensors left behind').toMatchObject(before);
  });
}
