import { describe, expect, test } from 'vitest';
import { maskedSpans, maskedTokens, nextClicks } from '../../src/objectives/masking';
import { random } from '../../src/session/random';

const ROUNDS = 4000;
const share = (n: number, draw: () => Uint8Array): number => {
  let targets = 0;
  for (let round = 0; round < ROUNDS; round++) targets += draw().filter(Boolean).length;
  return targets / (n * ROUNDS);
};

describe('which clicks are hidden', () => {
  test('next: every click but the first', () => {
    expect(Array.from(nextClicks(4).targets)).toEqual([0, 1, 1, 1]);
  });

  test.each([2, 3, 20])('tokens, spans: of %i clicks at least one is hidden and one is not', (n) => {
    const generator = random(2);
    for (const probability of [0.01, 0.5, 0.95]) {
      for (let round = 0; round < 500; round++) {
        const tokens = maskedTokens(n, probability, generator).targets;
        const spans = maskedSpans(n, probability, 4, generator).targets;
        for (const targets of [tokens, spans]) expect([targets.includes(0), targets.includes(1)]).toEqual([true, true]);
      }
    }
  });

  test('tokens: each click with its probability, and one forced', () => {
    const generator = random(3);
    const found = share(20, () => maskedTokens(20, 0.3, generator).targets);
    const expected = 0.3 + 0.7 / 20; // the forced one is new where it was not chosen
    expect(Math.abs(found - expected)).toBeLessThan(0.01);
  });

  test('spans: about the share asked for, in runs no longer than maxSpan where contexts leave room', () => {
    const generator = random(4);
    const found = share(24, () => maskedSpans(24, 0.25, 3, generator).targets);
    expect(Math.abs(found - 0.25)).toBeLessThan(0.03);
  });

  test('spans: targets have different places in a random order, the others none', () => {
    const generator = random(5);
    const seen = new Set<string>();
    for (let round = 0; round < 200; round++) {
      const { targets, ranks } = maskedSpans(6, 0.5, 2, generator);
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

test('the context of a span is rounded down: at 0.7 a span of one follows another, and one click is released', () => {
  for (let seed = 0; seed < 20; seed++) {
    const { targets } = maskedSpans(5, 0.7, 1, random(seed));
    expect(targets.filter(Boolean)).toHaveLength(4);
  }
});
