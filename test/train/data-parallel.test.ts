import { describe, expect, test } from 'vitest';
import { DataParallel, SHARDS, shardsOf, sharedMemory } from '../../src/train/data-parallel';

const LAYOUT = { a: 2, b: 3 };
const alone = () => new DataParallel(sharedMemory(LAYOUT), LAYOUT, 0, 1);

describe('data-parallel training', () => {
  test('adds up weighted losses and gradients, and leaves out what no shard has', () => {
    const parallel = alone();
    expect(parallel.own).toEqual([0, 1, 2, 3]);
    parallel.publish(0, { loss: 2, gradients: { a: Float32Array.of(1, 2) } }, 0.25);
    parallel.publish(1, { loss: 4, gradients: { a: Float32Array.of(3, -2) } }, 0.5);
    parallel.publish(2, undefined, 0);
    parallel.publish(3, { loss: 8, gradients: {} }, 0.25);
    expect(parallel.allReduce()).toEqual({ loss: 4.5, gradients: { a: Float32Array.of(1.75, -0.5) } });
    // Nothing of the step before is left.
    for (const shard of parallel.own) parallel.publish(shard, undefined, 0);
    parallel.publish(1, { loss: 1, gradients: { b: Float32Array.of(1, 1, 1) } }, 1);
    expect(parallel.allReduce()).toEqual({ loss: 1, gradients: { b: Float32Array.of(1, 1, 1) } });
  });

  test('divides the shards among its threads, each once', () => {
    for (let threads = 1; threads <= SHARDS; threads++) {
      const memory = sharedMemory(LAYOUT);
      const own = Array.from({ length: threads }, (_, t) => new DataParallel(memory, LAYOUT, t, threads).own).flat();
      expect(own.sort()).toEqual([0, 1, 2, 3]);
    }
  });

  test('rejects all waits once it has ended, with the reason where there is one', () => {
    const [memory, other] = [sharedMemory(LAYOUT), sharedMemory(LAYOUT)];
    new DataParallel(memory, LAYOUT, 1, 2).end();
    expect(() => new DataParallel(memory, LAYOUT, 0, 2).allReduce()).toThrow(
      expect.objectContaining({ code: 'aborted' }),
    );
    new DataParallel(other, LAYOUT, 1, 2).end('the memory is full – größer geht es nicht');
    expect(() => new DataParallel(other, LAYOUT, 0, 2).allReduce()).toThrow(
      expect.objectContaining({
        code: 'engine-lost',
        message: 'A thread of the training failed: the memory is full – größer geht es nicht',
      }),
    );
  });

  test.each([
    ['a minute', 0, 61],
    ['ten of the longest steps', 30_000, 301],
  ])('gives up a thread that does not answer for %s', (_, took, seconds) => {
    let waits = 0;
    const parallel = new DataParallel(sharedMemory(LAYOUT), LAYOUT, 0, 2, () => {
      waits++;
      return 'timed-out';
    });
    expect(() => parallel.allReduce(took)).toThrow(
      expect.objectContaining({
        code: 'engine-lost',
        message: expect.stringContaining(`for ${seconds} seconds; its memory`),
      }),
    );
    expect(waits).toBe(seconds);
  });

  test('waits for the first thread as long as that validates', () => {
    const memory = sharedMemory(LAYOUT);
    let waits = 0;
    const parallel = new DataParallel(memory, LAYOUT, 1, 2, () => {
      if (++waits === 10_000) new DataParallel(memory, LAYOUT, 0, 2).end();
      return 'timed-out';
    });
    expect(() => parallel.allReduce()).toThrow(expect.objectContaining({ code: 'aborted' }));
  });
});

describe('the shards of a batch', () => {
  const sizeOf = (length: number) => ({ clicks: length, targets: length });

  test.each([0, 1, 2, 3, 4, 5, 7, 8, 64])('of %i rows hold each row once', (count) => {
    const rows = Array.from({ length: count }, (_, s) => ({ s }));
    const shards = shardsOf(rows, () => ({ clicks: 2, targets: 2 }));
    expect(shards).toHaveLength(SHARDS);
    expect(shards.flat()).toEqual(rows);
  });

  test('hold rows of like length, with about as many targets each', () => {
    const lengths = Array.from({ length: 32 }, (_, s) => 1 + ((s * 7) % 15));
    const total = lengths.reduce((sum, length) => sum + length, 0);
    let longest = 0;
    for (const shard of shardsOf(lengths, sizeOf)) {
      const targets = shard.reduce((sum, length) => sum + length, 0);
      expect(Math.abs(targets - total / SHARDS)).toBeLessThanOrEqual(Math.max(...lengths));
      for (const length of shard) expect(length).toBeGreaterThanOrEqual(longest);
      longest = shard.at(-1)!;
    }
  });
});
