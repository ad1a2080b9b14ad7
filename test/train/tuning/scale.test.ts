import { beforeAll, describe, expect, test } from 'vitest';
import { startBackend } from '../../../src/compute/backends/start';
import { frozenModelOf } from '../../../src/engine/frozen-model';
import type { Network } from '../../../src/ranking/architecture';
import { loadScorer, NAMELESS } from '../../../src/ranking/load-scorer';
import { countSupport } from '../../../src/session/event-log';
import { type Random, random } from '../../../src/session/random';
import { type TrainedModel, trainFromLog } from '../../../src/train/train-from-log';
import { Adapter } from '../../../src/train/tuning/adapter';
import type { FrozenModel, TuneEvent } from '../../../src/train/tuning/frozen-model';
import { wasmPath } from '../../compute/backends/start';
import { logOf } from '../helpers';
import { D, fondEvents, frozenModelOf as shopModel } from './shop';

/** Ten rings of six items: who looks at one mostly looks at the next of its ring, or at what the visitor likes of it. */
const RINGS = 10;
const N = 6 * RINGS;
const LENGTH = 6;

function walks(draws: Random, count: number, liked?: readonly number[]): number[][] {
  return Array.from({ length: count }, () => {
    const session = [1 + draws.integer(N)];
    while (session.length < LENGTH) {
      const at = session.at(-1)! - 1;
      const ring = Math.floor(at / 6);
      const chance = draws.uniform();
      if (liked && chance < 0.35) session.push(liked[ring]!);
      else session.push(chance < 0.75 ? 6 * ring + 1 + ((at + 1) % 6) : 1 + draws.integer(N));
    }
    return session;
  });
}

describe('a model that learnt by BPR-max', () => {
  let learnt: TrainedModel;
  let network: Network;
  let frozen: FrozenModel;
  beforeAll(async () => {
    await startBackend('wasm', { wasmPath });
    const sessions = logOf(walks(random(1, 'shop'), 300));
    const itemIds = Array.from({ length: N }, (_, k) => `item ${k + 1}`);
    learnt = await trainFromLog({
      model: 'gru4rec',
      config: {
        loss: 'bpr-max',
        bpreg: 1,
        layers: [16],
        constrainedEmbedding: true,
        batchSize: 16,
        nSample: 32,
        learningRate: 0.1,
      },
      log: { sessions },
      itemIds,
      support: countSupport(sessions.items, N),
      valid: { sessions: logOf(walks(random(1, 'valid'), 60)) },
      seed: 1,
      epochs: 4,
    });
    const { architecture, config, tensors, golden, scale } = learnt;
    const info = { ...NAMELESS, architecture, config, golden, items: N, scale: scale! };
    const artifact = { info, itemIds, tensors, hash: '' };
    const scorer = await loadScorer(artifact);
    network = scorer.network!;
    frozen = await frozenModelOf({ artifact, scorer, network } as never);
  }, 60_000);

  /** Mean reciprocal ranks of ten visitors' events, by the base and by an adapter that learns without a gate. */
  async function followed(frozen: FrozenModel): Promise<{ base: number; tuned: number }> {
    let [base, tuned, events] = [0, 0, 0];
    for (let visitor = 0; visitor < 10; visitor++) {
      const adapter = new Adapter(frozen);
      const draws = random(2, 'visitor', visitor);
      const liked = Array.from({ length: RINGS }, (_, ring) => 6 * ring + 1 + draws.integer(6));
      for (const session of walks(draws, 12, liked)) {
        for (const [t, item] of session.entries()) {
          const items = session.slice(0, t);
          const event: TuneEvent = {
            item,
            time: 0,
            ...(t > 0 && { vector: await network.encode([{ items }]), session: { items } }),
          };
          if (t > 0) {
            const pair = adapter.predict(event);
            base += 1 / pair.base.rank;
            tuned += 1 / pair.tuned.rank;
            events++;
            adapter.update(event);
          }
          adapter.count(event);
        }
      }
    }
    return { base: base / events, tuned: tuned / events };
  }

  test('has scores that are no logits, and is harmed by an adapter that takes them for such', async () => {
    expect(learnt.scale).toBeGreaterThan(2);
    const { base, tuned } = await followed({ ...frozen, scale: 1 });
    expect(tuned).toBeLessThan(base - 0.02);
  });

  test('is bettered by one that knows its scale', async () => {
    expect(frozen.scale).toBe(learnt.scale);
    const { base, tuned } = await followed(frozen);
    expect(tuned).toBeGreaterThan(base + 0.005);
  });
});

test.each([0.125, 3, 50])('scores %d times as large teach the same, and the same is answered', (factor) => {
  const times = (values: Float32Array) => values.map((value) => factor * value);
  const repeats = Float32Array.of(0.4, -0.2);
  const plain = { ...shopModel(), repeats, scale: 1.7 };
  const large = {
    ...plain,
    table: times(plain.table),
    bias: times(plain.bias!),
    repeats: times(repeats),
    scale: plain.scale / factor,
  };
  const [one, other] = [new Adapter(plain), new Adapter(large)];
  for (const event of fondEvents(80, plain.itemIds.length, 4)) {
    if (event.vector) {
      const [a, b] = [one.predict(event), other.predict(event)];
      expect(b.base.loss).toBeCloseTo(a.base.loss, 4);
      expect(b.tuned.loss).toBeCloseTo(a.tuned.loss, 4);
      expect(b.tuned.rank).toBe(a.tuned.rank);
      for (const adapter of [one, other]) adapter.update(event);
    }
    for (const adapter of [one, other]) adapter.count(event);
  }
  const saved = [one, other].map((adapter) => adapter.save().arrays);
  for (const [name, { data }] of Object.entries(saved[0]!)) {
    for (const [k, value] of saved[1]![name]!.data.entries()) {
      expect(Math.abs(value - data[k]!) / (1 + Math.abs(data[k]!)), name).toBeLessThan(1e-4);
    }
  }
  const [a, b] = [one.fold(), other.fold()];
  expect(b.scale).toBeCloseTo(a.scale / factor, 5);
  const vector = Float32Array.from({ length: D }, (_, k) => Math.sin(k));
  const logits = ({ table, bias, scale }: typeof a) =>
    Array.from(bias, (own, i) => {
      let score = own;
      for (let k = 0; k < D; k++) score += vector[k]! * table[i * D + k]!;
      return scale * score;
    });
  for (const [i, logit] of logits(b).entries()) expect(logit).toBeCloseTo(logits(a)[i]!, 3);
});
