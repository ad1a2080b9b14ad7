/**
 * Caser in plain 64-bit loops, one session at a time, straight from the paper and the official code. Slow and literal
 * on purpose; it shares no code with the model.
 */
import { fullLoss, type Prediction, sampledLoss, unit } from './sasrec';
import type { Sampled } from './srgnn';
import { dot, type Matrix, matrix, type Vector, type Weights } from './weights64';

export interface ReferenceSettings {
  readonly L: number;
  readonly acConv: 'relu' | 'iden' | 'tanh' | 'sigm';
  readonly acFc: 'relu' | 'iden' | 'tanh' | 'sigm';
  readonly profile: 'session' | 'device' | 'shared' | 'none' | 'user';
  readonly loss: 'binary' | 'cross-entropy' | 'sampled';
  readonly labelSmoothing: number;
  readonly scoring: 'dot' | 'cosine';
  /** What cosines are divided by. */
  readonly temperature: number;
  /** Factor of embedded clicks. Default 1. */
  readonly factor?: number;
}

export interface Instance {
  readonly items: readonly number[];
  readonly earlier?: readonly { readonly items: readonly number[] }[];
  readonly user?: number;
  readonly targets: readonly number[];
  readonly negatives: readonly number[];
}

const ACTIVATIONS = {
  iden: (x: number) => x,
  relu: (x: number) => Math.max(0, x),
  tanh: Math.tanh,
  sigm: (x: number) => 1 / (1 + Math.exp(-x)),
};

const column = (w: Matrix, j: number): Vector => w.map((row) => row[j]!);

type Clicks = Omit<Instance, 'targets' | 'negatives'>;

/** The vector that scores. */
export function caserVector(weights: Weights, instance: Clicks, s: ReferenceSettings): Vector {
  const g = general(weights, instance, s);
  return s.scoring === 'cosine' ? unit(g).map((value) => value / s.temperature) : g;
}

function general(weights: Weights, instance: Clicks, s: ReferenceSettings): Vector {
  const m = (name: string) => matrix(weights[name]!);
  const v = (name: string) => Array.from(weights[name]!.data);
  const embedded = (name: string) =>
    m(name).map((row) => (s.scoring === 'cosine' ? unit(row) : row).map((value) => value * (s.factor ?? 1)));
  const items = embedded('items');
  const newest = instance.items.slice(-s.L);
  const X: Matrix = [...Array<number>(s.L - newest.length).fill(0), ...newest].map((item) => items[item]!);
  const d = X[0]!.length;

  const found: Vector = [];
  const w = m('vertical.w');
  const bv = v('vertical.b');
  for (let k = 0; k < w[0]!.length; k++) {
    for (let j = 0; j < d; j++) found.push(dot(column(w, k), column(X, j)) + bv[k]!);
  }
  for (let h = 1; h <= s.L; h++) {
    const F = m(`horizontal.${h}.w`);
    const bh = v(`horizontal.${h}.b`);
    for (let k = 0; k < F[0]!.length; k++) {
      const filter = column(F, k);
      let most = Number.NEGATIVE_INFINITY;
      for (let i = 0; i + h <= s.L; i++) {
        const window = X.slice(i, i + h).flat();
        most = Math.max(most, ACTIVATIONS[s.acConv](dot(window, filter) + bh[k]!));
      }
      found.push(most);
    }
  }
  const W1 = m('hidden.w');
  const z = v('hidden.b').map((bias, j) => ACTIVATIONS[s.acFc](dot(found, column(W1, j)) + bias));

  const none = Array<number>(d).fill(0);
  switch (s.profile) {
    case 'none':
      return z;
    case 'shared':
      return [...z, ...v('shared')];
    case 'user':
      return [...z, ...(instance.user === undefined ? none : m('users')[instance.user]!)];
    default: {
      const table = embedded('profiles');
      const P = none.slice();
      let total = 0;
      const take = (item: number, weight: number) => {
        total += weight;
        table[item]!.forEach((x, j) => {
          P[j]! += weight * x;
        });
      };
      for (const item of instance.items) take(item, 1);
      if (s.profile === 'device') {
        const earlier = instance.earlier ?? [];
        earlier.forEach(({ items }, i) => {
          for (const item of items) take(item, 0.7 ** (earlier.length - i));
        });
      }
      return [...z, ...P.map((x) => (total === 0 ? 0 : x / total))];
    }
  }
}

/**
 * Mean over all targets of −log σ(s) plus mean over all negatives of −log(1 − σ(s)); or the mean over all targets of
 * −log softmax(s) over the items, padding not among them, or over a sample of them.
 */
export function caserLoss(
  weights: Weights,
  instances: readonly Instance[],
  settings: ReferenceSettings,
  sampled?: Sampled,
): number {
  const [items, profiles] = ['items', 'profiles'].map((name) => weights[name] && matrix(weights[name]));
  const plain = weights.outputs ? matrix(weights.outputs) : items!.map((row, i) => [...row, ...(profiles?.[i] ?? [])]);
  const table = settings.scoring === 'cosine' ? plain.map(unit) : plain;
  const bias = weights.bias ? Array.from(weights.bias.data) : table.map(() => 0);
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  if (settings.loss !== 'binary') {
    // A bias is one more column, which every vector multiplies by 1.
    const columns = table.map((row, item) => [...row, bias[item]!]);
    const made = instances.flatMap(({ targets, ...instance }): Prediction[] => {
      const vector = [...caserVector(weights, instance, settings), 1];
      return targets.map((target) => ({ vector, target }));
    });
    if (!sampled) return fullLoss(columns, made, settings.labelSmoothing);
    const { negatives, support, alpha, logq } = sampled;
    return sampledLoss(columns, made, Array(made.length).fill(negatives), support, alpha, logq);
  }
  const positive: number[] = [];
  const negative: number[] = [];
  for (const instance of instances) {
    const g = caserVector(weights, instance, settings);
    const p = (item: number) => 1 / (1 + Math.exp(-dot(g, table[item]!) - bias[item]!));
    for (const item of instance.targets) positive.push(-Math.log(p(item)));
    for (const item of instance.negatives) negative.push(-Math.log(1 - p(item)));
  }
  return mean(positive) + mean(negative);
}
