import { describe, expect, test } from 'vitest';
import type { TrainingRows } from '../../src/models/model';
import { random } from '../../src/session/random';
import { type EpochOptions, epochBatches, type TrainingBatch } from '../../src/train/batches';
import type { Sessions } from '../../src/types';
import { logOf } from './helpers';

const batchesOf = (rows: TrainingRows, sessions: Sessions, over: Partial<EpochOptions> = {}): TrainingBatch[] => [
  ...epochBatches(rows, sessions, { batchSize: 2, fewestRows: 1, seed: 1, epoch: 0, ...over }),
];

/** Sessions of random items and lengths 1 … 7. */
function randomLog(count: number, seed: number): Sessions {
  const { integer } = random(seed, 'log');
  return logOf(Array.from({ length: count }, () => Array.from({ length: 1 + integer(7) }, () => 1 + integer(9))));
}

const transitionsOf = ({ items, offsets }: Sessions): string[] => {
  const pairs: string[] = [];
  for (let s = 0; s + 1 < offsets.length; s++) {
    for (let e = offsets[s]! + 1; e < offsets[s + 1]!; e++) pairs.push(`${items[e - 1]}→${items[e]}`);
  }
  return pairs.sort();
};

describe.each<TrainingRows>([
  { kind: 'session-parallel' },
  { kind: 'sequences', maxLength: 4, sampling: 'shuffle' },
  { kind: 'sequences', maxLength: 4, sampling: 'shuffle', sameLength: { clicks: 9 } },
  { kind: 'sequences', maxLength: 4, sampling: 'with-replacement' },
  { kind: 'prefixes', maxLength: 4 },
  { kind: 'prefixes', maxLength: 4, sameLength: { clicks: 9 } },
  { kind: 'masked', maxLength: 4, masking: { kind: 'tokens', probability: 0.5 } },
  { kind: 'masked', maxLength: 4, masking: { kind: 'tokens', probability: 0.5 }, prefixes: true },
  { kind: 'windows', length: 3, targets: 1, partial: true },
])('batches of %j', (rows) => {
  test('are counted without a look at their clicks, whatever there is to learn from', () => {
    for (const [count, batchSize, fewestRows, first] of [
      [60, 7, 1, 0],
      [60, 7, 2, 41],
      [60, 100, 1, 0],
      [3, 2, 1, 2],
    ] as const) {
      const log = randomLog(count, 5);
      const unread: Sessions = {
        ...log,
        get items(): never {
          throw new Error('read to count');
        },
      };
      const options = { batchSize, fewestRows, seed: 3, epoch: 1, first };
      expect(epochBatches(rows, unread, options).count).toBe(batchesOf(rows, log, options).length);
    }
    expect(epochBatches(rows, logOf([[1], [2]]), { batchSize: 2, fewestRows: 1, seed: 1, epoch: 0 }).count).toBe(0);
  });

  test('are the same each time they are gone through', () => {
    const batches = epochBatches(rows, randomLog(60, 5), { batchSize: 7, fewestRows: 1, seed: 3, epoch: 1 });
    const asData = () => JSON.stringify([...batches]);
    expect(asData()).toBe(asData());
  });
});

