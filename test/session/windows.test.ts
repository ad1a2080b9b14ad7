import { describe, expect, test } from 'vitest';
import { halves, windowsOf } from '../../src/session/windows';
import { readText } from './helpers';

const DAY = 86_400;
const START = Date.parse('2024-03-01T22:00:00Z') / 1000;

/** One session of two clicks at each time, in hours after 22:00 of the first of March. */
async function logOf(hours: readonly number[]) {
  const lines = hours.flatMap((hour, s) => [`s${s},a,${START + hour * 3600}`, `s${s},b,${START + hour * 3600 + 60}`]);
  const text = `session_id,item_id,timestamp\n${lines.join('\n')}\n`;
  async function* bytes() {
    yield new TextEncoder().encode(text);
  }
  return readText(bytes(), 'log.csv');
}
const starts = (windows: ReturnType<typeof windowsOf>) =>
  windows.map(({ from, sessions }) => `${new Date(from * 1000).toISOString().slice(0, 16)} ${[...sessions]}`);

describe('windows of time', () => {
  test('are days of UTC, by the start of a session; days without one are left out', async () => {
    const log = await logOf([0, 1, 1.99, 2, 25, 26, 26.5, 80]);
    expect(starts(windowsOf(log, DAY))).toEqual([
      '2024-03-01T00:00 0,1,2',
      '2024-03-02T00:00 3,4',
      '2024-03-03T00:00 5,6',
      '2024-03-05T00:00 7',
    ]);
  });

  test('may be hours', async () => {
    expect(starts(windowsOf(await logOf([0, 0.5, 1, 3.2]), 3600))).toEqual([
      '2024-03-01T22:00 0,1',
      '2024-03-01T23:00 2',
      '2024-03-02T01:00 3',
    ]);
  });

  test('are refused where there is only one', async () => {
    const log = await logOf([0, 1]);
    expect(() => windowsOf(log, DAY)).toThrow(
      /needs two, and this log has sessions in 1, all after 2024-03-01T00:00:00Z/,
    );
  });

  test('come in two halves that share no session and leave none out, the same each time', async () => {
    const [window] = windowsOf(await logOf([...Array.from({ length: 21 }, (_, i) => i / 100), 30]), DAY);
    const { valid, test } = halves(window!);
    expect([valid.length, test.length]).toEqual([10, 11]);
    expect([...valid, ...test].sort((a, b) => a - b)).toEqual([...window!.sessions]);
    expect(halves(window!)).toEqual({ valid, test });
    // By chance, not early and late.
    expect(Math.max(...valid)).toBeGreaterThan(Math.min(...test));
    expect(Math.max(...test)).toBeGreaterThan(Math.min(...valid));
  });
});
