import { gather, engine as runtime, square, tensor1d, tensor2d } from '@tensorflow/tfjs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BackendFault } from '../../src/compute/backend-fault';
import { startBackend } from '../../src/compute/backends/start';
import { watch } from '../../src/compute/device-loss';
import { run, type Slice } from '../../src/compute/executor';
import { stopBackend } from '../../src/compute/running';
import { RecommenderError } from '../../src/errors';
import { wasmPath } from './backends/start';

beforeEach(async () => {
  await startBackend('cpu');
});
afterEach(() => {
  vi.useRealTimers();
  stopBackend('wasm');
  stopBackend('cpu');
});

const settled = (call: Promise<unknown>) =>
  call.then(
    (value) => value,
    (error) => error.code ?? error,
  );
const hangs = () => new Promise<never>(() => {});
const onWasm = async (slice: Slice) => slice.start('wasm', { wasmPath });
/** Resolves when it is called. */
function gate(): { readonly passed: Promise<void>; pass(): void } {
  let pass = () => {};
  const passed = new Promise<void>((resolve) => {
    pass = resolve;
  });
  return { passed, pass: () => pass() };
}

describe('calls', () => {
  test('run one after the other, in the order in which they came, also where one fails', async () => {
    const log: string[] = [];
    const call = (name: string, fails = false) =>
      run(async () => {
        log.push(`${name} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        log.push(`${name} ends`);
        if (fails) throw new Error(name);
      });
    await Promise.allSettled([call('a'), call('b', true), call('c')]);
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  test('that yield let those through that wait, and go on with their own backend', async () => {
    const log: string[] = [];
    const long = run(async (slice) => {
      await onWasm(slice);
      for (let step = 0; step < 3; step++) {
        log.push(`step ${step} on ${runtime().backendName}`);
        await slice.yield();
      }
    });
    const short = run(async (slice) => {
      await slice.start('cpu');
      log.push(`short on ${runtime().backendName}`);
    });
    await Promise.all([long, short]);
    expect(log).toEqual(['step 0 on wasm', 'short on cpu', 'step 1 on wasm', 'step 2 on wasm']);
  });

  test('that are aborted while they wait leave those behind them in their places', async () => {
    const { passed, pass } = gate();
    const log: string[] = [];
    const first = run(() => passed);
    const abort = new AbortController();
    const second = run(async () => log.push('second'), { signal: abort.signal });
    const third = run(async () => log.push('third'));
    abort.abort();
    expect(await settled(second)).toBe('aborted');
    pass();
    await Promise.all([first, third]);
    expect(log).toEqual(['third']);
  });

  test('that are aborted while they run reject at once, and others wait until their work has ended', async () => {
    const { passed, pass } = gate();
    const abort = new AbortController();
    let isOver = false;
    const end = () => {
      isOver = true;
    };
    const first = run(() => passed.then(end), { signal: abort.signal });
    await Promise.resolve();
    abort.abort();
    expect(await settled(first)).toBe('aborted');
    const second = run(async () => isOver);
    pass();
    expect(await second).toBe(true);
  });
});

describe('a deadline', () => {
  test('ends a slice that never settles, stops its backend, and lets the next call run', async () => {
    await run(onWasm);
    vi.useFakeTimers();
    const call = run((slice) => onWasm(slice).then(hangs), { deadline: 5 });
    const fault = call.catch((error) => error);
    await vi.advanceTimersByTimeAsync(5000);
    expect(await fault).toMatchObject({ code: 'timeout', backend: 'wasm', isGone: true });
    expect(runtime().registry['wasm']).toBeUndefined();
    vi.useRealTimers();
    expect(await run(async (slice) => (await onWasm(slice)).name)).toBe('wasm');
  });

  test('of a call that waits ends the slice that holds it up, which has none, and the call is the next', async () => {
    await run(onWasm);
    vi.useFakeTimers();
    const log: string[] = [];
    const hung = settled(run((slice) => onWasm(slice).then(hangs)));
    const patient = run(async () => log.push('patient'));
    const waiting = run(async () => log.push('waiting'), { deadline: 4 });
    await vi.advanceTimersByTimeAsync(1999);
    expect(log).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await Promise.all([patient, waiting]);
    expect(await hung).toBe('timeout');
    expect(log).toEqual(['waiting', 'patient']);
  });

  test('of each of several calls that wait blames the slice that hangs, and none that came after it', async () => {
    await run(onWasm);
    vi.useFakeTimers();
    const hung = settled(run((slice) => onWasm(slice).then(hangs), { deadline: 4 }));
    const busy = async (slice: Slice) => {
      await slice.start('cpu');
      await new Promise((resolve) => setTimeout(resolve, 1500)); // far less than the deadline
      return 'answered';
    };
    const waiting = [1, 2, 3, 4].map(() => settled(run(busy, { deadline: 4 })));
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await hung).toBe('timeout');
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => 'answered'));
  });

  test('that comes late, after a machine has slept, starts over', async () => {
    await run(onWasm);
    vi.useFakeTimers();
    const { passed, pass } = gate();
    const call = settled(run((slice) => onWasm(slice).then(() => passed.then(() => 'awake')), { deadline: 5 }));
    await vi.advanceTimersByTimeAsync(1000);
    const now = performance.now();
    const slept = vi.spyOn(performance, 'now').mockImplementation(() => now + 3_600_000);
    await vi.advanceTimersByTimeAsync(4000);
    slept.mockRestore();
    pass();
    expect(await call).toBe('awake');
  });

  test('of a call that waits, late after a machine has slept, ends nobody', async () => {
    await run(onWasm);
    vi.useFakeTimers();
    const { passed, pass } = gate();
    const call = settled(run((slice) => onWasm(slice).then(() => passed.then(() => 'awake')), { deadline: 50 }));
    const waiting = run(async () => 'answered', { deadline: 5 });
    await vi.advanceTimersByTimeAsync(1000);
    const now = performance.now();
    const slept = vi.spyOn(performance, 'now').mockImplementation(() => now + 3_600_000);
    await vi.advanceTimersByTimeAsync(1500); // half of its deadline is over
    slept.mockRestore();
    pass();
    expect(await call).toBe('awake');
    expect(await waiting).toBe('answered');
  });

  test('does not run while a call waits for what is no work of the device', async () => {
    vi.useFakeTimers();
    const { passed, pass } = gate();
    const call = run((slice) => slice.yield(passed).then(() => 'loaded'), { deadline: 5 });
    const other = run(async () => 'answered', { deadline: 5 });
    expect(await other).toBe('answered');
    await vi.advanceTimersByTimeAsync(60_000);
    pass();
    expect(await call).toBe('loaded');
    const failing = run((slice) => slice.yield(Promise.reject(new TypeError('offline'))));
    await expect(failing).rejects.toThrow('offline');
    expect(await run(async () => 'next')).toBe('next');
  });

  test('starts over with each slice: a long training is not cut off, however long it takes', async () => {
    vi.useFakeTimers();
    const steps = run(
      async (slice) => {
        for (let step = 0; step < 10; step++) {
          await new Promise((resolve) => setTimeout(resolve, 4000));
          await slice.yield();
        }
        return 'trained';
      },
      { deadline: 5 },
    );
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await steps).toBe('trained');
  });

  test('fires the signal of work that was abandoned, which can neither yield nor read any more', async () => {
    await run(onWasm);
    vi.useFakeTimers();
    const { passed, pass } = gate();
    let after: Promise<unknown> = Promise.resolve();
    const call = settled(
      run(
        async (slice) => {
          await onWasm(slice);
          const x = square(tensor1d([3]));
          after = passed.then(async () => [
            slice.signal.aborted,
            await settled(slice.yield()),
            await settled(x.data()),
          ]);
          return after;
        },
        { deadline: 1 },
      ),
    );
    await vi.advanceTimersByTimeAsync(1000);
    expect(await call).toBe('timeout');
    vi.useRealTimers();
    pass();
    expect(await after).toEqual([true, 'aborted', expect.stringMatching(/no-backend|engine-lost/)]);
  });
});

describe('what fails', () => {
  const faultOf = (work: (slice: Slice) => Promise<unknown>) =>
    run(async (slice) => {
      await onWasm(slice);
      return work(slice);
    }).then(
      () => undefined as never,
      (error) => error as BackendFault,
    );

  test('in our own code is no fault of the backend', async () => {
    const error = await faultOf(async () => {
      throw new TypeError('a mistake of ours');
    });
    expect(error).toBeInstanceOf(TypeError);
    expect(runtime().registry['wasm']).toBeDefined();
  });

  test.each(['write', 'read'] as const)('in %s of a backend is its fault', async (method) => {
    const error = await faultOf(async () => {
      Object.assign(runtime().registry['wasm']!, {
        [method]() {
          throw new RangeError('memory is used up');
        },
      });
      return tensor1d([1]).data();
    });
    expect(error).toBeInstanceOf(BackendFault);
    expect(error).toMatchObject({ code: 'no-backend', backend: 'wasm', message: expect.stringContaining('used up') });
  });

  test('in a kernel is the fault of its backend', async () => {
    const error = await faultOf(async () => {
      const x = tensor1d([1]);
      runtime().registry['wasm']!.disposeData(x.dataId, true);
      return square(x);
    });
    expect(error).toMatchObject({ code: 'no-backend', backend: 'wasm' });
  });

  test('by numbers that are not finite is the fault of the device that gave them', async () => {
    const error = await faultOf(async () => {
      throw new RecommenderError('not-finite', 'a score is NaN');
    });
    expect(error).toBeInstanceOf(BackendFault);
    expect(error).toMatchObject({ code: 'not-finite', isGone: false });
  });

  test('where the backend was stopped meanwhile is the loss of its device, whatever the error says', async () => {
    const error = await faultOf(async () => {
      stopBackend('wasm');
      throw new TypeError('null is not an object');
    });
    expect(error).toMatchObject({ code: 'engine-lost', isGone: true });
  });

  test('on another backend, after its own was stopped, is no fault of that one', async () => {
    const error = await faultOf(async () => {
      const x = tensor1d([1]);
      stopBackend('wasm'); // plain CPU is the active backend now
      return square(x);
    });
    expect(error).toMatchObject({ code: 'engine-lost', backend: 'wasm' });
  });

  test('ends its work, which takes no turn of others any more', async () => {
    let lose = (_: string) => {};
    const lost = new Promise<string>((resolve) => {
      lose = resolve;
    });
    const { passed, pass } = gate();
    let after: Promise<unknown> = Promise.resolve();
    const call = run(async (slice) => {
      const { instance } = await onWasm(slice);
      watch(instance, lost, () => false);
      await onWasm(slice); // listens
      after = passed.then(async () => [slice.signal.aborted, await settled(slice.yield())]);
      lose('a device was lost');
      await after;
    });
    expect(await settled(call)).toBe('engine-lost');
    pass();
    expect(await after).toEqual([true, 'aborted']);
    expect(await run(async () => 'next', { deadline: 1 })).toBe('next');
  });

  test('is a loss that the device reports only after the call has failed', async () => {
    const reply = gate();
    let isLost = false;
    const call = run(async (slice) => {
      const { instance } = await onWasm(slice);
      watch(
        instance,
        hangs(),
        () => isLost,
        undefined,
        () => reply.passed,
      );
      throw new BackendFault('no-backend', 'wasm', 'a buffer was unmapped', { instance });
    });
    setTimeout(() => {
      isLost = true;
      reply.pass();
    }, 100);
    await expect(call).rejects.toMatchObject({ code: 'engine-lost', isGone: true });
  });

  test('by an argument that no kernel can take is a mistake of ours', async () => {
    const error = await faultOf(async () => {
      const table = tensor2d([1, 2], [2, 1]);
      return gather(table, tensor1d([5], 'int32')).data();
    });
    expect(error).not.toBeInstanceOf(BackendFault);
    expect(error.message).toContain('is not in');
  });

  test('is notified before a call that waits has its turn', async () => {
    const log: string[] = [];
    const refused = async (slice: Slice) => {
      await onWasm(slice);
      throw new RecommenderError('not-finite', 'a score is NaN');
    };
    const call = run(refused, { onFault: ({ code }) => log.push(code) });
    const next = run(async () => log.push('next'));
    expect(await settled(call)).toBe('not-finite');
    await next;
    expect(log).toEqual(['not-finite', 'next']);
  });

  test('prints without the backend that it is about', async () => {
    const error = await faultOf(async () => {
      throw new RecommenderError('not-finite', 'a score is NaN');
    });
    const instance = runtime().registry['wasm'];
    expect(error.device()).toEqual({ name: 'wasm', instance });
    const held = [error, BackendFault.prototype].flatMap((of) => Object.getOwnPropertyNames(of));
    for (const name of held) expect(Reflect.get(error, name), name).not.toBe(instance);
  });
});