describe('session-parallel batches', () => {
  const parallel = { kind: 'session-parallel' } as const;
  const [a, b, c, d, e, f, g, h, i, j, k] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] as const;
  const worked = logOf([
    [a, b, c],
    [d, e],
    [f, g, h, i],
    [j, k],
  ]);
  const steps = (sessions: Sessions, over = {}) =>
    batchesOf(parallel, sessions, over).map(({ input, targets }) => {
      if (input.kind !== 'clicks') throw new Error('expected clicks');
      return { in: Array.from(input.items), target: Array.from(targets), from: Array.from(input.carriedFrom) };
    });

  test('run as in the worked example: a row is reset when its session changes, and only then', () => {
    expect(steps(worked)).toEqual([
      { in: [a, d], target: [b, e], from: [-1, -1] },
      { in: [b, f], target: [c, g], from: [0, -1] },
      { in: [j, g], target: [k, h], from: [-1, 1] },
      { in: [h], target: [i], from: [1] },
    ]);
  });

  test('stop early where the other rows are the only negatives', () => {
    expect(steps(worked, { fewestRows: 2 })).toEqual(steps(worked).slice(0, 3));
  });

  test('hand a row on at once where a session has one event', () => {
    expect(steps(logOf([[a], [b, c], [d], [e, f], [g], [h]]))).toEqual([
      { in: [e, b], target: [f, c], from: [-1, -1] },
    ]);
    expect(steps(logOf([[a], [b]]))).toEqual([]);
  });

  test('are as wide as the log has sessions, where the batch size is larger', () => {
    expect(
      steps(
        logOf([
          [a, b],
          [c, d],
        ]),
        { batchSize: 50 },
      ),
    ).toEqual([{ in: [a, c], target: [b, d], from: [-1, -1] }]);
  });

  test('are the same every epoch and for every seed', () => {
    const log = randomLog(40, 2);
    expect(steps(log, { batchSize: 7, epoch: 3, seed: 9 })).toEqual(steps(log, { batchSize: 7 }));
  });

  test.each([1, 2, 5, 16, 64])('hold every transition once, states carried inside a session, batch size %i', (size) => {
    const log = randomLog(60, size);
    const all = steps(log, { batchSize: size });
    expect(all.flatMap((step) => step.in.map((item, row) => `${item}→${step.target[row]}`)).sort()).toEqual(
      transitionsOf(log),
    );
    all.forEach((step, t) => {
      const before = all[t - 1];
      step.from.forEach((from, row) => {
        // A state that goes on was left by the click whose target is this click.
        if (from >= 0) expect(before!.target[from]).toBe(step.in[row]);
      });
      expect(new Set(step.from.filter((from) => from >= 0)).size).toBe(step.from.filter((from) => from >= 0).length);
    });
    const starts = all.flatMap((step) => step.from).filter((from) => from < 0).length;
    const sessions = Array.from(log.offsets.slice(1), (end, s) => end - log.offsets[s]!);
    expect(starts).toBe(sessions.filter((length) => length > 1).length);
  });
});

/** What each target of a batch is predicted from: the clicks of its session up to and with the one it follows. */
function predictions({ input, targets, origin }: TrainingBatch): { seen: number[]; target: number; column: number }[] {
  if (input.kind !== 'sessions') throw new Error('expected sessions');
  return Array.from(targets, (target, m) => {
    const { items } = input.sessions[origin!.row[m]!]!;
    const column = origin!.click[m]!;
    return { seen: Array.from(items).slice(0, column + 1), target, column };
  });
}

const sessionsOf = ({ items, offsets }: Sessions): number[][] =>
  Array.from(offsets.slice(1), (end, s) => Array.from(items.subarray(offsets[s]!, end)));

describe('whole sessions', () => {
  const log = randomLog(50, 4);
  const rows = (maxLength: number, sampling: 'shuffle' | 'with-replacement' = 'shuffle'): TrainingRows => ({
    kind: 'sequences',
    maxLength,
    sampling,
  });

  test('predict every click but the first once an epoch, each after the clicks before it', () => {
    const got = batchesOf(rows(10), log, { batchSize: 8 }).flatMap(predictions);
    const expected = sessionsOf(log).flatMap((session) =>
      session.slice(1).map((target, t) => ({ seen: session.slice(0, t + 1), target, column: t })),
    );
    const sorted = (values: object[]) => values.map((value) => JSON.stringify(value)).sort();
    expect(sorted(got)).toEqual(sorted(expected));
  });

  test('keep the newest clicks of a long session', () => {
    const [batch] = batchesOf(rows(3), logOf([[1, 2, 3, 4, 5, 6]]));
    expect(predictions(batch!)).toEqual([
      { seen: [3], target: 4, column: 0 },
      { seen: [3, 4], target: 5, column: 1 },
      { seen: [3, 4, 5], target: 6, column: 2 },
    ]);
    expect(batch!.input.kind === 'sessions' && Array.from(batch!.input.sessions[0]!.times!)).toEqual([2, 3, 4]);
  });

  test('leave out sessions of one click', () => {
    expect(batchesOf(rows(3), logOf([[1], [2]]))).toEqual([]);
    expect(batchesOf(rows(3), logOf([[1], [2, 3]])).map(({ sources }) => Array.from(sources!))).toEqual([[1]]);
  });

  test('are shuffled anew each epoch, and alike for the same seed and epoch', () => {
    const order = (over: object) =>
      batchesOf(rows(10), log, { batchSize: 8, ...over }).flatMap((batch) => [...batch.sources!]);
    expect(order({})).toEqual(order({}));
    expect(order({ epoch: 1 })).not.toEqual(order({}));
    expect(order({ seed: 2 })).not.toEqual(order({}));
    expect(order({ epoch: 1 }).sort()).toEqual(order({}).sort());
  });

  test('drawn with replacement make ⌊sessions / batch size⌋ full batches, at least one', () => {
    const long = logOf(Array.from({ length: 23 }, (_, s) => [1, 1 + (s % 4)]));
    const batches = batchesOf(rows(5, 'with-replacement'), long, { batchSize: 5 });
    expect(batches.map(({ sources }) => sources!.length)).toEqual([5, 5, 5, 5]);
    expect(new Set(batches.flatMap(({ sources }) => [...sources!])).size).toBeLessThan(20);
    expect(batchesOf(rows(5, 'with-replacement'), long, { batchSize: 64 })).toHaveLength(1);
  });

  test('name the session of the log that each row comes from', () => {
    for (const { input, sources } of batchesOf(rows(10), log, { batchSize: 8 })) {
      if (input.kind !== 'sessions') throw new Error('expected sessions');
      input.sessions.forEach(({ items }, row) => {
        expect(sessionsOf(log)[sources![row]!]!.slice(0, -1)).toEqual(Array.from(items));
      });
    }
  });
});

