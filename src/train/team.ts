/**
 * Threads that train one model together. Every member holds the whole model and goes through the same batches; each batch is
 * cut into parts whose number does not depend on that of the members, a member differentiates some of them, and all take the
 * same step along
 *
 *     g = Σ_p w_p g_p     in the order of the parts, w_p the share of the batch's targets in part p
 *
 * so that members stay equal bit for bit, and the result is the same for any number of them.
 */
import { RecommenderError } from '../errors';
import type { TrainingPlan } from '../models/model';
import type { TrainingBatch } from './batches';

/** Parts of a batch: more threads than that find nothing to do, and each costs the memory of one more gradient. */
export const PARTS = 4;

/** Numbers of each parameter, by name. */
export type Layout = Readonly<Record<string, number>>;

/** What members share. */
export interface TeamMemory {
  /** How often a member has reached a meeting, and whether the team has ended. */
  readonly control: SharedArrayBuffer;
  /** For each part: its loss, then every gradient, all times the part's weight. */
  readonly parts: SharedArrayBuffer;
  /** For each part and parameter, whether it has a gradient. */
  readonly present: SharedArrayBuffer;
  /** Their sum. */
  readonly sum: SharedArrayBuffer;
  /** Why the team had to end, as UTF-8; zeros where it just came to its end. */
  readonly reason: SharedArrayBuffer;
}

const REASON_BYTES = 2048;

export function teamMemory(layout: Layout): TeamMemory {
  const length = lengthOf(layout);
  return {
    control: new SharedArrayBuffer(8),
    parts: new SharedArrayBuffer(4 * PARTS * length),
    present: new SharedArrayBuffer(PARTS * Object.keys(layout).length),
    sum: new SharedArrayBuffer(4 * length),
    reason: new SharedArrayBuffer(REASON_BYTES),
  };
}

const lengthOf = (layout: Layout): number => Object.values(layout).reduce((sum, size) => sum + size, 1);

/** What one part, or their sum, comes to. */
export interface PartResult {
  readonly loss: number;
  /** By parameter; a parameter that took no part has none. */
  readonly gradients: Readonly<Record<string, Float32Array>>;
}

const ARRIVALS = 0;
const ENDED = 1;

/** One member's view of the team. */
export class Team {
  readonly #control: Int32Array;
  readonly #parts: readonly Float32Array[];
  readonly #present: readonly Uint8Array[];
  readonly #sum: Float32Array;
  readonly #reason: Uint8Array;
  readonly #names: readonly string[];
  /** Where each parameter begins. */
  readonly #offsets: readonly number[];
  #meetings = 0;

