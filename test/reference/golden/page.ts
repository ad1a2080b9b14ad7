/** Golden files in a page: Node reads them and hands them over, since a page cannot. */
import { memory } from '@tensorflow/tfjs';
import { startBackend } from '../../../src/compute/backends/start';
import { registerTraining } from '../../../src/compute/training';
import type { BackendName } from '../../../src/compute/types';
import { type GoldenRow, runFile } from './run-file';

export interface GoldenPage {
  start(backend: BackendName): Promise<void>;
  run(name: string, base64: string, gpu: boolean): Promise<GoldenRow>;
}

const golden: GoldenPage = {
  async start(backend) {
    await startBackend(backend);
    await registerTraining();
  },
  async run(name, base64, gpu) {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const before = memory().numTensors;
    const row = await runFile(name, bytes, gpu);
    const left = memory().numTensors - before;
    return left === 0 ? row : { ...row, state: 'miss', reason: `${left} tensors were left behind.` };
  },
};
Object.assign(globalThis, { golden });
