/**
 * SR-GNN in plain 64-bit loops, one session at a time, straight from the paper and the official code. Slow and literal
 * on purpose; it shares no code with the model.
 */
import { fullLoss, outputTable, sampledLoss, unit } from './sasrec';
import { dot, type Matrix, matrix, sigmoid, type Vector, type Weights } from './weights64';

export interface ReferenceSettings {
  readonly step: number;
  readonly edges: 'binary' | 'counted';
  readonly readout: 'hybrid' | 'global' | 'local';
  /** Default none. */
  readonly positions?: 'none' | 'reverse';
  /** Whether vectors are scaled to length 1. */
  readonly cosine?: boolean;
  /** What scores are divided by. Default 1. */
  readonly temperature?: number;
  /** Factor of embedded clicks. Default 1. */
  readonly factor?: number;
  /** Default `cross-entropy`. */
  readonly loss?: 'cross-entropy' | 'binary' | 'sampled';
  /** Default 0. */
  readonly labelSmoothing?: number;
}

/** What a sampled loss compares targets with. */
export interface Sampled {
  readonly negatives: readonly number[];
  /** Events of each item, by index. */
  readonly support: readonly number[];
  readonly alpha: number;
  readonly logq: number;
}

const plus = (...vectors: Vector[]): Vector => vectors[0]!.map((_, j) => vectors.reduce((sum, v) => sum + v[j]!, 0));
const times = (x: Vector, w: Matrix): Vector =>
  w[0]!.map((_, j) => x.reduce((total, value, i) => total + value * w[i]![j]!, 0));

/** Σ weights[k] · vectors[k] */
const combined = (weights: Vector, vectors: Matrix): Vector =>
  vectors[0]!.map((_, j) => weights.reduce((total, weight, k) => total + weight * vectors[k]![j]!, 0));

/** The vector that scores. */
export function srgnnVector(weights: Weights, session: readonly number[], settings: ReferenceSettings): Vector {
  const vector = sessionVector(weights, session, settings);
  return (settings.cosine ? unit(vector) : vector).map((value) => value / (settings.temperature ?? 1));
}

function sessionVector(weights: Weights, session: readonly number[], settings: ReferenceSettings): Vector {
  const { step, edges, readout, cosine, factor = 1 } = settings;
  const m = (name: string) => matrix(weights[name]!);
  const v = (name: string) => Array.from(weights[name]!.data);
  const items = m('items').map((row) => (cosine ? unit(row) : row).map((value) => value * factor));
  const nodes = [...new Set(session)]; // any order will do
  const count = (u: number, v: number): number => {
    const times = session.filter((item, t) => item === u && session[t + 1] === v).length;
    return edges === 'counted' ? times : Math.min(times, 1);
  };
  const share = (weight: number, total: number) => (total === 0 ? 0 : weight / total);
  const incoming = nodes.map((to) => {
    const total = nodes.reduce((sum, from) => sum + count(from, to), 0);
    return nodes.map((from) => share(count(from, to), total));
  });
  const outgoing = nodes.map((from) => {
    const total = nodes.reduce((sum, to) => sum + count(from, to), 0);
    return nodes.map((to) => share(count(from, to), total));
  });

  let h: Matrix = nodes.map((item) => items[item]!);
  const d = h[0]!.length;
  for (let round = 0; round < step; round++) {
    const sent = (side: string) => h.map((state) => plus(times(state, m(`edges.${side}.w`)), v(`edges.${side}.b`)));
    const into = sent('in');
    const out = sent('out');
    h = h.map((state, u) => {
      const a = [
        ...plus(combined(incoming[u]!, into), v('edges.in.after')),
        ...plus(combined(outgoing[u]!, out), v('edges.out.after')),
      ];
      const block = (x: Vector, name: string, gate: number): Vector =>
        times(
          x,
          m(name).map((row) => row.slice(gate * d, (gate + 1) * d)),
        );
      const bias = (name: string, gate: number): Vector => v(name).slice(gate * d, (gate + 1) * d);
      const given = (gate: number) => plus(block(a, 'cell.wx', gate), bias('cell.bx', gate));
      const recurrent = (gate: number) => plus(block(state, 'cell.wh', gate), bias('cell.bh', gate));
      const r = plus(given(0), recurrent(0)).map(sigmoid);
      const z = plus(given(1), recurrent(1)).map(sigmoid);
      const candidate = recurrent(2).map((value, j) => r[j]! * value);
      const c = plus(given(2), candidate).map(Math.tanh);
      return state.map((value, j) => (1 - z[j]!) * c[j]! + z[j]! * value);
    });
  }

  const H = session.map((item, t) => {
    const state = h[nodes.indexOf(item)]!;
    return settings.positions === 'reverse' ? plus(state, m('positions')[session.length - 1 - t]!) : state;
  });
  const last = H.at(-1)!;
  if (readout === 'local') return last;
  const asked = plus(times(last, m('attention.last.w')), v('attention.last.b'));
  const alpha = H.map((state) => {
    const offered = plus(times(state, m('attention.each.w')), v('attention.each.b'));
    return dot(plus(asked, offered).map(sigmoid), v('attention.q'));
  });
  const global = combined(alpha, H);
  if (readout === 'global') return global;
  return plus(times([...global, ...last], m('hybrid.w')), v('hybrid.b'));
}

/** Mean of −log p of the target, p the softmax over items 1…n; `binary`: and of −log(1 − p) of every other item. */
export function srgnnLoss(
  weights: Weights,
  sessions: readonly (readonly number[])[],
  targets: readonly number[],
  settings: ReferenceSettings,
  sampled?: Sampled,
): number {
  const n = weights.items!.shape[0]! - 1;
  const table = outputTable(weights, n, settings.cosine);
  const made = sessions.map((session, b) => ({
    vector: srgnnVector(weights, session, settings),
    target: targets[b]!,
  }));
  if (sampled) {
    const { negatives, support, alpha, logq } = sampled;
    return sampledLoss(table, made, Array(made.length).fill(negatives), support, alpha, logq);
  }
  if (settings.loss !== 'binary') return fullLoss(table, made, settings.labelSmoothing);
  const losses = made.map(({ vector, target }) => {
    const scores = table.slice(1).map((row) => dot(vector, row));
    const highest = Math.max(...scores);
    const all = highest + Math.log(scores.reduce((sum, s) => sum + Math.exp(s - highest), 0));
    const own = all - scores[target - 1]!;
    return scores.reduce((sum, s, j) => (j === target - 1 ? sum : sum - Math.log(1 - Math.exp(s - all))), own);
  });
  return losses.reduce((a, b) => a + b, 0) / losses.length;
}
