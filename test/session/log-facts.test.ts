import { expect, test } from 'vitest';
import { logFacts } from '../../src/session/log-facts';

const log = (sessions: readonly (readonly (readonly [item: number, time: number])[])[]) => {
  const offsets = Int32Array.from([0, ...sessions.map((_, s) => sessions.slice(0, s + 1).flat().length)]);
  const events = sessions.flat();
  return {
    sessions: {
      items: Int32Array.from(events, ([item]) => item),
      times: Float64Array.from(events, ([, time]) => time),
      offsets,
    },
  };
};

test('counts sessions of two events and more: lengths, items that come again, how long they last', () => {
  const facts = logFacts(
    log([
      [
        [1, 10],
        [2, 20],
        [1, 70],
      ],
      [[3, 5]],
      [
        [2, 0],
        [2, 9],
      ],
      [
        [1, 100],
        [3, 200],
      ],
    ]),
    3,
  );
  expect(facts).toEqual({
    items: 3,
    events: 7,
    sessions: 3,
    meanLength: 7 / 3,
    longLength: 3,
    repeated: 2 / 4,
    span: 60,
  });
});

test('knows no span of a log without times, and nothing of an empty one', () => {
  expect(
    logFacts(
      log([
        [
          [1, 0],
          [2, 0],
        ],
      ]),
      2,
    ),
  ).toEqual({ items: 2, events: 2, sessions: 1, meanLength: 2, longLength: 2, repeated: 0 });
  expect(logFacts(log([]), 0)).toEqual({ items: 0, events: 0, sessions: 0, meanLength: 0, longLength: 0, repeated: 0 });
});