describe('sessions of one length', () => {
  const log = randomLog(80, 5);
  const rows: TrainingRows = { kind: 'sequences', maxLength: 4, sampling: 'shuffle', sameLength: { clicks: 10 } };
  const lengthsOf = (over = {}) =>
    batchesOf(rows, log, over).map(({ input }) => {
      if (input.kind !== 'sessions') throw new Error('expected sessions');
      return input.sessions.map(({ items }) => items.length);
    });

  test('make each batch, as many as hold the clicks asked for', () => {
    const batches = lengthsOf();
    expect(new Set(batches.flat())).toEqual(new Set([1, 2, 3, 4]));
    for (const [first, ...rest] of batches) {
      expect(rest.every((length) => length === first)).toBe(true);
      expect(rest.length + 1).toBeLessThanOrEqual(Math.floor(10 / first!));
    }
    // Only the last batch of a length may be smaller.
    for (const length of [1, 2, 3, 4]) {
      const sizes = batches.filter(([first]) => first === length).map((batch) => batch.length);
      expect(sizes.filter((size) => size < Math.floor(10 / length)).length).toBeLessThanOrEqual(1);
    }
  });

  test('make batches of masked rows too, whose sessions are whole', () => {
    const masked: TrainingRows = {
      kind: 'masked',
      maxLength: 4,
      masking: { kind: 'next', only: 'all' },
      sameLength: { clicks: 10 },
    };
    const batches = batchesOf(masked, log).map(({ input, hidden }) => {
      if (input.kind !== 'sessions') throw new Error('expected sessions');
      expect(hidden!.map(({ targets }) => targets.length)).toEqual(input.sessions.map(({ items }) => items.length));
      return input.sessions.map(({ items }) => items.length);
    });
    expect(new Set(batches.flat())).toEqual(new Set([2, 3, 4]));
    for (const lengths of batches) {
      expect(new Set(lengths).size).toBe(1);
      expect(lengths.length).toBeLessThanOrEqual(Math.floor(10 / lengths[0]!));
    }
  });

  test('make batches of prefixes too, by what is seen', () => {
    const prefixes: TrainingRows = { kind: 'prefixes', maxLength: 4, sameLength: { clicks: 10 } };
    const seen = (rows: TrainingRows) =>
      batchesOf(rows, log).map(({ input, targets }) => {
        if (input.kind !== 'sessions') throw new Error('expected sessions');
        return input.sessions.map(({ items }, i) => `${Array.from(items)} → ${targets[i]}`);
      });
    for (const batch of seen(prefixes)) {
      const lengths = batch.map((row) => row.split(' ')[0]!.split(',').length);
      expect(new Set(lengths).size).toBe(1);
      expect(lengths.length).toBeLessThanOrEqual(Math.floor(10 / lengths[0]!));
    }
    expect(seen(prefixes).flat().sort()).toEqual(seen({ kind: 'prefixes', maxLength: 4 }).flat().sort());
  });

  test('hold at least one session, however few clicks are asked for', () => {
    const single = batchesOf({ ...rows, sameLength: { clicks: 1 } }, log);
    expect(single.every(({ sources }) => sources!.length === 1)).toBe(true);
  });

  test('come in any order, every session once, anew each epoch and alike for the same one', () => {
    const sources = (over = {}) => batchesOf(rows, log, over).flatMap((batch) => [...batch.sources!]);
    const trainable = sessionsOf(log).flatMap((session, s) => (session.length > 1 ? [s] : []));
    expect(sources().sort((a, b) => a - b)).toEqual(trainable);
    expect(sources()).toEqual(sources());
    expect(sources({ epoch: 1 })).not.toEqual(sources());
    expect(lengthsOf({ epoch: 1 }).length).toBe(lengthsOf().length);
    const lengths = lengthsOf().map(([first]) => first!);
    expect(lengths).not.toEqual([...lengths].sort());
    expect(lengths).not.toEqual([...lengths].sort().reverse());
  });
});

