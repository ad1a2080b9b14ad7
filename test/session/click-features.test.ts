import { expect, test } from 'vitest';
import { describeClicks, firstClicks, withFeatures } from '../../src/session/click-columns';
import { clickReader } from '../../src/session/click-features';
import type { ClickLog, FeatureColumn } from '../../src/session/event-log';
import { logOf } from '../train/helpers';

const column = (...texts: string[]): FeatureColumn => {
  const names = [...new Set(texts)];
  return { codes: Int32Array.from(texts, (text) => names.indexOf(text)), names };
};
const DAY = 86_400;
const START = 20_000 * DAY;
/** Two sessions of two clicks, a day apart each. */
const log: ClickLog = {
  sessions: {
    ...logOf([
      [1, 2],
      [2, 3],
    ]),
    times: Float64Array.of(START, START + DAY, START + 2 * DAY, START + 3 * DAY),
  },
  features: new Map([
    ['device', column('phone', 'desktop', '', 'desktop')],
    ['dwell', column('2', '', '4', '6e0')],
    ['minute', column('0', '15', '30', '45')],
  ]),
};
const births = firstClicks(log.sessions, 4);
const WANTED = [
  { name: 'device', kind: 'category' },
  { name: 'dwell', kind: 'number' },
  { name: 'minute', kind: 'angle' },
  { name: 'age', kind: 'number', otherwise: 'age' },
] as const;
const described = describeClicks(WANTED, log, births);
const plain = (features: object | undefined) =>
  Object.fromEntries(Object.entries(features ?? {}).map(([name, values]) => [name, Array.from(values)]));

test('values are numbered by how frequent they are, numbers standardised; an empty cell is missing', () => {
  expect(described).toMatchObject({
    device: { kind: 'category', values: ['desktop', 'phone'] },
    dwell: { kind: 'number', mean: 4, deviation: Math.sqrt(8 / 3) },
    minute: { kind: 'angle' },
  });
  const { device, dwell, minute } = plain(withFeatures(log, described, births).features);
  expect(device).toEqual([2, 1, Number.NaN, 1]);
  expect(dwell).toEqual([-2 / Math.sqrt(8 / 3), Number.NaN, 0, 2 / Math.sqrt(8 / 3)]);
  expect(minute).toEqual([0, 15, 30, 45]);
});

test('an age counts the days since the first click of the item, and never from a later one', () => {
  expect(Array.from(births)).toEqual([-(2 ** 31), START / 60, (START + DAY) / 60, (START + 3 * DAY) / 60, -(2 ** 31)]);
  const raw = [0, 0, Math.log(2), 0];
  const mean = Math.log(2) / 4;
  const deviation = Math.sqrt(raw.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 4);
  const { age } = plain(withFeatures(log, described, births).features);
  raw.forEach((value, e) => {
    expect(age![e]).toBeCloseTo((value - mean) / deviation, 12);
  });
  const later = logOf([[1, 4]]);
  const asked = { sessions: { ...later, times: Float64Array.of(START + 9 * DAY, START + 9 * DAY) } };
  const ages = plain(withFeatures(asked, described, births).features).age!;
  expect(ages[0]).toBeCloseTo((Math.log(10) - mean) / deviation, 12);
  expect(ages[1]).toBeNaN(); // nobody knows when item 4 was new
});

test('another log is numbered as the first; what that did not know, and what is not there, is missing', () => {
  const other: ClickLog = {
    sessions: logOf([[1, 2, 3]]),
    features: new Map([['device', column('phone', 'tablet', 'desktop')]]),
  };
  const { device, dwell, minute } = plain(withFeatures(other, described, births).features);
  expect(device).toEqual([2, Number.NaN, 1]);
  expect(dwell).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  expect(minute).toEqual([Number.NaN, Number.NaN, Number.NaN]);
});

test('clicks that a page reports are numbered as those of the log', () => {
  const read = clickReader(described, births);
  const clicks = [1, 2, 2, 3].map((item, e) => ({
    item,
    time: log.sessions.times[e]!,
    features: [
      { device: 'phone', dwell: 2, minute: 0 },
      { device: 'desktop', minute: '15' },
      { dwell: '4', minute: 30, unheardOf: 'x' },
      { device: 'desktop', dwell: 6, minute: 45 },
    ][e]!,
  }));
  expect(plain(read(clicks))).toEqual(plain(withFeatures(log, described, births).features));
  expect(plain(read([{ item: 1, time: START, features: { dwell: 'long', device: '__proto__' } }]))).toMatchObject({
    device: [Number.NaN],
    dwell: [Number.NaN],
  });
  expect(clickReader({}, births)(clicks)).toBeUndefined();
});

test('the most frequent values are told apart where not all are wanted', () => {
  expect(describeClicks([{ name: 'device', kind: 'category', values: 1 }], log, births)).toEqual({
    device: { kind: 'category', values: ['desktop'] },
  });
});

const one = (texts: string[]): ClickLog => ({
  sessions: logOf([Array.from(texts, () => 1)]),
  features: new Map([['x', column(...texts)]]),
});
test.each([
  [
    'a number that is a text',
    one(['1', 'two']),
    'number',
    'bad-input',
    /column "x" must hold numbers, got "two"\. Write x:cat/,
  ],
  ['an angle that is a text', one(['Mon']), 'angle', 'bad-input', /column "x" must hold numbers, got "Mon"/],
  ['a column of nothing', one(['', '']), 'category', 'bad-config', /column "x" is empty/],
  [
    'more values than every artifact should carry',
    one(Array.from({ length: 50_001 }, (_, k) => `v${k}`)),
    'category',
    'bad-config',
    /has 50001 values, expected 50000 at most .* x:categorical:1000/,
  ],
] as const)('%s is refused', (_, given, kind, code, message) => {
  const describing = () => describeClicks([{ name: 'x', kind }], given, births);
  expect(describing).toThrow(message);
  expect(describing).toThrow(expect.objectContaining({ code }));
});

test('an age is refused where the log has no times', () => {
  const untimed = { sessions: { ...log.sessions, times: new Float64Array(4) } };
  expect(() => describeClicks([{ name: 'age', kind: 'number', otherwise: 'age' }], untimed, births)).toThrow(
    'The feature "age" needs times, and the log has none',
  );
});
