/** Which rows a training step sees, one scheme for each kind of `TrainingRows`. Plain arrays, no tensors. */
import type { HiddenClicks, MaskingSpec, TrainingRows } from '../models/model';
import { drawHidden } from '../objectives/masking';
import { earlierSessions } from '../session/earlier';
import { sessionInput } from '../session/event-log';
import { type Random, random } from '../session/random';
import type { SessionInput, Sessions } from '../types';

/** What a step reads and what it must predict. */
export interface TrainingBatch {
  /** One click of each running session, or whole sessions. */
  readonly input:
    | {
        readonly kind: 'clicks';
        /** `[B]` item indices. */
        readonly items: Int32Array;
        /** For each row, the row of the batch before whose state it carries on; −1 for a session that starts here. */
        readonly carriedFrom: Int32Array;
        /** Of each row, the clicks of its session up to this one; only some models ask. */
        readonly past: () => readonly SessionInput[];
      }
    | { readonly kind: 'sessions'; readonly sessions: readonly SessionInput[] };
  /** `[M]` item indices to predict. */
  readonly targets: Int32Array;
  /** For sessions: which session of the batch each target belongs to, and after which of its clicks (0-based). */
  readonly origin?: { readonly row: Int32Array; readonly click: Int32Array };
  /** For sessions: the number in the log of each session of the batch. */
  readonly sources?: Int32Array;
  /** For `masked` rows: what is hidden of each session. */
  readonly hidden?: readonly HiddenClicks[];
}

export interface EpochOptions {
  readonly batchSize: number;
  /** Session-parallel epochs end when fewer rows are left: 2 where the other rows are the only negatives. */
  readonly fewestRows: number;
  readonly seed: number;
  readonly epoch: number;
  /** The first session that is learnt from; those before it are known, as the earlier ones of a visitor. Default 0. */
  readonly first?: number;
}

/** The batches of an epoch. */
export interface EpochBatches extends Iterable<TrainingBatch> {
  /** How many there are; no batch is assembled for it. */
  readonly count: number;
}

/** The batches of one epoch: always the same ones for the same arguments, so that a resumed epoch can skip ahead. */
export function epochBatches(
  rows: TrainingRows,
  sessions: Sessions,
  { batchSize, fewestRows, seed, epoch, first = 0 }: EpochOptions,
): EpochBatches {
  const generator = () => random(seed, 'order', epoch);
  const chosen = trainable(sessions, first);
  switch (rows.kind) {
    case 'session-parallel':
      return sessionParallel(sessions, batchSize, fewestRows, first);
    case 'sequences': {
      const examples = wholeSessions(sessions, chosen, rows.maxLength);
      const assembler = () => assemble(sessions, true);
      if (rows.sameLength) return byLength(examples, seenAndPredicted, assembler, rows.sameLength.clicks, generator);
      const draw = rows.sampling === 'shuffle' ? shuffled : withReplacement;
      return draw(examples, assembler, batchSize, generator);
    }
    case 'prefixes': {
      const examples = prefixes(sessions, chosen, rows.maxLength);
      const assembler = () => assemble(sessions, false);
      if (rows.sameLength) return byLength(examples, seenOnly, assembler, rows.sameLength.clicks, generator);
      return shuffled(examples, assembler, batchSize, generator);
    }
    case 'masked': {
      const examples = entireSessions(sessions, chosen, rows.maxLength, rows.prefixes);
      const assembler = () => hideClicks(sessions, rows.masking, random(seed, 'hidden', epoch));
      if (rows.sameLength) return byLength(examples, seenAndPredicted, assembler, rows.sameLength.clicks, generator);
      return shuffled(examples, assembler, batchSize, generator);
    }
    case 'windows': {
      const assembler = () => assemble(sessions, false, rows.earlier);
      return shuffled(windows(sessions, chosen, rows), assembler, batchSize, generator);
    }
  }
}

/** Session s has clicks `offsets[s]` … `offsets[s + 1] − 1`. */
const lengthOf = ({ offsets }: Sessions, s: number): number => offsets[s + 1]! - offsets[s]!;

/** Sessions from `first` on that hold at least one (click, next click) pair. */
function trainable(sessions: Sessions, first: number): Int32Array {
  const count = sessions.offsets.length - 1 - first;
  return Int32Array.from({ length: count }, (_, i) => first + i).filter((s) => lengthOf(sessions, s) >= 2);
}

/**
 * Session-parallel batches of GRU4Rec (Hidasi et al., ICLR 2016, Figure 2): `batchSize` sessions run side by side, a
 * finished session's row is taken over by the next session, and once none is left the row goes and the rest close up.
 */
