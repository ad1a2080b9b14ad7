import { add, matMul, memory, randomNormal, type Tensor, type Tensor2D } from '@tensorflow/tfjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { gru4rec } from '../../src/models/gru4rec';
import { initialise } from '../../src/models/initialise';
import type { SessionModel } from '../../src/models/model';
import { upload } from '../../src/models/tensors';
import { neuralScorer } from '../../src/ranking/neural-scorer';
import { openSession } from '../../src/ranking/session-scorer';
import type { Catalogue } from '../../src/types';
import { backends, start } from '../compute/backends/start';
import { allModels } from '../models/all-models';
import { sessionsOf } from '../neighbours/fixtures';

const models = await allModels();

const n = 12;
const catalogue: Catalogue = { items: n, support: Int32Array.from({ length: n + 1 }, (_, i) => i) };
const item = fc.integer({ min: 1, max: n });
const logs = fc.array(fc.array(item, { minLength: 1, maxLength: 7 }), { minLength: 1, maxLength: 9 });

function build(model: SessionModel<unknown>, given: object = {}) {
  const config = configure(model, given as Record<string, unknown>);
  const params = upload(initialise(model.parameters(config, catalogue), 1));
  return { config, params, scorer: neuralScorer(model, params, config, catalogue) };
}

const close = (got: ArrayLike<number>, expected: ArrayLike<number>) => {
  expect(got.length).toBe(expected.length);
  for (let i = 0; i < got.length; i++) expect(Math.abs(got[i]! - expected[i]!)).toBeLessThan(1e-5);
};

describe.each(backends)('on %s', (backend) => {
  beforeAll(() => start(backend));

  describe.each(Object.keys(models))('%s', (name) => {
    const model = models[name] as SessionModel<unknown>;

    test('scores a session as vector · table + bias, the same alone and in a batch', async () => {
      const { params, config, scorer } = build(model);
      const sessions = [{ items: [3, 7, 3] }, { items: [12] }];
      const batch = await scorer.score(sessions);
      for (const [row, session] of sessions.entries()) {
        const prepared = upload(model.prepare([session], config, catalogue));
        const { table, bias } = model.outputs(params, config);
        const vector = model.encode(params, prepared, config, { dropout: (x) => x });
        const product: Tensor2D = matMul(vector, table, false, true);
        const expected = await (bias ? (add(product, bias) as Tensor2D) : product).data();
        close(batch.subarray(row * n, (row + 1) * n), expected.slice(1, n + 1));
        close(await scorer.score([session]), expected.slice(1, n + 1));
      }
    });

    test('leaves no tensor behind, whatever is called and whatever throws', async () => {
      const before = memory().numTensors;
      const { params, scorer } = build(model);
      const built = memory().numTensors;
      const log = sessionsOf([[1, 2, 3], [4, 5], [6], [7, 8, 9, 10]]);
      const session = openSession(scorer);
      await scorer.score([{ items: [1, 2] }]);
      await scorer.scoreSequences?.(log, () => {});
      await expect(
        scorer.scoreSequences?.(log, () => {
          throw new Error('stop');
        }) ?? Promise.reject(new Error('stop')),
      ).rejects.toThrow('stop');
      await expect(scorer.score([{ items: [] }])).rejects.toThrow(RangeError);
      await session.score({ items: [1, 2, 3] });
      await session.score({ items: [1, 2, 3, 4] });
      await session.score({ items: [9] });
      await expect(session.score({ items: [] })).rejects.toThrow(RangeError);
      session.forget();
      expect(memory().numTensors).toBe(built);
      session.dispose();
      scorer.dispose();
      for (const tensor of Object.values(params)) tensor.dispose();
      expect(memory().numTensors).toBe(before);
    });

    test('an open session scores as a new one does, however it goes on', async () => {
      const { scorer } = build(model);
      const session = openSession(scorer);
      const walks = [[3], [3, 5], [3, 5], [3, 5, 5, 1], [3, 5], [3, 4], [2, 4, 6, 8], [1]];
      for (const items of walks) close(await session.score({ items }), await scorer.score([{ items }]));
      session.dispose();
    });
  });

  test('walks a log to the scores of its prefixes, whichever sessions stand side by side', async () => {
    const { scorer } = build(gru4rec as SessionModel<unknown>, { layers: '8/6' });
    await fc.assert(
      fc.asyncProperty(logs, async (lists) => {
        const visited = new Map<string, Float32Array>();
        await scorer.scoreSequences!(sessionsOf(lists), (scores, rows) => {
          expect(scores.length).toBe(rows.length * n);
          rows.forEach(({ session, position }, i) => {
            visited.set(`${session} ${position}`, scores.slice(i * n, (i + 1) * n));
          });
        });
        const prefixes = lists.flatMap((clicks, s) =>
          clicks.slice(0, -1).map((_, t) => ({ key: `${s} ${t}`, items: clicks.slice(0, t + 1) })),
        );
        expect([...visited.keys()].sort()).toEqual(prefixes.map(({ key }) => key).sort());
        for (const { key, items } of prefixes) close(visited.get(key)!, await scorer.score([{ items }]));
      }),
      { seed: 11, numRuns: 10 },
    );
  });
});

describe('with more sessions than rows', () => {
  beforeAll(() => start('wasm'));

  test('a finished row starts the next session with a fresh state', async () => {
    const { scorer } = build(gru4rec as SessionModel<unknown>, { layers: 4 });
    const lists = Array.from({ length: 1300 }, (_, s) =>
      Array.from({ length: 1 + (s % 4) }, (_, t) => 1 + ((s + 5 * t) % n)),
    );
    const expected = await scorer.score(lists.map((items) => ({ items })));
    const lengthened = lists.map((items) => [...items, 1]); // so that the walk sees all of the original session
    const last = new Map<number, Float32Array>();
    let largest = 0;
    await scorer.scoreSequences!(sessionsOf(lengthened), (scores, rows) => {
      largest = Math.max(largest, rows.length);
      rows.forEach(({ session }, i) => {
        last.set(session, scores.slice(i * n, (i + 1) * n));
      });
    });
    expect(largest).toBe(512);
    for (const s of lists.keys()) close(last.get(s)!, expected.subarray(s * n, (s + 1) * n));
  });

  test('a failing step leaves neither tensors nor a half-moved session behind', async () => {
    const { stepping } = gru4rec;
    let failing = false;
    const fragile: SessionModel<unknown> = {
      ...(gru4rec as SessionModel<unknown>),
      stepping: {
        ...(stepping as NonNullable<SessionModel<unknown>['stepping']>),
        step(params, state, items, config, run) {
          const next = (stepping as NonNullable<SessionModel<unknown>['stepping']>).step(
            params,
            state,
            items,
            config,
            run,
          );
          randomNormal([3]) satisfies Tensor;
          if (failing) throw new Error('device lost');
          return next;
        },
      },
    };
    const { scorer } = build(fragile, { layers: 4 });
    const before = memory().numTensors;
    const session = openSession(scorer);
    await session.score({ items: [1, 2] });
    failing = true;
    await expect(session.score({ items: [1, 2, 3] })).rejects.toThrow('device lost');
    await expect(scorer.scoreSequences!(sessionsOf([[1, 2, 3]]), () => {})).rejects.toThrow('device lost');
    expect(memory().numTensors).toBe(before);
    failing = false;
    close(await session.score({ items: [1, 2, 3] }), await scorer.score([{ items: [1, 2, 3] }]));
    session.dispose();
    expect(memory().numTensors).toBe(before);
  });
});
