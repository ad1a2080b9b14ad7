/**
 * Weights of RecBole, on state dicts that are made up here: by the names and shapes of its sources, scored by its equations in plain
 * 64-bit arithmetic. No trained checkpoint of it was at hand.
 */
import { expect, test } from 'vitest';
import { run } from '../../src/compute/executor';
import { startFirst } from '../../src/pipeline/files/backend';
import { loadScorer, NAMELESS } from '../../src/ranking/load-scorer';
import { random } from '../../src/session/random';
import { importWeights } from '../../src/train/import-weights';
import type { NdArray } from '../../src/types';

type Matrix = number[][];
type Vector = readonly number[];

const N = 7;
const [E, H] = [4, 6];
const SESSIONS = [[3], [1, 2, 3], [5, 5, 1, 7, 5], [2, 6, 2, 6, 4, 1]];
const NAMES = { weights: 'w.safetensors', config: 'config.json', items: 'items.txt' };

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const dot = (a: Vector, b: Vector) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const plus = (...all: readonly Vector[]) => all[0]!.map((_, i) => all.reduce((sum, one) => sum + one[i]!, 0));
const linear = (x: Vector, weight: Matrix, bias?: Vector) => weight.map((row, i) => dot(row, x) + (bias?.[i] ?? 0));
/** The three gates of a linear layer. */
const gates = (x: Vector): readonly [Vector, Vector, Vector] => {
  const third = x.length / 3;
  return [x.slice(0, third), x.slice(third, 2 * third), x.slice(2 * third)];
};

function made(shapes: Readonly<Record<string, readonly number[]>>) {
  const { normal } = random(5, 'recbole');
  const weights: Record<string, NdArray> = {};
  for (const [name, shape] of Object.entries(shapes)) {
    const size = shape.reduce((a, b) => a * b, 1);
    weights[name] = { data: Float32Array.from({ length: size }, () => 0.4 * normal()), shape };
  }
  const vector = (name: string) => Array.from(weights[name]!.data);
  const matrix = (name: string): Matrix => {
    const { data, shape } = weights[name]!;
    return Array.from({ length: shape[0]! }, (_, r) => Array.from(data.subarray(r * shape[1]!, (r + 1) * shape[1]!)));
  };
  return { weights, vector, matrix };
}

/** What the imported model scores. */
async function scored(from: string, reference: Record<string, unknown>, weights: Readonly<Record<string, NdArray>>) {
  const itemIds = Array.from({ length: N }, (_, i) => `item ${i + 1}`);
  return run(async (slice) => {
    await startFirst(slice, 'cpu', {});
    const { architecture, config, tensors } = await importWeights({ from, reference, weights, itemIds, names: NAMES });
    const info = { ...NAMELESS, architecture, config, items: N };
    const scorer = await loadScorer({ info, itemIds, tensors });
    const scores = await scorer.score(SESSIONS.map((items) => ({ items })));
    scorer.dispose();
    return SESSIONS.map((_, s) => Array.from(scores.subarray(s * N, (s + 1) * N)));
  });
}

function expectEqual(got: readonly Vector[], expected: readonly Vector[]) {
  const gaps = got.flatMap((row, s) => row.map((score, i) => Math.abs(score - expected[s]![i]!)));
  expect(Math.max(...gaps)).toBeLessThan(2e-6);
  expect(new Set(got.flat().map((x) => x.toFixed(4))).size).toBeGreaterThan(20);
}

test('of GRU4Rec score as its GRU, its dense layer and its one table do', async () => {
  const { weights, vector, matrix } = made({
    'item_embedding.weight': [N + 1, E],
    'gru_layers.weight_ih_l0': [3 * H, E],
    'gru_layers.weight_hh_l0': [3 * H, H],
    'gru_layers.weight_ih_l1': [3 * H, H],
    'gru_layers.weight_hh_l1': [3 * H, H],
    'dense.weight': [E, H],
    'dense.bias': [E],
  });
  const table = matrix('item_embedding.weight');
  const step = (layer: number, x: Vector, h: Vector) => {
    const [xr, xz, xn] = gates(linear(x, matrix(`gru_layers.weight_ih_l${layer}`)));
    const [hr, hz, hn] = gates(linear(h, matrix(`gru_layers.weight_hh_l${layer}`)));
    return h.map((before, i) => {
      const z = sigmoid(xz[i]! + hz[i]!);
      return (1 - z) * Math.tanh(xn[i]! + sigmoid(xr[i]! + hr[i]!) * hn[i]!) + z * before;
    });
  };
  const expected = SESSIONS.map((items) => {
    let [first, second]: Vector[] = [Array(H).fill(0), Array(H).fill(0)];
    for (const item of items) {
      first = step(0, table[item]!, first!);
      second = step(1, first, second!);
    }
    const out = linear(second!, matrix('dense.weight'), vector('dense.bias'));
    return table.slice(1).map((row) => dot(row, out));
  });
  const config = {
    n_items: N + 1,
    embedding_size: E,
    hidden_size: H,
    num_layers: 2,
    dropout_prob: 0.3,
    loss_type: 'CE',
  };
  expectEqual(await scored('recbole-gru4rec', config, weights), expected);
  const { 'dense.bias': _, ...rest } = weights;
  await expect(scored('recbole-gru4rec', config, rest)).rejects.toMatchObject({
    code: 'weights-mismatch',
    message: expect.stringContaining('w.safetensors lacks the tensor "dense.bias", expected float32 [4]'),
  });
});

