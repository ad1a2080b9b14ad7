/**
 * Data-parallel training: threads that train one model together. Every thread holds the whole model and goes through the same
 * batches. Each batch is cut into shards whose number does not depend on that of the threads; a thread differentiates some of
 * them, and all take the same step along
 *
 *     g = Σ_s w_s g_s     in the order of the shards, w_s the share of the batch's targets in shard s
 *
 * so that the threads' models stay equal bit for bit, and the result is the same for any number of threads.
 */
import { RecommenderError } from '../errors';
import type { Training } from '../models/training';

/** Shards of a batch: more threads than that find nothing to do, and each costs the memory of one more gradient. */
export const SHARDS = 4;

/** Numbers of each parameter, by name. */
export type Layout = Readonly<Record<string, number>>;

/** What threads share. */
export interface SharedMemory {
  /** How often a thread has reached a barrier, and whether the training has ended. */
  readonly control: SharedArrayBuffer;
  /** For each shard: its loss, then every gradient, all times the shard's weight. */
  readonly shards: SharedArrayBuffer;
  /** For each shard and parameter, whether it has a gradient. */
  readonly present: SharedArrayBuffer;
  /** Their sum. */
  readonly sum: SharedArrayBuffer;
  /** Why the training had to end, as UTF-8; zeros where it just came to its end. */
  readonly reason: SharedArrayBuffer;
}

const REASON_BYTES = 2048;

export function sharedMemory(layout: Layout): SharedMemory {
  const length = lengthOf(layout);
  return {
    control: new SharedArrayBuffer(8),
    shards: new SharedArrayBuffer(4 * SHARDS * length),
    present: new SharedArrayBuffer(SHARDS * Object.keys(layout).length),
    sum: new SharedArrayBuffer(4 * length),
    reason: new SharedArrayBuffer(REASON_BYTES),
  };
}

const lengthOf = (layout: Layout): number => Object.values(layout).reduce((sum, size) => sum + size, 1);

/** What one shard, or their sum, comes to. */
export interface ShardResult {
  readonly loss: number;
  /** By parameter; a parameter that took no part has none. */
  readonly gradients: Readonly<Record<string, Float32Array>>;
}

const ARRIVALS = 0;
const ENDED = 1;

/** Milliseconds of one wait. Waits are counted, so that a machine that slept has not waited meanwhile. */
const WAIT = 1000;
/** Milliseconds after which a thread that does not come is given up, or so many times the longest step. */
const PATIENCE = 60_000;
const PATIENCE_STEPS = 10;

/** One thread's view of a data-parallel training. */
export class DataParallel {
  readonly #control: Int32Array;
  readonly #shards: readonly Float32Array[];
  readonly #present: readonly Uint8Array[];
  readonly #sum: Float32Array;
  readonly #reason: Uint8Array;
  readonly #names: readonly string[];
  /** Where each parameter begins. */
  readonly #offsets: readonly number[];
  #barriers = 0;
  /** Milliseconds. */
  #longestStep = 0;

