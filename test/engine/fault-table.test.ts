import { afterEach, beforeEach, describe, test, vi } from 'vitest';
import { stopBackend } from '../../src/compute/running';
import { wasmPath } from '../compute/backends/start';
import { slice } from '../soak-slice';
import { type Bench, checkFaults, checkMove, FAULTS, OPERATIONS } from './fault-table';

vi.setConfig({ testTimeout: 300_000 });

/** Milliseconds; shorter pauses only let events through, and really pass. */
const SHORT = 50;

beforeEach(() => {
  const real = { set: setTimeout, clear: clearTimeout };
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  const fake = { set: setTimeout, clear: clearTimeout };
  const pauses = new Set<unknown>();
  vi.stubGlobal('setTimeout', (run: () => void, milliseconds = 0) => {
    if (milliseconds >= SHORT) return fake.set(run, milliseconds);
    const pause = real.set(run, milliseconds);
    pauses.add(pause);
    return pause;
  });
  vi.stubGlobal('clearTimeout', (timer: never) => (pauses.has(timer) ? real : fake).clear(timer));
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  stopBackend('wasm'); // a test that failed may leave a fault in it
});

/** The clock runs while a device call hangs, and stands still otherwise: no deadline ends because this machine is busy. */
async function settle<T>(call: Promise<T>, isHung: () => boolean): Promise<T> {
  let isSettled = false;
  const done = () => {
    isSettled = true;
  };
  call.then(done, done);
  while (!isSettled) {
    if (isHung()) await vi.advanceTimersByTimeAsync(100);
    await new Promise((resolve) => setImmediate(resolve)); // what is no timer: files, compilation of WebAssembly
  }
  return call;
}

const DEADLINE = 4;
const wasm: Bench = {
  backend: 'wasm',
  below: 'cpu',
  options: { wasmPath, backendDeadline: DEADLINE },
  seconds: DEADLINE / 2, // the other half is for the next backend
  lose: () => stopBackend('wasm'),
  settle,
};

describe.each(OPERATIONS)('$name, whichever of its device calls', (operation) => {
  // An operation of many calls takes many engines: `npm test` loses the device in it, and does no other fault.
  const faults = slice(FAULTS, (fault) => operation.name !== 'fineTune by all parameters' || fault === 'device lost');
  test.each(faults)('%s, is answered by some backend, and what was learnt stays', async (fault) => {
    await checkFaults(wasm, operation, fault);
  });
});

test.each(FAULTS)('move, whichever of the other device’s calls %s, leaves the model where it is', async (fault) => {
  await checkMove({ ...wasm, from: 'cpu' }, fault);
});
