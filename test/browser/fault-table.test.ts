/// <reference types="@webgpu/types" />
import { engine as runtime } from '@tensorflow/tfjs';
import { afterEach, describe, test, vi } from 'vitest';
import { stopBackend } from '../../src/compute/running';
import type { LocalEngineOptions } from '../../src/engine/local-engine';
import { type Bench, checkFaults, checkMove, FAULTS, type Fault, OPERATIONS } from '../engine/fault-table';
import { isSoak, slice } from '../soak-slice';
import { patient } from './patient-engine';

vi.setConfig({ testTimeout: 600_000 });

const GPUS: readonly Bench[] = [
  {
    backend: 'webgpu',
    below: 'webgl',
    lose: () => (runtime().registry['webgpu'] as unknown as { device: GPUDevice }).device.destroy(),
  },
  {
    backend: 'webgl',
    below: 'wasm',
    lose() {
      const { gpgpu } = runtime().registry['webgl'] as unknown as { gpgpu: { gl: WebGL2RenderingContext } };
      gpgpu.gl.getExtension('WEBGL_lose_context')!.loseContext();
    },
  },
];

/** Only a call that never settles costs its deadline. */
const optionsFor = (fault: Fault): LocalEngineOptions =>
  fault === 'never settles' ? { ...patient, backendDeadline: 12 } : patient;

/** The first and the last; the last alone where it costs a deadline. A soak takes them all. */
const some = (fault: Fault) =>
  isSoak ? undefined : (count: number) => [...new Set(fault === 'never settles' ? [count] : [1, count])];

afterEach(() => {
  for (const { backend } of GPUS) stopBackend(backend); // a test that failed may leave a fault in it
});

/** What `npm test` tries on a GPU; in Node it tries all, and `gpu-engine.test.ts` has a device that never answers. */
const operationsOf = ({ backend }: Bench) =>
  slice(OPERATIONS, ({ name }) => name === 'recommend' || (backend === 'webgl' && name === 'fineTune by adapter'));
const faultsOf = ({ backend }: Bench) =>
  slice(FAULTS, (fault) => fault === (backend === 'webgpu' ? 'device lost' : 'returns NaN'));

describe.each(GPUS)('on $backend', (bench) => {
  describe.each(operationsOf(bench))('$name', (operation) => {
    test.each(faultsOf(bench))(
      'is answered by some backend where a device call %s, and what was learnt stays',
      async (fault) => {
        await checkFaults({ ...bench, options: optionsFor(fault) }, operation, fault, some(fault));
      },
    );
  });

  test.each(bench.backend === 'webgl' || isSoak ? faultsOf(bench) : [])(
    'move leaves the model where it is where a device call %s',
    async (fault) => {
      await checkMove({ ...bench, from: 'wasm', options: optionsFor(fault) }, fault, some(fault));
    },
  );
});