  /**
   * @param thread From 0.
   * @param threads At most `SHARDS`.
   * @param wait `Atomics.wait`, for tests.
   */
  constructor(
    memory: SharedMemory,
    readonly layout: Layout,
    readonly thread: number,
    readonly threads: number,
    readonly wait = Atomics.wait,
  ) {
    this.#names = Object.keys(layout);
    const length = lengthOf(layout);
    let next = 1;
    this.#offsets = Object.values(layout).map((size) => {
      next += size;
      return next - size;
    });
    this.#control = new Int32Array(memory.control);
    this.#shards = Array.from({ length: SHARDS }, (_, p) => new Float32Array(memory.shards, 4 * p * length, length));
    const count = this.#names.length;
    this.#present = Array.from({ length: SHARDS }, (_, p) => new Uint8Array(memory.present, p * count, count));
    this.#sum = new Float32Array(memory.sum);
    this.#reason = new Uint8Array(memory.reason);
  }

  /** The shards that this thread differentiates. */
  get own(): readonly number[] {
    return Array.from({ length: SHARDS }, (_, p) => p).filter((p) => p % this.threads === this.thread);
  }

  /** Shares a shard's result with all threads; `undefined` for a shard without rows. */
  publish(shard: number, result: ShardResult | undefined, weight: number): void {
    const values = this.#shards[shard]!;
    values.fill(0);
    this.#present[shard]!.fill(0);
    if (!result) return;
    values[0] = result.loss * weight;
    this.#names.forEach((name, i) => {
      const gradient = result.gradients[name];
      if (!gradient) return;
      this.#present[shard]![i] = 1;
      const from = this.#offsets[i]!;
      for (let k = 0; k < gradient.length; k++) values[from + k] = gradient[k]! * weight;
    });
  }

  /**
   * The sum over all shards; every thread adds up its share of the numbers.
   *
   * @param took Milliseconds that this thread has needed for its shards.
   * @throws RecommenderError `aborted` if the training has ended, `engine-lost` with the reason if it had to, or, in the first thread,
   *   if another one does not answer.
   */
  allReduce(took = 0): ShardResult {
    this.#longestStep = Math.max(this.#longestStep, took);
    this.#barrier();
    const sum = this.#sum;
    const share = Math.ceil(sum.length / this.threads);
    const end = Math.min(sum.length, (this.thread + 1) * share);
    for (let k = this.thread * share; k < end; k++) {
      let total = 0;
      for (const shard of this.#shards) total += shard[k]!;
      sum[k] = total;
    }
    this.#barrier();
    const gradients: Record<string, Float32Array> = {};
    this.#names.forEach((name, i) => {
      if (!this.#present.some((present) => present[i] === 1)) return;
      const from = this.#offsets[i]!;
      gradients[name] = sum.slice(from, from + this.layout[name]!); // of its own: a step writes to its arrays
    });
    return { loss: sum[0]!, gradients };
  }

  /** Waits until every thread is here. */
  #barrier(): void {
    const all = ++this.#barriers * this.threads;
    Atomics.add(this.#control, ARRIVALS, 1);
    Atomics.notify(this.#control, ARRIVALS);
    const patience = Math.max(PATIENCE, PATIENCE_STEPS * this.#longestStep);
    for (let waited = 0; ; ) {
      const arrived = Atomics.load(this.#control, ARRIVALS);
      if (Atomics.load(this.#control, ENDED) !== 0) {
        const reason = new TextDecoder().decode(this.#reason.slice()).replace(/\0+$/, '');
        if (reason !== '') throw new RecommenderError('engine-lost', `A thread of the training failed: ${reason}`);
        throw new RecommenderError('aborted', 'The threads that train together were ended.');
      }
      if (arrived >= all) return;
      if (this.wait(this.#control, ARRIVALS, arrived, WAIT) === 'timed-out') waited += WAIT;
      // The first thread validates between two steps, as long as that takes: only the others owe it an answer.
      if (this.thread > 0 || waited <= patience) continue;
      throw new RecommenderError(
        'engine-lost',
        `A thread of the training has not answered for ${waited / WAIT} seconds; its memory may be full. ` +
          'Use fewer `threads`; `resume` goes on after the last epoch that has ended.',
      );
    }
  }

  /** Ends the training: rejects all current and future waits with `reason`. */
  end(reason = ''): void {
    this.#reason.set(new TextEncoder().encode(reason).subarray(0, REASON_BYTES));
    Atomics.store(this.#control, ENDED, 1);
    Atomics.add(this.#control, ARRIVALS, 1); // so that no thread starts to wait for the old number
    Atomics.notify(this.#control, ARRIVALS);
  }
}

/** The rows of a batch in shards: rows of like length are together, and each shard has about as many targets as the others. */
export function shardsOf<R>(
  rows: readonly R[],
  sizeOf: (row: R) => { readonly clicks: number; readonly targets: number },
): readonly (readonly R[])[] {
  const sized = rows.map((row, at) => ({ row, at, ...sizeOf(row) })).sort((a, b) => a.clicks - b.clicks || a.at - b.at);
  const all = sized.reduce((sum, { targets }) => sum + targets, 0);
  const shards: R[][] = Array.from({ length: SHARDS }, () => []);
  let before = 0;
  for (const { row, targets } of sized) {
    // By the middle of its targets, so that a long session goes where most of it lies.
    shards[Math.min(SHARDS - 1, Math.floor((SHARDS * (before + targets / 2)) / all))]!.push(row);
    before += targets;
  }
  return shards;
}

/** Why threads cannot share the steps of a training, in words; undefined where they can. */
export function whyIndivisible<C>(training: Training<C>, config: C): string | undefined {
  const why = training.indivisible?.(config);
  if (why !== undefined) return why;
  return training.plan(config).optimiser.touchedRows ? 'its steps touch a few rows of the tables only' : undefined;
}