describe('an epoch over the latest sessions', () => {
  const log = randomLog(50, 8);
  const first = 31;
  const late = logOf(sessionsOf(log).slice(first));

  test.each<TrainingRows>([
    { kind: 'session-parallel' },
    { kind: 'sequences', maxLength: 4, sampling: 'shuffle' },
    { kind: 'sequences', maxLength: 4, sampling: 'with-replacement' },
    { kind: 'sequences', maxLength: 4, sampling: 'shuffle', sameLength: { clicks: 10 } },
    { kind: 'prefixes', maxLength: 4 },
    { kind: 'masked', maxLength: 4, masking: { kind: 'next', only: 'all' } },
    { kind: 'windows', length: 3, targets: 1, partial: true },
  ])('has the batches of a log that begins there, by the numbers of the whole one: %o', (rows) => {
    const summary = (batch: TrainingBatch, shift: number) => ({
      items:
        batch.input.kind === 'clicks'
          ? Array.from(batch.input.items)
          : batch.input.sessions.map(({ items }) => Array.from(items)),
      targets: Array.from(batch.targets),
      sources: batch.sources && Array.from(batch.sources, (source) => source + shift),
    });
    const got = batchesOf(rows, log, { batchSize: 4, first }).map((batch) => summary(batch, 0));
    expect(got.length).toBeGreaterThan(2);
    expect(got).toEqual(batchesOf(rows, late, { batchSize: 4 }).map((batch) => summary(batch, first)));
  });
});

describe('prefixes', () => {
  const prefixes = (maxLength: number): TrainingRows => ({ kind: 'prefixes', maxLength });

  test('are every prefix of every session, at most so long, with the click after it', () => {
    const log = randomLog(30, 6);
    const got = batchesOf(prefixes(3), log, { batchSize: 8 }).flatMap(predictions);
    const expected = sessionsOf(log).flatMap((session) =>
      session.slice(1).map((target, t) => {
        const seen = session.slice(0, t + 1).slice(-3);
        return { seen, target, column: seen.length - 1 };
      }),
    );
    const sorted = (values: object[]) => values.map((value) => JSON.stringify(value)).sort();
    expect(sorted(got)).toEqual(sorted(expected));
  });
});

