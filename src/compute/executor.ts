/**
 * The executor: all work on devices runs here, one slice after the other. TensorFlow.js has a single active backend per
 * thread, and work that awaits its results could be interrupted by other work.
 *
 * A call is one slice, or several with `yield` between them. Each slice has a deadline. A call that has waited for half of
 * its own deadline abandons the running slice: the instance of its backend is stopped, and the next call that needs the
 * backend starts it again.
 */
import type { Tensor } from '@tensorflow/tfjs';
import { abortable } from '../abort';
import { abortedError, RecommenderError, throwIfAborted } from '../errors';
import { BackendFault, type Device } from './backend-fault';
import type { BackendOptions } from './backends/options';
import { startBackend } from './backends/start';
import { deviceLossOf, giveUp, goneFault, lossReported, onLost } from './device-loss';
import { type RunningDevice, runningDevice, stopDevice } from './running';
import type { BackendName } from './types';

/** What work can do while its slice runs. */
export interface Slice {
  /** Fires when the caller gives up or the slice is abandoned. The work should then end and must not change anything. */
  readonly signal: AbortSignal;
  /** Starts a backend and runs on it from now on. @throws BackendFault if it cannot start. */
  start(backend: BackendName, options?: BackendOptions): Promise<RunningDevice>;
  /** Runs on a device that was started before. @throws BackendFault if it is gone. */
  use(device: Device): Promise<void>;
  /**
   * Ends the slice and begins the next if the last pause was long ago or a call waits. Events and other calls run in between.
   * Tensors stay, and the active backend is the same afterwards.
   *
   * @param until The next slice begins after it settles, whenever the last pause was. It is not device work and has no deadline.
   * @throws BackendFault if the device was lost meanwhile, and the error of `until`.
   */
  yield(until?: Promise<unknown>): Promise<void>;
}

export interface RunOptions {
  /**
   * Seconds. A slice that takes longer is abandoned, and so is another call's slice that has run for half as long while this call
   * waited. The wait counts towards the first slice, which has at least half of the deadline. Default: none.
   */
  readonly deadline?: number;
  /** Ends the call at once; a running slice continues until it checks the signal. */
  readonly signal?: AbortSignal | undefined;
  /** Called with a fault before the next call runs, so that the caller can give up the device in time. */
  readonly onFault?: (fault: BackendFault) => void;
}

/** Milliseconds of work after which `yield` lets events through even if no call waits. */
const TASK = 40;
/** A timer that is later than these milliseconds shows that the page was frozen or the machine slept. */
const SLEPT = 2000;

interface Waiting {
  resolve(): void;
}

let running: RunningSlice | undefined;
let isTaken = false;
const queue: Waiting[] = [];

/**
 * Runs `work` alone on this thread's devices.
 *
 * @throws BackendFault if the device failed, did not answer in time, was lost, or returned numbers that are not finite.
 *   `aborted` if the signal fired. Any other error of `work` is passed on.
 */
export async function run<T>(
  work: (slice: Slice) => Promise<T>,
  { deadline, signal, onFault }: RunOptions = {},
): Promise<T> {
  throwIfAborted(signal);
  const began = performance.now();
  if (isTaken) await acquire(signal, deadline === undefined ? undefined : deadline / 2);
  isTaken = true;
  const slice = new RunningSlice(deadline, signal);
  return abortable(slice.execute(work, (performance.now() - began) / 1000, onFault), signal);
}

/** Waits until nothing else runs. A slice that takes `patience` seconds is abandoned, and this call is the next. */
async function acquire(signal?: AbortSignal, patience?: number): Promise<void> {
  let clear = () => {};
  let abort = () => {};
  try {
    await new Promise<void>((resolve, reject) => {
      const own: Waiting = { resolve };
      queue.push(own);
      /** @returns Whether this call was still waiting. */
      const leave = (): boolean => queue.includes(own) && queue.splice(queue.indexOf(own), 1).length > 0;
      abort = () => {
        if (leave()) reject(abortedError());
      };
      signal?.addEventListener('abort', abort, { once: true });
      if (patience === undefined) return;
      clear = awakeTimer(patience, function evict() {
        const left = patience - (running?.seconds() ?? 0);
        clear = awakeTimer(left > 0 ? left : patience, evict);
        if (left > 0 || !leave()) return;
        queue.unshift(own);
        running?.abandon(patience);
      });
    });
  } finally {
    clear();
    signal?.removeEventListener('abort', abort);
  }
}

/**
 * Restarts once if it fires late, because the page or the machine has slept, and the device with it.
 *
 * @returns Cancels it.
 */
function awakeTimer(seconds: number, done: () => void): () => void {
  const due = performance.now() + 1000 * seconds;
  let timer = setTimeout(() => {
    if (performance.now() < due + SLEPT) done();
    else timer = setTimeout(done, 1000 * seconds);
  }, 1000 * seconds);
  return () => clearTimeout(timer);
}

function release(): void {
  running = undefined;
  const next = queue.shift();
  if (next) next.resolve();
  else isTaken = false;
}

class RunningSlice implements Slice {
  /** The caller's. */
  readonly #signal: AbortSignal | undefined;
  /** Created on demand, because most work never reads it. */
  #end: AbortController | undefined;
  #isOver = false;
  readonly #deadline: number | undefined;
  #device: Device | undefined;
  /** The backend that is starting. */
  #starting: BackendName | undefined;
  #clear = () => {};
  #stopListening = () => {};
  #fail: (fault: RecommenderError) => void = () => {};
  readonly #failed: Promise<never>;
  #resumed = performance.now();

