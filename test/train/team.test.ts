import { describe, expect, test } from 'vitest';
import type { TrainingBatch } from '../../src/train/batches';
import { PARTS, partsOf, Team, teamMemory } from '../../src/train/team';

const LAYOUT = { a: 2, b: 3 };
const alone = () => new Team(teamMemory(LAYOUT), LAYOUT, 0, 1);

describe('a team', () => {
  test('adds up weighted losses and gradients, and leaves out what no part has', () => {
    const team = alone();
    expect(team.own).toEqual([0, 1, 2, 3]);
    team.publish(0, { loss: 2, gradients: { a: Float32Array.of(1, 2) } }, 0.25);
    team.publish(1, { loss: 4, gradients: { a: Float32Array.of(3, -2) } }, 0.5);
    team.publish(2, undefined, 0);
    team.publish(3, { loss: 8, gradients: {} }, 0.25);
    expect(team.sum()).toEqual({ loss: 4.5, gradients: { a: Float32Array.of(1.75, -0.5) } });
    // Nothing of the step before is left.
    for (const part of team.own) team.publish(part, undefined, 0);
    team.publish(1, { loss: 1, gradients: { b: Float32Array.of(1, 1, 1) } }, 1);
    expect(team.sum()).toEqual({ loss: 1, gradients: { b: Float32Array.of(1, 1, 1) } });
  });

  test('divides the parts among its members, each once', () => {
    for (let members = 1; members <= PARTS; members++) {
      const memory = teamMemory(LAYOUT);
      const own = Array.from({ length: members }, (_, m) => new Team(memory, LAYOUT, m, members).own).flat();
      expect(own.sort()).toEqual([0, 1, 2, 3]);
    }
  });

  test('lets nobody wait for a team that has ended, and tells the reason where it had one', () => {
    const [memory, other] = [teamMemory(LAYOUT), teamMemory(LAYOUT)];
    new Team(memory, LAYOUT, 1, 2).end();
    expect(() => new Team(memory, LAYOUT, 0, 2).sum()).toThrow(expect.objectContaining({ code: 'aborted' }));
    new Team(other, LAYOUT, 1, 2).end('the memory is full – größer geht es nicht');
    expect(() => new Team(other, LAYOUT, 0, 2).sum()).toThrow(
      expect.objectContaining({
        code: 'engine-lost',
        message: 'A thread of the training failed: the memory is full – größer geht es nicht',
      }),
    );
  });
});

describe('a batch in parts', () => {
  const session = (s: number) => ({ items: Int32Array.of(s, s + 1) });
  const batch = (rows: number): TrainingBatch => ({
    input: { kind: 'sessions', sessions: Array.from({ length: rows }, (_, s) => session(s)) },
    targets: Int32Array.from({ length: 2 * rows }, (_, m) => m),
    origin: {
      row: Int32Array.from({ length: 2 * rows }, (_, m) => m >> 1),
      click: Int32Array.from({ length: 2 * rows }, (_, m) => m & 1),
    },
    sources: Int32Array.from({ length: rows }, (_, s) => 100 + s),
  });

  test.each([1, 2, 3, 4, 5, 7, 8, 64])('of %i rows has each target once, with its own session', (rows) => {
    const whole = batch(rows);
    const seen: number[] = [];
    for (const part of partsOf(whole)) {
      if (part?.input.kind !== 'sessions') continue;
      const { sessions } = part.input;
      part.targets.forEach((target, m) => {
        const row = part.origin!.row[m]!;
        expect(sessions[row]!.items[0]).toBe(target >> 1);
        expect(part.sources![row]).toBe(100 + (target >> 1));
        expect(part.origin!.click[m]).toBe(target & 1);
        seen.push(target);
      });
    }
    expect(seen).toEqual([...whole.targets]);
  });

  test('has parts of like sessions with about as many targets each', () => {
    const lengths = Array.from({ length: 32 }, (_, s) => 2 + ((s * 7) % 15));
    const row = Int32Array.from(lengths.flatMap((length, s) => Array.from({ length: length - 1 }, () => s)));
    const parts = partsOf({
      input: {
        kind: 'sessions',
        sessions: lengths.map((length, s) => ({ items: new Int32Array(length - 1).fill(s + 1) })),
      },
      targets: Int32Array.from(row.keys()),
      origin: { row, click: new Int32Array(row.length) },
    });
    const most = Math.max(...lengths) - 1;
    let longest = 0;
    for (const part of parts) {
      const { sessions } = part!.input as Extract<TrainingBatch['input'], { kind: 'sessions' }>;
      expect(Math.abs(part!.targets.length - row.length / PARTS)).toBeLessThanOrEqual(most);
      for (const { items } of sessions) expect(items.length).toBeGreaterThanOrEqual(longest);
      longest = sessions.at(-1)!.items.length;
    }
  });
});