describe('windows', () => {
  const windows = (length: number, targets: number): TrainingRows => ({ kind: 'windows', length, targets });
  const instances = (sessions: number[][], length: number, targets: number) =>
    batchesOf(windows(length, targets), logOf(sessions), { batchSize: 1 })
      .map((batch) => {
        const made = predictions(batch);
        return { seen: made[0]!.seen.slice(-length), targets: made.map(({ target }) => target) };
      })
      .sort((x, y) => x.seen.length - y.seen.length || x.seen[0]! - y.seen[0]!);

  test('slide over a session from its end, step 1', () => {
    expect(instances([[1, 2, 3, 4, 5, 6]], 3, 2)).toEqual([
      { seen: [1, 2, 3], targets: [4, 5] },
      { seen: [2, 3, 4], targets: [5, 6] },
    ]);
  });

  test('are one where the session is shorter, with its newest clicks as targets', () => {
    expect(instances([[1, 2, 3, 4]], 3, 2)).toEqual([{ seen: [1, 2], targets: [3, 4] }]);
    expect(instances([[1, 2, 3]], 5, 2)).toEqual([{ seen: [1], targets: [2, 3] }]);
    expect(instances([[1, 2, 3, 4, 5]], 3, 2)).toEqual([{ seen: [1, 2, 3], targets: [4, 5] }]);
  });

  test('of a session that has no more clicks than targets predict them all, from nothing', () => {
    expect(instances([[1, 2]], 3, 3)).toEqual([{ seen: [], targets: [1, 2] }]);
    expect(instances([[1, 2, 3]], 3, 3)).toEqual([{ seen: [], targets: [1, 2, 3] }]);
    expect(instances([[1, 2]], 3, 1)).toEqual([{ seen: [1], targets: [2] }]);
  });

  test('show the clicks before the first target only: none of the targets leaks', () => {
    for (const batch of batchesOf(windows(2, 2), logOf([[1, 2, 3, 4, 5, 6, 7]]), { batchSize: 3 })) {
      for (const { seen, target } of predictions(batch)) expect(Math.max(...seen)).toBeLessThan(target);
      // What a profile reads is all that the model is given.
      if (batch.input.kind !== 'sessions') throw new Error('expected sessions');
      batch.input.sessions.forEach(({ items }, row) => {
        const own = batch.targets.filter((_, m) => batch.origin!.row[m] === row);
        expect(Math.max(...Array.from(items))).toBe(Math.min(...own) - 1);
      });
    }
  });

  test('show the whole session before the window, for models with a profile', () => {
    const [newest] = batchesOf(windows(2, 1), logOf([[1, 2, 3, 4, 5]]), { batchSize: 3 })
      .flatMap(predictions)
      .filter(({ target }) => target === 5);
    expect(newest!.seen).toEqual([1, 2, 3, 4]);
  });

  test('slide over the start of a session too where they are partial, down to one click', () => {
    const rows: TrainingRows = { kind: 'windows', length: 3, targets: 2, partial: true };
    const made = (session: number[]) =>
      batchesOf(rows, logOf([session]), { batchSize: 1 })
        .map((batch) => ({ seen: predictions(batch)[0]!.seen, targets: Array.from(batch.targets) }))
        .sort((x, y) => x.seen.length - y.seen.length);
    expect(made([1, 2, 3, 4])).toEqual([
      { seen: [1], targets: [2, 3] },
      { seen: [1, 2], targets: [3, 4] },
    ]);
    expect(made([1, 2])).toEqual([{ seen: [1], targets: [2] }]);
    expect(made([1, 2, 3])).toEqual([{ seen: [1], targets: [2, 3] }]);
    expect(made([1, 2, 3, 4, 5, 6]).at(-1)).toEqual({ seen: [1, 2, 3, 4], targets: [5, 6] });
  });

  describe('of a log that names users', () => {
    const log = {
      ...logOf([
        [1, 2],
        [3, 4],
        [5, 6],
        [7, 8],
        [9, 10],
      ]),
      users: Int32Array.of(0, 1, 0, 0, 1),
      visitors: Int32Array.of(0, 1, 0, 0, 1),
    };
    const inputs = (earlier: number, sessions: Sessions = log) =>
      batchesOf({ kind: 'windows', length: 2, targets: 1, earlier }, sessions, { batchSize: 9 })
        .flatMap(({ input }) => (input.kind === 'sessions' ? [...input.sessions] : []))
        .sort((x, y) => x.items[0]! - y.items[0]!);
    const earlierOf = (earlier: number, sessions?: Sessions) =>
      inputs(earlier, sessions).map((input) => input.earlier?.map(({ items }) => Array.from(items)));

    test('say who, and hand along his or her sessions before, the newest ones', () => {
      expect(inputs(0).map(({ user }) => user)).toEqual([0, 1, 0, 0, 1]);
      expect(earlierOf(5)).toEqual([[], [], [[1, 2]], [[1, 2], [5, 6]], [[3, 4]]]); // biome-ignore format: one line
      expect(earlierOf(1)).toEqual([[], [], [[1, 2]], [[5, 6]], [[3, 4]]]);
      expect(earlierOf(0)).toEqual([undefined, undefined, undefined, undefined, undefined]);
    });

    test('leave out a session that had not ended: its clicks would tell of the future', () => {
      const times = log.times.slice();
      times[1] = 5; // the first session ends in the middle of the third
      expect(earlierOf(5, { ...log, times })[2]).toEqual([]);
      expect(earlierOf(5, { ...log, times })[3]).toEqual([[1, 2], [5, 6]]); // biome-ignore format: one line
    });

    test('hand along nothing where nobody is named', () => {
      const { users: _, visitors: __, ...nobody } = log;
      expect(inputs(5, nobody).every((input) => !('user' in input) && !('earlier' in input))).toBe(true);
    });
  });
});
