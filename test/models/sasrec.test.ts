import { add, grads, mul, type Scalar, square, sum, type Tensor, type Tensor2D, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { initialise } from '../../src/models/initialise';
import type { Run } from '../../src/models/model';
import { size } from '../../src/models/parameters';
import { type SasrecConfig, sasrec } from '../../src/models/sasrec';
import { sasrecNetwork } from '../../src/models/sasrec-training';
import { upload } from '../../src/models/tensors';
import type { NdArray } from '../../src/types';
import { expectNoTensorsLeft, start } from '../compute/backends/start';
import { INFERENCE } from '../reference/through-training';
import { drawWeights, far } from '../reference/weights64';
import { smallSasrec } from './steps';

const ITEMS = 9;

beforeAll(() => start('cpu'));

expectNoTensorsLeft();

/** Random weights everywhere: biases and gains too, so that none can be forgotten. */
function weights(config: SasrecConfig): Record<string, NdArray<Float32Array>> {
  const values = drawWeights(sasrec, config, { items: ITEMS }, 0.5).params;
  for (const [name, { data }] of Object.entries(values)) {
    if (name.endsWith('gain')) for (let i = 0; i < data.length; i++) data[i]! += 1;
  }
  return values;
}

/** Vectors after each click of each session, and those of `encode`. */
function vectors(config: SasrecConfig, sessions: readonly number[][]): { every: number[][][]; last: number[][] } {
  return tidy(() => {
    const params = upload(weights(config));
    const prepared = sasrec.prepare(
      sessions.map((items) => ({ items })),
      config,
      { items: ITEMS },
    );
    const arrays = upload(prepared);
    const width = prepared.items!.shape[1]!;
    const all = sasrecNetwork.vectors(params, arrays, config, INFERENCE);
    expect(all.shape).toEqual([sessions.length * width, config.hiddenUnits]);
    const rows = all.arraySync();
    const every = sessions.map((session, b) => {
      const n = Math.min(session.length, config.maxlen);
      const first = b * width + (config.positions === 'end' ? width - n : 0);
      return rows.slice(first, first + n);
    });
    return { every, last: sasrec.encode(params, arrays, config, INFERENCE).arraySync() };
  });
}

const sessions = [[3, 7, 3, 3], [5], [1, 2, 3, 4, 9], [8, 8], [6, 1, 2, 3, 4, 9, 9]];

const forms = (['tf', 'pre', 'post'] as const).flatMap((norm) =>
  (['end', 'start'] as const).flatMap((positions) =>
    (['true', 'false'] as const).flatMap((maskPadding) =>
      [1, 2].map((numBlocks) => ({ norm, positions, maskPadding, numBlocks })),
    ),
  ),
);

describe.each(forms)('$norm, positions from $positions, padding masked: $maskPadding, $numBlocks blocks', (form) => {
  const config = smallSasrec(form);

  test('encodes the last click as the vector of the last position', () => {
    const { every, last } = vectors(config, sessions);
    last.forEach((vector, b) => {
      expect(far(vector, every[b]!.at(-1)!)).toBeLessThan(1e-5);
    });
  });

  test('gives a session the same vectors alone, in a batch, and in any order', () => {
    const { every } = vectors(config, sessions);
    const turned = vectors(config, [...sessions].reverse()).every.reverse();
    sessions.forEach((session, b) => {
      const alone = vectors(config, [session]).every[0]!;
      alone.forEach((vector, t) => {
        expect(far(vector, every[b]![t]!)).toBeLessThan(1e-5);
        expect(far(vector, turned[b]![t]!)).toBeLessThan(1e-5);
      });
    });
  });

  test('does not see the future', () => {
    const before = vectors(config, [[1, 2, 3, 4, 5]]).every[0]!;
    const after = vectors(config, [[1, 2, 3, 9, 8]]).every[0]!;
    for (let t = 0; t < 3; t++) expect(far(before[t]!, after[t]!)).toBeLessThan(1e-6);
    for (let t = 3; t < 5; t++) expect(far(before[t]!, after[t]!)).toBeGreaterThan(1e-3);
  });

  test('keeps the most recent clicks of a session that is too long', () => {
    const { every } = vectors(config, [
      [6, 1, 2, 3, 4, 9, 9],
      [2, 3, 4, 9, 9],
    ]);
    expect(far(every[0]!.flat(), every[1]!.flat())).toBe(0);
  });

  test('hears every click and its order', () => {
    const { last } = vectors(config, [[1, 2, 3], [4, 2, 3], [2, 1, 3], [3, 3], [3]]);
    for (let i = 0; i < last.length; i++) {
      for (let j = 0; j < i; j++) expect(far(last[i]!, last[j]!)).toBeGreaterThan(1e-3);
    }
  });

  test('gives every parameter that a batch reads a gradient, and the padding rows none', () => {
    tidy(() => {
      const arrays = upload(
        sasrec.prepare(
          sessions.map((items) => ({ items })),
          config,
          { items: ITEMS },
        ),
      );
      const params = upload(weights(config));
      const names = Object.keys(params);
      // The odd weights keep the sum over a layer norm's row from being constant.
      const loss = (encoded: Tensor2D): Scalar => {
        const odd = upload({
          odd: { data: Float32Array.from({ length: encoded.size }, (_, i) => Math.sin(i)), shape: encoded.shape },
        });
        return sum(mul(add(square(encoded), encoded), odd.odd!));
      };
      const f = (...values: Tensor[]) => {
        const at = Object.fromEntries(names.map((name, i) => [name, values[i]!]));
        return loss(sasrec.encode(at, arrays, config, INFERENCE));
      };
      grads(f)(names.map((name) => params[name]!)).forEach((gradient, i) => {
        const name = names[i]!;
        const values = Array.from(gradient.dataSync());
        expect(values.every(Number.isFinite), name).toBe(true);
        // A softmax does not feel a constant added to all keys.
        if (!name.endsWith('key.b')) expect(Math.max(...values.map(Math.abs)), name).toBeGreaterThan(1e-4);
        const padding = name === 'items' || (name === 'positions' && form.norm !== 'tf');
        if (padding)
          expect(
            values.slice(0, config.hiddenUnits).every((x) => x === 0),
            name,
          ).toBe(true);
      });
    });
  });
});

test('makes a batch no wider than its longest session where padding cannot matter', () => {
  const shape = (form: Partial<SasrecConfig>) =>
    sasrec.prepare([{ items: [1, 2] }, { items: [3] }], smallSasrec(form), { items: ITEMS }).items!.shape;
  expect(shape({})).toEqual([2, 2]);
  expect(shape({ norm: 'post' })).toEqual([2, 5]);
  expect(shape({ norm: 'post', positions: 'start' })).toEqual([2, 2]);
  expect(shape({ norm: 'pre', maskPadding: 'true' })).toEqual([2, 2]);
});

test('stays finite for a session without clicks', () => {
  for (const form of forms) {
    const { last } = vectors(smallSasrec(form), [[], [4, 2]]);
    expect(last.flat().every(Number.isFinite)).toBe(true);
  }
});

test('pads on the left for positions from the end, on the right for those from the start', () => {
  const prepared = (positions: 'end' | 'start') =>
    sasrec.prepare([{ items: [1, 2, 3] }, { items: [4] }], smallSasrec({ positions }), { items: ITEMS });
  expect(Array.from(prepared('end').items!.data)).toEqual([1, 2, 3, 0, 0, 4]);
  expect(Array.from(prepared('end').last!.data)).toEqual([2, 5]);
  expect(Array.from(prepared('start').items!.data)).toEqual([1, 2, 3, 4, 0, 0]);
  expect(Array.from(prepared('start').last!.data)).toEqual([2, 3]);
});

test('keeps the vectors of earlier clicks when one more comes, with positions from the start only', () => {
  const moved = (positions: 'end' | 'start') => {
    const config = smallSasrec({ positions });
    const [before, after] = [
      [3, 7],
      [3, 7, 4],
    ].map((session) => vectors(config, [session]).every[0]!);
    return far(before!.flat(), after!.slice(0, 2).flat());
  };
  expect(moved('start')).toBeLessThan(1e-6);
  expect(moved('end')).toBeGreaterThan(1e-3);
});

test('lets padding keys take part only where they are not masked', () => {
  const moved = (maskPadding: 'true' | 'false') => {
    const [short, long] = [3, 5].map((maxlen) => {
      const config = smallSasrec({ norm: 'pre', maskPadding, maxlen });
      const values = weights({ ...config, maxlen: 5 });
      // The same positions, counted from the end.
      const table = values.positions!.data;
      const rows = Float32Array.from([...table.subarray(0, 6), ...table.subarray((6 - maxlen) * 6)]);
      return tidy(() => {
        const params = upload({ ...values, positions: { data: rows, shape: [maxlen + 1, 6] } });
        const arrays = upload(sasrec.prepare([{ items: [3, 7] }], config, { items: ITEMS }));
        return Array.from(sasrec.encode(params, arrays, config, INFERENCE).dataSync());
      });
    });
    return far(short!, long!);
  };
  expect(moved('true')).toBeLessThan(1e-6);
  expect(moved('false')).toBeGreaterThan(1e-3);
});

test('drops out embedded clicks, attention weights and both feed-forward layers', () => {
  const config = smallSasrec({ dropoutRate: 0.3 });
  const shapes: number[][] = [];
  const run: Run = {
    dropout: (x, rate) => {
      expect(rate).toBe(0.3);
      shapes.push(x.shape);
      return x;
    },
  };
  tidy(() => {
    const arrays = upload(sasrec.prepare([{ items: [1, 2, 3] }, { items: [4] }], config, { items: ITEMS }));
    sasrecNetwork.vectors(upload(weights(config)), arrays, config, run);
  });
  const block = [
    [2, 2, 3, 3],
    [6, 6],
    [6, 6],
  ];
  expect(shapes).toEqual([[2, 3, 6], ...block, ...block]);
});

describe('parameters', () => {
  const count = (given: Partial<SasrecConfig>, only = (name: string) => name !== 'items') =>
    Object.entries(sasrec.parameters(configure(sasrec, given), { items: ITEMS }))
      .filter(([name]) => only(name))
      .reduce((total, [, { shape }]) => total + size(shape), 0);
  const inBlock = (name: string) => name.startsWith('blocks.0');

  test('are as many as the official code and the port have', () => {
    expect(count({})).toBe(28_500);
    expect(count({}, inBlock)).toBe(12_950);
    for (const norm of ['pre', 'post'] as const) expect(count({ norm }, inBlock)).toBe(15_500);
    expect(count({ outputProjection: 'true' }, inBlock)).toBe(15_500);
    expect(count({ norm: 'pre', outputProjection: 'false' }, inBlock)).toBe(12_950);
  });

  test('start with zero rows for padding, and with the scale of their code', () => {
    for (const norm of ['tf', 'pre'] as const) {
      const config = configure(sasrec, { norm });
      const values = initialise(sasrec.parameters(config, { items: 5000 }), 1);
      const spread = (name: string) =>
        Math.sqrt(values[name]!.data.reduce((a, x) => a + x * x, 0) / values[name]!.data.length);
      const d = 50;
      expect(values.items!.data.subarray(0, d).every((x) => x === 0)).toBe(true);
      expect(values.positions!.data.subarray(0, d).every((x) => x === 0)).toBe(norm === 'pre');
      // Uniform in ±√(6/(a + b)) and normal with √(2/(a + b)) have the same standard deviation.
      expect(spread('items') / Math.sqrt(2 / (5001 + d))).toBeCloseTo(1, 1);
      expect(spread('blocks.0.feed.inner.w') / Math.sqrt(2 / (2 * d))).toBeCloseTo(1, 1);
      expect(spread('blocks.0.attention.query.w') / Math.sqrt(2 / ((norm === 'pre' ? 4 : 2) * d))).toBeCloseTo(1, 1);
      expect(spread('norm.gain')).toBe(1);
      expect(spread('blocks.1.feed.outer.b') > 0).toBe(norm === 'pre');
    }
  });
});
