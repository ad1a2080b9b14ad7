import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseIso, parseTime, TimeReader, type TimeUnit } from '../../src/session/time';

const encoder = new TextEncoder();
const RUNS = { seed: 20140401, numRuns: 500 };

function read(reader: TimeReader, text: string): number {
  const bytes = encoder.encode(`,${text},`);
  return reader.read(bytes, 1, bytes.length - 1);
}

describe('a time', () => {
  test('in ISO 8601 is what the platform makes of it', () => {
    const reader = new TimeReader('iso');
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('2099-12-31'), noInvalidDate: true }), (date) => {
        const text = date.toISOString();
        const seconds = date.getTime() / 1000;
        expect(read(reader, text)).toBe(seconds);
        expect(read(reader, text.replace('T', ' ').replace('Z', ''))).toBe(seconds);
        expect(read(reader, text.replace('Z', '+00:00'))).toBe(seconds);
        expect(read(reader, text.replace('Z', '000Z'))).toBe(seconds);
        expect(read(reader, text.slice(0, 19))).toBe(Math.floor(seconds));
        expect(parseIso(text)).toBe(seconds);
      }),
      RUNS,
    );
  });

  test('of eight digits that are a date is taken for neither until its unit is given', () => {
    const reader = new TimeReader();
    expect(read(reader, '20240501')).toBeNaN();
    expect(reader.expected).toContain('iso takes it for a date, s for seconds');
    expect(read(reader, '20241501')).toBe(20241501);
    expect(read(new TimeReader('s'), '20240501')).toBe(20240501);
    expect(read(new TimeReader('iso'), '20240501')).toBe(1714521600);
    expect(read(new TimeReader('iso'), '2024-0501')).toBeNaN();
    expect(parseTime('20240501')).toBeNaN();
  });

  test.each([
    '2014-13-01T00:00:00Z',
    '2014-02-29T00:00:00Z',
    '2014-02-28T24:00:00Z',
    '2014-02-28T10:60:00Z',
    '2014-02-28T10:00:61Z',
    '2014-02-28T10:00:00.Z',
    '2014-02-28T10:00:00.5x7Z',
    '2014-02-28X10:00:00Z',
    '2014/02/28T10:00:00Z',
    '2014-02-28T1:00:00Z',
    '1969-12-31T23:59:59Z',
    '1396314141',
    '',
    'Z',
  ])('of another form than the log, %s, is refused', (text) => {
    const reader = new TimeReader('iso');
    expect(read(reader, '2014-02-28T10:00:00Z')).toBe(1393581600);
    expect(read(reader, text)).toBeNaN();
    expect(reader.expected).not.toBe('');
    expect(read(reader, '2014-02-28T10:00:00Z')).toBe(1393581600);
  });

  test('written as a number is that number, exactly', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 9e10, noNaN: true }), (value) => {
        for (const text of [String(value), value.toFixed(3), ` ${value} `, value.toExponential()])
          expect(read(new TimeReader(), text)).toBe(Number(text));
      }),
      RUNS,
    );
  });

  test.each<[TimeUnit | undefined, string, number]>([
    [undefined, '99999999999', 99999999999],
    [undefined, '100000000000', 100000000],
    ['s', '1396314141719', 1396314141719],
    ['ms', '500', 0.5],
    [undefined, '0', 0],
    [undefined, '5.', 5],
    [undefined, '.5', 0.5],
    [undefined, '1e3', 1000],
    [undefined, '1396314141.7191234', 1396314141.7191234],
  ])('unit %s, %s, is read as %d seconds', (unit, text, seconds) => {
    expect(read(new TimeReader(unit), text)).toBe(seconds);
  });

  test.each(['', ' ', '.', '-', '1.2.3', '0x10', '1_000', 'NaN', 'Infinity', '1e999', '12a', '١٢'])(
    '%j is none',
    (text) => {
      expect(read(new TimeReader(), text)).toBeNaN();
    },
  );

  test('as a user types it', () => {
    expect(parseTime('2008-07-25')).toBe(Date.UTC(2008, 6, 25) / 1000);
    expect(parseTime('1216944000')).toBe(1216944000);
    expect(parseTime('yesterday')).toBeNaN();
  });
});
