/**
 * GRU4Rec in plain 64-bit loops: one click of a batch through every layer, the scores of the sampled columns, and the
 * five losses, each as the official codes write it. Slow and literal on purpose; it shares no code with the model.
 */
import { type Matrix, sigmoid, type Vector, type Weights } from './weights64';

export interface ReferenceSettings {
  layers: readonly number[];
  embedding: 'constrained' | 'separate' | 'one-hot';
  loss: 'cross-entropy' | 'bpr-max' | 'top1' | 'top1-max' | 'bpr';
  finalAct: 'linear' | 'relu' | 'tanh' | 'selu' | 'elu' | 'leaky';
  alpha: number;
  bpreg: number;
}

/** One step of a session-parallel batch. */
export interface ReferenceStep {
  /** Item under each row's cursor. */
  inputs: readonly number[];
  /** State of each layer before the click, `[B, h]`. */
  states: readonly Matrix[];
  targets: readonly number[];
  extra: readonly number[];
  nominalBatch: number;
}

const row = ({ shape, data }: Weights[string], i: number): Vector =>
  Array.from(data.subarray(i * shape[1]!, (i + 1) * shape[1]!));

/** Column `j` of a row vector times a matrix. */
function product(x: Vector, w: Weights[string], j: number): number {
  let total = 0;
  for (let i = 0; i < x.length; i++) total += x[i]! * w.data[i * w.shape[1]! + j]!;
  return total;
}

/**
 * One cell with the reset gate before the recurrent product, the original form:
 *
 *     r = σ(x Wr + h Ur + br), z = σ(…), c = tanh(x Wc + (r ⊙ h) Uc + bc), h' = (1 − z) ⊙ h + z ⊙ c
 *
 * @param input x W, its three gates r, z, c one after another.
 */
export function cellBefore(input: Vector, h: Vector, u: Weights[string], b: Vector): Vector {
  const n = h.length;
  const gate = (g: number, j: number, state: Vector) =>
    input[g * n + j]! + product(state, u, g * n + j) + b[g * n + j]!;
  const r = h.map((_, j) => sigmoid(gate(0, j, h)));
  const z = h.map((_, j) => sigmoid(gate(1, j, h)));
  const reset = h.map((value, j) => r[j]! * value);
  const c = h.map((_, j) => Math.tanh(gate(2, j, reset)));
  return h.map((value, j) => (1 - z[j]!) * value + z[j]! * c[j]!);
}

/**
 * One cell with the reset gate after the recurrent product, the library's form, with two bias vectors:
 *
 *     c = tanh(x Wc + bc + r ⊙ (h Uc + bu)), h' = (1 − z) ⊙ c + z ⊙ h
 */
export function cellAfter(input: Vector, h: Vector, u: Weights[string], bx: Vector, bh: Vector): Vector {
  const n = h.length;
  const x = (g: number, j: number) => input[g * n + j]! + bx[g * n + j]!;
  const s = (g: number, j: number) => product(h, u, g * n + j) + bh[g * n + j]!;
  return h.map((value, j) => {
    const r = sigmoid(x(0, j) + s(0, j));
    const z = sigmoid(x(1, j) + s(1, j));
    const c = Math.tanh(x(2, j) + r * s(2, j));
    return (1 - z) * c + z * value;
  });
}

/** The state of every layer after one click, for one row of the batch. */
export function gruStep(
  weights: Weights,
  item: number,
  before: readonly Vector[],
  settings: ReferenceSettings,
): Vector[] {
  const { layers, embedding } = settings;
  const after: Vector[] = [];
  let x: Vector | undefined;
  if (embedding === 'constrained') x = row(weights.items!, item);
  if (embedding === 'separate') x = row(weights.inputs!, item);
  layers.forEach((size, i) => {
    const part = (name: string) => weights[`gru.${i}.${name}`]!;
    const width = Array.from({ length: 3 * size }, (_, j) => j);
    // A one-hot vector picks a row of the input weights; that layer has the original cell in either code.
    const input = x ? width.map((j) => product(x!, part('wx'), j)) : row(part('items'), item);
    const original = i === 0 && embedding === 'one-hot';
    const next = original
      ? cellBefore(input, before[i]!, part('wh'), Array.from(part('b').data))
      : cellAfter(input, before[i]!, part('wh'), Array.from(part('bx').data), Array.from(part('bh').data));
    after.push(next);
    x = next;
  });
  return after;
}

function activated(x: number, { finalAct, alpha }: ReferenceSettings): number {
  switch (finalAct) {
    case 'linear':
      return x;
    case 'relu':
      return Math.max(x, 0);
    case 'tanh':
      return Math.tanh(x);
    case 'elu':
      return x >= 0 ? x : alpha * (Math.exp(x) - 1);
    case 'leaky':
      return x >= 0 ? x : alpha * x;
    case 'selu':
      return 1.0507009873554805 * (x >= 0 ? x : 1.6732632423543772 * (Math.exp(x) - 1));
  }
}

/** Softmax of a row's scores without column i, which gets 0. */
function negativeSoftmax(r: Vector, i: number): Vector {
  const e = r.map((x, j) => (j === i ? 0 : Math.exp(x)));
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((x) => x / total);
}

/** The loss of one row, its positive in column i; s are the scores before the final activation. */
export function rowLoss(s: Vector, i: number, settings: ReferenceSettings): number {
  const columns = s.length;
  const sum = (of: (j: number) => number, without = -1): number => {
    let total = 0;
    for (let j = 0; j < columns; j++) if (j !== without) total += of(j);
    return total;
  };
  if (settings.loss === 'cross-entropy') {
    const total = sum((j) => Math.exp(s[j]!));
    return -Math.log(Math.exp(s[i]!) / total + 1e-24);
  }
  const r = s.map((x) => activated(x, settings));
  const w = negativeSoftmax(r, i);
  switch (settings.loss) {
    case 'bpr-max': {
      const rank = -Math.log(sum((j) => w[j]! * sigmoid(r[i]! - r[j]!), i) + 1e-24);
      return rank + settings.bpreg * sum((j) => w[j]! * r[j]! ** 2, i);
    }
    case 'top1':
      return sum((j) => sigmoid(r[j]! - r[i]!) + sigmoid(r[j]! ** 2)) / columns - sigmoid(r[i]! ** 2) / columns;
    case 'top1-max':
      return sum((j) => w[j]! * (sigmoid(r[j]! - r[i]!) + sigmoid(r[j]! ** 2)), i);
    case 'bpr':
      return sum((j) => -Math.log(sigmoid(r[i]! - r[j]!)));
  }
}

/** The loss of a step: its rows summed, over the nominal batch size. */
export function stepLoss(weights: Weights, step: ReferenceStep, settings: ReferenceSettings): number {
  const columns = [...step.targets, ...step.extra];
  let total = 0;
  step.inputs.forEach((item, b) => {
    const before = step.states.map((layer) => layer[b]!);
    const h = gruStep(weights, item, before, settings).at(-1)!;
    const scores = columns.map((j) => {
      const outputs = row(weights.items!, j);
      return outputs.reduce((sum, value, k) => sum + value * h[k]!, weights.bias!.data[j]!);
    });
    total += rowLoss(scores, b, settings);
  });
  return total / step.nominalBatch;
}