  /**
   * @param member From 0.
   * @param members At most `PARTS`.
   */
  constructor(
    memory: TeamMemory,
    readonly layout: Layout,
    readonly member: number,
    readonly members: number,
  ) {
    this.#names = Object.keys(layout);
    const length = lengthOf(layout);
    let next = 1;
    this.#offsets = Object.values(layout).map((size) => {
      next += size;
      return next - size;
    });
    this.#control = new Int32Array(memory.control);
    this.#parts = Array.from({ length: PARTS }, (_, p) => new Float32Array(memory.parts, 4 * p * length, length));
    const count = this.#names.length;
    this.#present = Array.from({ length: PARTS }, (_, p) => new Uint8Array(memory.present, p * count, count));
    this.#sum = new Float32Array(memory.sum);
    this.#reason = new Uint8Array(memory.reason);
  }

  /** The parts that this member differentiates. */
  get own(): readonly number[] {
    return Array.from({ length: PARTS }, (_, p) => p).filter((p) => p % this.members === this.member);
  }

  /** Lays a part's result down for everyone; `undefined` for a part without rows. */
  publish(part: number, result: PartResult | undefined, weight: number): void {
    const values = this.#parts[part]!;
    values.fill(0);
    this.#present[part]!.fill(0);
    if (!result) return;
    values[0] = result.loss * weight;
    this.#names.forEach((name, i) => {
      const gradient = result.gradients[name];
      if (!gradient) return;
      this.#present[part]![i] = 1;
      const from = this.#offsets[i]!;
      for (let k = 0; k < gradient.length; k++) values[from + k] = gradient[k]! * weight;
    });
  }

  /**
   * The sum over all parts; every member adds up its share of the numbers.
   *
   * @throws RecommenderError `aborted` if the team has ended, `engine-lost` with the reason if it had to.
   */
  sum(): PartResult {
    this.#meet();
    const sum = this.#sum;
    const share = Math.ceil(sum.length / this.members);
    const end = Math.min(sum.length, (this.member + 1) * share);
    for (let k = this.member * share; k < end; k++) {
      let total = 0;
      for (const part of this.#parts) total += part[k]!;
      sum[k] = total;
    }
    this.#meet();
    const gradients: Record<string, Float32Array> = {};
    this.#names.forEach((name, i) => {
      if (!this.#present.some((present) => present[i] === 1)) return;
      const from = this.#offsets[i]!;
      gradients[name] = sum.slice(from, from + this.layout[name]!); // of its own: a step writes to its arrays
    });
    return { loss: sum[0]!, gradients };
  }

  /** Waits until every member is here. */
  #meet(): void {
    const all = ++this.#meetings * this.members;
    Atomics.add(this.#control, ARRIVALS, 1);
    Atomics.notify(this.#control, ARRIVALS);
    for (;;) {
      const arrived = Atomics.load(this.#control, ARRIVALS);
      if (Atomics.load(this.#control, ENDED) !== 0) {
        const reason = new TextDecoder().decode(this.#reason.slice()).replace(/\0+$/, '');
        if (reason !== '') throw new RecommenderError('engine-lost', `A thread of the training failed: ${reason}`);
        throw new RecommenderError('aborted', 'The threads that train together were ended.');
      }
      if (arrived >= all) return;
      Atomics.wait(this.#control, ARRIVALS, arrived);
    }
  }

  /** Ends the team: whoever waits, or comes to wait, stops there, and is told the reason where there is one. */
  end(reason = ''): void {
    this.#reason.set(new TextEncoder().encode(reason).subarray(0, REASON_BYTES));
    Atomics.store(this.#control, ENDED, 1);
    Atomics.add(this.#control, ARRIVALS, 1); // so that nobody falls asleep on the number before
    Atomics.notify(this.#control, ARRIVALS);
  }
}

/**
 * Why a training cannot be cut into parts; undefined where it can: rows of their own, and a loss that is a mean over targets
 * each of which is compared with items that do not depend on the rest of the batch.
 */
export function whyNotInParts({ rows, objective, optimiser }: TrainingPlan): string | undefined {
  const { negatives, contrastive, replaced, reduction } = objective;
  if (rows.kind === 'session-parallel') return 'its rows carry a state from step to step';
  if (contrastive && contrastive.weight > 0) return 'its contrastive loss compares all sessions of a batch';
  if (negatives.kind === 'shared' && negatives.inBatch) return "a batch's targets are each other's negatives";
  if (replaced) return 'replaced clicks are drawn from the whole batch';
  if (reduction !== 'mean') return 'its loss is no mean over targets';
  if (optimiser.touchedRows && negatives.kind !== 'catalogue') return 'its steps touch a few rows of the tables only';
  return undefined;
}

/**
 * A batch of sessions cut by rows; `undefined` for a part without any. Sessions of like length stand together, which saves
 * padding, and each part has about as many targets as the others, so that threads wait little for each other.
 */
export function partsOf(batch: TrainingBatch): (TrainingBatch | undefined)[] {
  if (batch.input.kind !== 'sessions') throw new RangeError('partsOf: expected a batch of sessions.');
  const { sessions } = batch.input;
  const { row, click } = batch.origin!;
  const targets = new Int32Array(sessions.length);
  for (const r of row) targets[r]!++;
  const lengthOf = (r: number): number => sessions[r]!.items.length;
  const order = Int32Array.from(targets.keys()).sort((a, b) => lengthOf(a) - lengthOf(b) || a - b);
  const partOf = new Int32Array(sessions.length);
  const rows: number[][] = Array.from({ length: PARTS }, () => []);
  const place = new Int32Array(sessions.length); // of each row in its part
  let before = 0;
  for (const r of order) {
    // By the middle of its targets, so that a long session goes where most of it lies.
    const part = Math.min(PARTS - 1, Math.floor((PARTS * (before + targets[r]! / 2)) / row.length));
    before += targets[r]!;
    partOf[r] = part;
    place[r] = rows[part]!.push(r) - 1;
  }
  return rows.map((own, part) => {
    const kept = Int32Array.from(row.keys()).filter((m) => partOf[row[m]!] === part);
    if (kept.length === 0) return undefined;
    return {
      input: { kind: 'sessions', sessions: own.map((r) => sessions[r]!) },
      targets: kept.map((m) => batch.targets[m]!),
      origin: { row: kept.map((m) => place[row[m]!]!), click: kept.map((m) => click[m]!) },
      ...(batch.sources && { sources: Int32Array.from(own, (r) => batch.sources![r]!) }),
      ...(batch.hidden && { hidden: own.map((r) => batch.hidden![r]!) }),
    };
  });
}
