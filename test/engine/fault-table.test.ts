import { afterEach, beforeEach, describe, test, vi } from 'vitest';
import { runningDevice, stopBackend } from '../../src/compute/running';
import { wasmPath } from '../compute/backends/start';
import { slice } from '../soak-slice';
import { type Bench, checkFaults, checkMove, FAULTS, type Fault, OPERATIONS, type Shim } from './fault-table';
import { plannedModel } from './fixture';

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

/** A fault in a run of a plan's steps. It cannot hang: its steps are counted before they run. */
function planFault(fault?: Fault, at = Number.POSITIVE_INFINITY): Shim {
  let calls = 0;
  const broken = runningDevice('plan')!.instance;
  onPlanRun = (memory) => {
    if (++calls < at || runningDevice('plan')?.instance !== broken) return;
    if (fault === 'throws') throw new WebAssembly.RuntimeError('unreachable');
    if (fault === 'returns NaN') new Float32Array(memory.buffer).fill(Number.NaN);
    if (fault === 'device lost') stopBackend('plan');
  };
  const remove = () => {
    onPlanRun = () => {};
  };
  return { calls: () => calls, remove, isHung: () => false };
}
let onPlanRun: (memory: WebAssembly.Memory) => void = () => {};
const { Instance } = WebAssembly;

/** An instance of a module; where it is that of plans, `onPlanRun` follows each of its runs. */
function faultyInstance(module: WebAssembly.Module, imports?: WebAssembly.Imports): WebAssembly.Instance {
  const { exports } = new Instance(module, imports);
  const memory = imports?.['env']?.['memory'];
  const { run, score } = exports as { run?: (steps: number) => number; score?: unknown };
  if (!run || !score || !(memory instanceof WebAssembly.Memory)) return { exports };
  const faulty = (steps: number) => {
    const result = run(steps);
    onPlanRun(memory);
    return result;
  };
  return { exports: { ...exports, run: faulty } };
}

const plan: Bench = {
  model: plannedModel,
  backend: 'plan',
  below: 'wasm',
  options: { wasmPath, backendDeadline: DEADLINE },
  lose: () => stopBackend('plan'),
  withFault: planFault,
  settle,
};
const PLAN_FAULTS = FAULTS.filter((fault) => fault !== 'never settles');

describe('of a compiled plan', () => {
  beforeEach(() => {
    vi.spyOn(WebAssembly, 'Instance').mockImplementation(faultyInstance);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    stopBackend('plan');
  });

  // All parameters learn elsewhere.
  const operations = OPERATIONS.filter(({ name }) => name !== 'fineTune by all parameters');
  describe.each(operations)('$name, whichever of its runs', (operation) => {
    test.each(PLAN_FAULTS)('%s, is answered by some backend, and what was learnt stays', async (fault) => {
      await checkFaults(plan, operation, fault);
    });
  });

  test.each(PLAN_FAULTS)('move, whichever of its runs %s, leaves the model where it is', async (fault) => {
    await checkMove({ ...plan, from: 'cpu' }, fault);
  });
});

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
