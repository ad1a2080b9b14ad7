import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { stopBackend } from '../../src/compute/backends/start';
import { wasmPath } from '../compute/backends/start';
import { type Bench, checkFaults, checkMove, FAULTS, OPERATIONS } from './fault-table';

vi.setConfig({ testTimeout: 300_000 });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** The clock runs while a device call hangs, and stands still otherwise: no deadline ends because this machine is busy. */
async function settle<T>(call: Promise<T>, isHung: () => boolean): Promise<T> {
  let isSettled = false;
  const done = () => {
    isSettled = true;
  };
  call.then(done, done);
  while (!isSettled) {
    await vi.advanceTimersByTimeAsync(isHung() ? 100 : 0);
    await new Promise((resolve) => setImmediate(resolve)); // what is no timer: files, compilation of WebAssembly
  }
  return call;
}

const wasm: Bench = {
  backend: 'wasm',
  below: 'cpu',
  options: { wasmPath },
  lose: () => stopBackend('wasm'),
  settle,
};

describe.each(OPERATIONS)('$name, whichever of its device calls', (operation) => {
  test.each(FAULTS)('%s, is answered by some backend, and what was learnt stays', async (fault) => {
    await checkFaults(wasm, operation, fault);
  });
});

test.each(FAULTS)('move, whichever of the other device’s calls %s, leaves the model where it is', async (fault) => {
  await checkMove({ ...wasm, from: 'cpu' }, fault);
});