function sessionParallel(sessions: Sessions, batchSize: number, fewestRows: number, first: number): EpochBatches {
  const steps = () => runningSessions(sessions, batchSize, fewestRows, first);
  return {
    get count() {
      let count = 0;
      for (const _ of steps()) count++;
      return count;
    },
    *[Symbol.iterator]() {
      const { items } = sessions;
      for (const rows of steps()) {
        yield {
          input: {
            kind: 'clicks',
            items: Int32Array.from(rows, ({ at }) => items[at]!),
            carriedFrom: Int32Array.from(rows, ({ carriedFrom }) => carriedFrom),
            past: () => rows.map(({ start, at }) => ({ items: items.subarray(start, at + 1) })),
          },
          targets: Int32Array.from(rows, ({ at }) => items[at + 1]!),
        };
      }
    },
  };
}

/** The rows of each step of such an epoch. */
function* runningSessions(
  { offsets }: Sessions,
  batchSize: number,
  fewestRows: number,
  first: number,
): Generator<readonly RunningSession[]> {
  const count = offsets.length - 1;
  let next = first;
  const start = (): RunningSession => {
    const s = next++;
    return { start: offsets[s]!, at: offsets[s]!, last: offsets[s + 1]! - 1, carriedFrom: -1 };
  };
  const isFinished = ({ at, last }: RunningSession): boolean => at >= last;
  // As in the official code a session of one event takes a row too, and hands it on before the next step.
  const refill = (rows: RunningSession[]): RunningSession[] => {
    let running = rows;
    while (running.some(isFinished)) {
      running = running.flatMap((row) => (isFinished(row) ? (next < count ? [start()] : []) : [row]));
    }
    return running;
  };
  let rows = refill(Array.from({ length: Math.min(batchSize, count - first) }, start));
  while (rows.length >= fewestRows) {
    yield rows;
    rows = refill(rows.map(({ start, at, last }, carriedFrom) => ({ start, at: at + 1, last, carriedFrom })));
  }
}

/** A row of a session-parallel batch: its session's first event, that under its cursor, the last, where its state lies. */
interface RunningSession {
  readonly start: number;
  readonly at: number;
  readonly last: number;
  readonly carriedFrom: number;
}

/** Part of session `source` to learn from: the clicks `from` … `firstTarget` − 1 are seen, `firstTarget` … `end` − 1 predicted. */
interface Example {
  readonly source: number;
  readonly from: number;
  readonly firstTarget: number;
  readonly end: number;
}

/** How many clicks a step reads of an example whose clicks predict each other, and of one that is a prefix. */
const seenAndPredicted = ({ firstTarget, end }: Example): number => end - firstTarget;
const seenOnly = ({ from, firstTarget }: Example): number => firstTarget - from;

/** Makes batches of examples. A new one for each pass: it may draw. */
type Assembler = () => (chosen: readonly Example[]) => TrainingBatch;

/** Whole sessions or their parts, shuffled, as batches. */
function shuffled(
  examples: readonly Example[],
  assembler: Assembler,
  batchSize: number,
  generator: () => Random,
): EpochBatches {
  return {
    count: Math.ceil(examples.length / batchSize),
    *[Symbol.iterator]() {
      const toBatch = assembler();
      const order = generator().shuffle(Int32Array.from(examples, (_, i) => i));
      for (let b = 0; b < order.length; b += batchSize) {
        yield toBatch(Array.from(order.subarray(b, b + batchSize), (i) => examples[i]!));
      }
    },
  };
}

/**
 * Sessions of one length together, as many as hold that number of clicks, at least one; lengths come in any order. Short
 * sessions, the most, so make small batches without any padding: several times more steps from the same work.
 */
function byLength(
  examples: readonly Example[],
  countClicks: (example: Example) => number,
  assembler: Assembler,
  clicks: number,
  generator: () => Random,
): EpochBatches {
  const groups = new Map<number, number[]>();
  examples.forEach((example, i) => {
    const length = countClicks(example);
    const group = groups.get(length);
    if (group) group.push(i);
    else groups.set(length, [i]);
  });
  const sizeOf = (length: number) => Math.max(1, Math.floor(clicks / length));
  return {
    count: [...groups].reduce((sum, [length, group]) => sum + Math.ceil(group.length / sizeOf(length)), 0),
    *[Symbol.iterator]() {
      const toBatch = assembler();
      const { shuffle } = generator();
      const batches: Int32Array[] = [];
      for (const [length, group] of groups) {
        const order = shuffle(Int32Array.from(group));
        const size = sizeOf(length);
        for (let b = 0; b < order.length; b += size) batches.push(order.subarray(b, b + size));
      }
      for (const b of shuffle(Int32Array.from(batches, (_, b) => b))) {
        yield toBatch(Array.from(batches[b]!, (i) => examples[i]!));
      }
    },
  };
}

/** The official SASRec draws ⌊sessions / batchSize⌋ batches an epoch, sessions with replacement. */
function withReplacement(
  examples: readonly Example[],
  assembler: Assembler,
  batchSize: number,
  generator: () => Random,
): EpochBatches {
  const count = examples.length === 0 ? 0 : Math.max(1, Math.floor(examples.length / batchSize));
  return {
    count,
    *[Symbol.iterator]() {
      const toBatch = assembler();
      const { integer } = generator();
      for (let b = 0; b < count; b++) {
        yield toBatch(Array.from({ length: batchSize }, () => examples[integer(examples.length)]!));
      }
    },
  };
}

