import { describe, expect, test } from 'vitest';
import { fitScale, type PredictionPass } from '../../src/ranking/scale';
import { random } from '../../src/session/random';

const N = 12;

/** Predictions whose targets are drawn from the softmax of so many times their scores. */
function predictionsBy(scale: number, count: number): { scores: Float32Array; target: number }[] {
  const draws = random(3, 'predictions');
  return Array.from({ length: count }, () => {
    const scores = Float32Array.from({ length: N }, () => draws.normal());
    const powers = scores.map((score) => Math.exp(scale * score));
    let left = draws.uniform() * powers.reduce((sum, power) => sum + power, 0);
    const target = powers.findIndex((power) => {
      left -= power;
      return left <= 0;
    });
    return { scores, target: target < 0 ? N - 1 : target };
  });
}

const over =
  (predictions: readonly { scores: Float32Array; target: number }[], factor = 1): PredictionPass =>
  async (visit) => {
    for (const { scores, target } of predictions)
      visit(
        scores.map((score) => factor * score),
        target,
      );
  };

describe('the scale', () => {
  test.each([0.3, 1, 4])('is what targets were drawn by: %d', async (scale) => {
    const fitted = await fitScale(over(predictionsBy(scale, 4000)));
    expect(fitted! / scale).toBeGreaterThan(0.94);
    expect(fitted! / scale).toBeLessThan(1.06);
  });

  test.each([0.01, 0.5, 3, 1000])('of scores %d times as large is that much smaller', async (factor) => {
    const predictions = predictionsBy(2, 200);
    const plain = (await fitScale(over(predictions)))!;
    expect((await fitScale(over(predictions, factor)))! / (plain / factor)).toBeCloseTo(1, 3);
  });

  test('is finite where every prediction is right, and there is none where predictions are no better than chance', async () => {
    const right = predictionsBy(1, 50).map(({ scores }) => ({ scores, target: scores.indexOf(Math.max(...scores)) }));
    const few = (await fitScale(over(right.slice(0, 5))))!;
    const many = (await fitScale(over(right)))!;
    expect(few).toBeGreaterThan(1);
    expect(many).toBeGreaterThan(few);
    expect(many).toBeLessThan(100);
    const wrong = right.map(({ scores }) => ({ scores, target: scores.indexOf(Math.min(...scores)) }));
    expect(await fitScale(over(wrong))).toBeUndefined();
    expect(await fitScale(over([]))).toBeUndefined();
    expect(await fitScale(over([{ scores: new Float32Array(N), target: 0 }]))).toBeUndefined();
  });

  test('passes over items that are no candidates', async () => {
    const predictions = predictionsBy(2, 100);
    const wider = predictions.map(({ scores, target }) => ({
      scores: Float32Array.of(...scores, Number.NEGATIVE_INFINITY),
      target,
    }));
    expect(await fitScale(over(wider))).toBe(await fitScale(over(predictions)));
  });

  test('is refused for scores that are no numbers', async () => {
    const broken = [{ scores: Float32Array.of(1, Number.NaN, 2), target: 0 }];
    await expect(fitScale(over(broken))).rejects.toMatchObject({ code: 'not-finite' });
  });
});
