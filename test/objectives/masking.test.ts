import { describe, expect, test } from 'vitest';
import { logUniform } from '../../src/objectives/log-uniform';
import { drawHidden } from '../../src/objectives/masking';
import { drawNegatives } from '../../src/objectives/negatives';
import { random } from '../../src/session/random';

const ROUNDS = 4000;
const share = (n: number, draw: () => Uint8Array): number => {
  let targets = 0;
  for (let round = 0; round < ROUNDS; round++) targets += draw().filter(Boolean).length;
  return targets / (n * ROUNDS);
};

describe('which clicks are hidden', () => {
  test('next: every click but the first, or the last one only', () => {
    const generator = random(1);
    expect(Array.from(drawHidden({ kind: 'next', only: 'all' }, 4, generator).targets)).toEqual([0, 1, 1, 1]);
    expect(Array.from(drawHidden({ kind: 'next', only: 'last' }, 4, generator).targets)).toEqual([0, 0, 0, 1]);
  });

  test.each([2, 3, 20])('tokens, spans: of %i clicks at least one is hidden and one is not', (n) => {
    const generator = random(2);
    for (const probability of [0.01, 0.5, 0.95]) {
      for (let round = 0; round < 500; round++) {
        const tokens = drawHidden({ kind: 'tokens', probability }, n, generator).targets;
        const spans = drawHidden({ kind: 'spans', probability, maxSpan: 4 }, n, generator).targets;
        for (const targets of [tokens, spans]) expect([targets.includes(0), targets.includes(1)]).toEqual([true, true]);
      }
    }
  });

  test('tokens: each click with its probability, and one forced', () => {
    const generator = random(3);
    const found = share(20, () => drawHidden({ kind: 'tokens', probability: 0.3 }, 20, generator).targets);
    const expected = 0.3 + 0.7 / 20; // the forced one is new where it was not chosen
    expect(Math.abs(found - expected)).toBeLessThan(0.01);
  });

  test('spans: about the share asked for, in runs no longer than maxSpan where contexts leave room', () => {
    const generator = random(4);
    const spec = { kind: 'spans', probability: 0.25, maxSpan: 3 } as const;
    const found = share(24, () => drawHidden(spec, 24, generator).targets);
    expect(Math.abs(found - 0.25)).toBeLessThan(0.03);
  });

  test('spans: targets have different places in a random order, the others none', () => {
    const generator = random(5);
    const seen = new Set<string>();
    for (let round = 0; round < 200; round++) {
      const { targets, ranks } = drawHidden({ kind: 'spans', probability: 0.5, maxSpan: 2 }, 6, generator);
      const places = Array.from(ranks!).filter((rank) => rank >= 0);
      expect(places.length).toBe(targets.filter(Boolean).length);
      expect(new Set(places).size).toBe(places.length);
      ranks!.forEach((rank, t) => {
        expect(rank >= 0).toBe(targets[t] === 1);
      });
      seen.add(
        places
          .toSorted((a, b) => a - b)
          .map((place) => places.indexOf(place))
          .join(),
      );
    }
    expect(seen.size).toBeGreaterThan(10);
  });
});

describe('log-uniform negatives', () => {
  // Item 3 is clicked most, then 1, then 2 and 4, which rank by index.
  const support = [0, 5, 1, 9, 1];

  test('are drawn by popularity rank, each at most once', () => {
    const sampler = logUniform(support);
    const generator = random(6);
    const counts = [0, 0, 0, 0, 0];
    const draws = 20_000;
    for (let round = 0; round < draws; round++) counts[sampler.draw(generator)]!++;
    [3, 1, 2, 4].forEach((item, r) => {
      const expected = Math.log((r + 2) / (r + 1)) / Math.log(5);
      expect(Math.abs(counts[item]! / draws - expected)).toBeLessThan(0.015);
    });
    const spec = { kind: 'shared', inBatch: false, extra: 30, alpha: 1, distribution: 'log-uniform' } as const;
    const { ids } = drawNegatives(spec, sampler, generator, Int32Array.of(1), 4, () => new Set());
    expect(Array.from(ids).toSorted()).toEqual([1, 2, 3, 4]);
  });

  test('are corrected by what the library takes for their chances', () => {
    // The first of 90 items in its order, over 28 draws; golden/t4r-sampled-softmax holds these two.
    const chances = logUniform(Array.from({ length: 91 }, (_, i) => 91 - i)).chances(28);
    expect(chances[1]).toBeCloseTo(0.98172736, 6);
    expect(chances[2]).toBeCloseTo(0.91018993, 6);
    expect(chances[0]).toBe(0);
  });
});

test('the context of a span is rounded down: at 0.7 a span of one follows another, and one click is released', () => {
  for (let seed = 0; seed < 20; seed++) {
    const { targets } = drawHidden({ kind: 'spans', probability: 0.7, maxSpan: 1 }, 5, random(seed));
    expect(targets.filter(Boolean)).toHaveLength(4);
  }
});