test('of SR-GNN score as its cell, whose gate is the other way round', async () => {
  const d = E;
  const { weights, vector, matrix } = made({
    'item_embedding.weight': [N + 1, d],
    'gnn.w_ih': [3 * d, 2 * d],
    'gnn.w_hh': [3 * d, d],
    'gnn.b_ih': [3 * d],
    'gnn.b_hh': [3 * d],
    'gnn.b_iah': [d],
    'gnn.b_ioh': [d],
    'gnn.linear_edge_in.weight': [d, d],
    'gnn.linear_edge_in.bias': [d],
    'gnn.linear_edge_out.weight': [d, d],
    'gnn.linear_edge_out.bias': [d],
    'linear_one.weight': [d, d],
    'linear_one.bias': [d],
    'linear_two.weight': [d, d],
    'linear_two.bias': [d],
    'linear_three.weight': [1, d],
    'linear_transform.weight': [d, 2 * d],
    'linear_transform.bias': [d],
  });
  const table = matrix('item_embedding.weight');
  const layer = (name: string, x: Vector) => linear(x, matrix(`${name}.weight`), vector(`${name}.bias`));
  const expected = SESSIONS.map((items) => {
    const nodes = [...new Set(items)];
    const has = (u: number, v: number) => Number(items.some((item, i) => item === u && items[i + 1] === v));
    const messages = (name: string, weight: (to: number, from: number) => number, bias: Vector) => (to: number) => {
      const all = nodes.map((from) => layer(name, table[from]!).map((x) => weight(to, from) * x));
      return plus(...all, bias);
    };
    const shareIn = (v: number, u: number) => has(u, v) / (nodes.reduce((sum, other) => sum + has(other, v), 0) || 1);
    const shareOut = (u: number, v: number) => has(u, v) / (nodes.reduce((sum, other) => sum + has(u, other), 0) || 1);
    const incoming = messages('gnn.linear_edge_in', shareIn, vector('gnn.b_iah'));
    const outgoing = messages('gnn.linear_edge_out', shareOut, vector('gnn.b_ioh'));
    const states = new Map(
      nodes.map((node) => {
        const hidden = table[node]!;
        const [ir, iz, ic] = gates(
          linear([...incoming(node), ...outgoing(node)], matrix('gnn.w_ih'), vector('gnn.b_ih')),
        );
        const [hr, hz, hc] = gates(linear(hidden, matrix('gnn.w_hh'), vector('gnn.b_hh')));
        const next = hidden.map((before, i) => {
          const z = sigmoid(iz[i]! + hz[i]!);
          return (1 - z) * before + z * Math.tanh(ic[i]! + sigmoid(ir[i]! + hr[i]!) * hc[i]!);
        });
        return [node, next];
      }),
    );
    const clicks = items.map((item) => states.get(item)!);
    const last = clicks.at(-1)!;
    const q1 = layer('linear_one', last);
    const weighed = clicks.map((state) => {
      const alpha = dot(matrix('linear_three.weight')[0]!, plus(q1, layer('linear_two', state)).map(sigmoid));
      return state.map((x) => alpha * x);
    });
    const out = layer('linear_transform', [...plus(...weighed), ...last]);
    return table.slice(1).map((row) => dot(row, out));
  });
  const config = { n_items: N + 1, embedding_size: d, step: 1, loss_type: 'CE', MAX_ITEM_LIST_LENGTH: 50 };
  expectEqual(await scored('recbole-srgnn', config, weights), expected);
});

test.each([
  ['recbole-gru4rec', { hidden_size: 4, loss_type: 'TOP1' }, /"loss_type" must be CE or BPR, got "TOP1"/],
  ['recbole-gru4rec', { embedding_size: 4 }, /"hidden_size" is missing/],
  ['recbole-gru4rec', { hidden_size: 4, num_layers: 'two' }, /"num_layers" must be a whole number, got "two"/],
  ['recbole-srgnn', { loss_type: 'BPR' }, /"loss_type" must be CE, got "BPR"/],
  ['recbole-srgnn', { embeding_size: 4 }, /the key "embeding_size" is not known; the nearest is "embedding_size"/],
  ['recbole-sasrec', {}, /No reference implementation is called "recbole-sasrec"/],
])('of %s with %j are refused', async (from, reference, message) => {
  await expect(scored(from, reference, {})).rejects.toMatchObject({
    code: 'bad-config',
    message: expect.stringMatching(message),
  });
});