  /** @param deadline Seconds for each slice. */
  constructor(deadline: number | undefined, signal: AbortSignal | undefined) {
    this.#deadline = deadline;
    this.#signal = signal;
    this.#failed = new Promise((_, reject) => {
      this.#fail = (fault) => {
        this.#finish();
        reject(fault);
      };
    });
    this.#failed.catch(() => {}); // nothing listens after the work has ended
  }

  get signal(): AbortSignal {
    if (!this.#end) {
      this.#end = new AbortController();
      if (this.#isOver || this.#signal?.aborted) this.#abort();
      else this.#signal?.addEventListener('abort', this.#abort, { once: true });
    }
    return this.#end.signal;
  }
  readonly #abort = () => this.#end!.abort();

  /** Remaining work must not change anything or begin another slice. */
  #finish(): void {
    this.#isOver = true;
    this.#end?.abort();
  }

  #assertGoing(): void {
    if (this.#isOver) throw abortedError();
    throwIfAborted(this.#signal);
  }

  /** @param waited Seconds that the call has waited, which count towards its first slice. */
  async execute<T>(
    work: (slice: Slice) => Promise<T>,
    waited: number,
    onFault: RunOptions['onFault'] = () => {},
  ): Promise<T> {
    this.#resume(waited);
    try {
      this.#assertGoing();
      const result = await Promise.race([work(this), this.#failed]);
      const gone = this.#gone();
      if (gone) throw gone;
      return result;
    } catch (error) {
      const reason = await this.#blame(error);
      if (reason instanceof BackendFault) onFault(reason);
      throw reason;
    } finally {
      this.#finish();
      this.#pause();
      if (this.#end) this.#signal?.removeEventListener('abort', this.#abort);
      release();
    }
  }

  async start(name: BackendName, options: BackendOptions = {}): Promise<RunningDevice> {
    this.#starting = name;
    const running = runningDevice(name);
    if (running && deviceLossOf(running)) stopDevice(running); // another user may still hold it
    try {
      return this.#bind(await startBackend(name, { ...options, signal: this.signal }));
    } finally {
      this.#starting = undefined;
    }
  }

  async use(device: Device): Promise<void> {
    const gone = goneFault(device);
    if (gone) throw gone;
    await runningDevice(device.name)!.activate();
    this.#bind(device);
  }

  async yield(until?: Promise<unknown>): Promise<void> {
    this.#assertGoing();
    if (!until && queue.length === 0 && performance.now() - this.#resumed < TASK) return this.#renew();
    this.#pause();
    release();
    try {
      await (until ?? new Promise((resolve) => setTimeout(resolve)));
    } finally {
      if (isTaken) await acquire();
      isTaken = true;
      this.#resume();
    }
    this.#assertGoing();
    if (this.#device) await this.use(this.#device);
  }

  /** How long it has run. */
  seconds(): number {
    return (performance.now() - this.#resumed) / 1000;
  }

  /** Ends the slice: `seconds` were too long for it. */
  abandon(seconds: number): void {
    const name = this.#starting ?? this.#device?.name;
    const within = `within ${+seconds.toFixed(1)} s`;
    if (name === undefined) {
      this.#fail(new RecommenderError('timeout', `The work did not answer ${within}.`));
      return;
    }
    const instance = this.#starting ? undefined : this.#device?.instance;
    const message = `The backend "${name}" did not answer ${within}.`;
    const fault = new BackendFault('timeout', name, message, { instance, isGone: true });
    if (instance) {
      giveUp(instance, fault);
      stopDevice({ name, instance });
    }
    this.#fail(fault);
  }

  #bind<D extends Device>(device: D): D {
    this.#stopListening();
    this.#device = device;
    this.#stopListening = onLost(device, (fault) => this.#fail(fault));
    return device;
  }

  #gone(): BackendFault | undefined {
    return this.#device && goneFault(this.#device);
  }

  /** Converts an error to a fault if a lost device or numbers that are not finite are the reason. */
  async #blame(error: unknown): Promise<unknown> {
    const device = this.#device;
    if (!device || (error instanceof BackendFault && error.isGone)) return error;
    if (error instanceof RecommenderError && error.code === 'aborted') return error;
    await lossReported(device);
    // What failed with a reason of its own may have stopped the backend, which is then no reason. Another backend's fault is
    // none: where its own is gone, work goes astray.
    const isOwn = error instanceof BackendFault ? error.backend === device.name : error instanceof RecommenderError;
    const gone = isOwn ? deviceLossOf(device) : goneFault(device);
    if (gone) return gone;
    if (error instanceof RecommenderError && error.code === 'not-finite' && !(error instanceof BackendFault)) {
      const { name, instance } = device;
      return new BackendFault('not-finite', name, error.message, { cause: error, instance });
    }
    return error;
  }

  #resume(waited = 0): void {
    running = this;
    this.#resumed = performance.now();
    this.#renew(this.#deadline && Math.min(waited, this.#deadline / 2));
    if (this.#device) this.#bind(this.#device);
  }

  #pause(): void {
    this.#clear();
    this.#stopListening();
  }

  #renew(waited = 0): void {
    const deadline = this.#deadline;
    if (deadline === undefined) return;
    this.#clear();
    this.#clear = awakeTimer(deadline - waited, () => this.abandon(deadline));
  }
}

/**
 * Reads and frees a tensor.
 *
 * @throws RecommenderError `not-finite`, which inside `run` becomes a `BackendFault`.
 */
export async function readFinite(tensor: Tensor): Promise<Float32Array> {
  try {
    const values = (await tensor.data()) as Float32Array;
    const wrong = values.find((value) => value - value !== 0);
    if (wrong === undefined) return values;
    throw new RecommenderError('not-finite', `A computed number is ${wrong}, expected a finite one.`);
  } finally {
    tensor.dispose();
  }
}