/** One example a session; every click but the last is seen, and predicts the one after it. */
function wholeSessions(sessions: Sessions, chosen: Int32Array, maxLength: number): Example[] {
  return Array.from(chosen, (s) => {
    const end = sessions.offsets[s + 1]!;
    const from = Math.max(sessions.offsets[s]!, end - 1 - maxLength);
    return { source: s, from, firstTarget: from + 1, end };
  });
}

/** One example a session, or a prefix of one, whose last clicks are seen and predicted. */
function entireSessions(sessions: Sessions, chosen: Int32Array, maxLength: number, withPrefixes = false): Example[] {
  const examples: Example[] = [];
  for (const s of chosen) {
    const start = sessions.offsets[s]!;
    const last = sessions.offsets[s + 1]!;
    for (let end = withPrefixes ? start + 2 : last; end <= last; end++) {
      const from = Math.max(start, end - maxLength);
      examples.push({ source: s, from, firstTarget: from, end });
    }
  }
  return examples;
}

/** Every prefix of every session with the click after it. */
function prefixes(sessions: Sessions, chosen: Int32Array, maxLength: number): Example[] {
  const examples: Example[] = [];
  for (const s of chosen) {
    const start = sessions.offsets[s]!;
    for (let target = start + 1; target < sessions.offsets[s + 1]!; target++) {
      examples.push({ source: s, from: Math.max(start, target - maxLength), firstTarget: target, end: target + 1 });
    }
  }
  return examples;
}

/**
 * Caser's instances: a window of `length + targets` clicks slid over the session from its end, step 1; a session that
 * is shorter gives one, of which nothing is seen where it has no more clicks than targets. `partial` windows go on until
 * one click is seen, and always show that. What is seen reaches back to the session's start, for models with a profile;
 * the architecture keeps the last `length` clicks of it.
 */
function windows(
  sessions: Sessions,
  chosen: Int32Array,
  { length, targets, partial = false }: Extract<TrainingRows, { kind: 'windows' }>,
): Example[] {
  const examples: Example[] = [];
  for (const s of chosen) {
    const start = sessions.offsets[s]!;
    const last = sessions.offsets[s + 1]!;
    const shortest = (partial ? 1 : length) + targets;
    const earliest = start + (partial ? 1 : 0);
    for (let end = last; end === last || end >= start + shortest; end--) {
      examples.push({ source: s, from: start, firstTarget: Math.max(earliest, end - targets), end });
    }
  }
  return examples;
}

/** Assembles a batch of sessions that predict some of their own clicks; each target is read where the masking says. */
const hideClicks =
  (sessions: Sessions, masking: MaskingSpec, generator: Random) =>
  (chosen: readonly Example[]): TrainingBatch => {
    const hidden = chosen.map(({ from, end }) => drawHidden(masking, end - from, generator));
    const back = masking.kind === 'next' ? 1 : 0;
    const targets: number[] = [];
    const row: number[] = [];
    const click: number[] = [];
    const inputs = chosen.map(({ source, from, end }, b): SessionInput => {
      hidden[b]!.targets.forEach((isTarget, t) => {
        if (!isTarget) return;
        targets.push(sessions.items[from + t]!);
        row.push(b);
        click.push(t - back);
      });
      return sessionInput(sessions, source, from, end);
    });
    return {
      input: { kind: 'sessions', sessions: inputs },
      targets: Int32Array.from(targets),
      origin: { row: Int32Array.from(row), click: Int32Array.from(click) },
      sources: Int32Array.from(chosen, ({ source }) => source),
      hidden,
    };
  };

/**
 * Assembles a batch. With `everyClick` the target i is predicted after click i − 1, else after the last click seen.
 *
 * @param most How many earlier sessions of the same visitor go along.
 */
function assemble(sessions: Sessions, everyClick: boolean, most = 0): (chosen: readonly Example[]) => TrainingBatch {
  const earlierOf = earlierSessions(sessions, most);
  return (chosen) => {
    const count = chosen.reduce((sum, { firstTarget, end }) => sum + end - firstTarget, 0);
    const targets = new Int32Array(count);
    const row = new Int32Array(count);
    const click = new Int32Array(count);
    const inputs: SessionInput[] = [];
    let m = 0;
    chosen.forEach(({ source, from, firstTarget, end }, b) => {
      inputs.push({
        ...sessionInput(sessions, source, from, everyClick ? end - 1 : firstTarget),
        ...(earlierOf && { earlier: earlierOf(source) }),
      });
      for (let i = firstTarget; i < end; i++, m++) {
        targets[m] = sessions.items[i]!;
        row[m] = b;
        click[m] = (everyClick ? i : firstTarget) - 1 - from;
      }
    });
    const sources = Int32Array.from(chosen, ({ source }) => source);
    return { input: { kind: 'sessions', sessions: inputs }, targets, origin: { row, click }, sources };
  };
}
