/**
 * SASRec in plain 64-bit loops: the official TensorFlow code's forward pass and three losses, one session at a time,
 * always over `maxlen` columns. Slow and literal on purpose; it shares no code with the model.
 */
type Vector = number[];
type Matrix = number[][];

export type Weights = Record<string, { shape: readonly number[]; data: Float64Array }>;

export interface ReferenceSettings {
  hiddenUnits: number;
  maxlen: number;
  numBlocks: number;
  numHeads: number;
  positions: 'end' | 'start';
}

const matrix = ({ shape, data }: Weights[string]): Matrix =>
  Array.from({ length: shape[0]! }, (_, i) => Array.from(data.subarray(i * shape[1]!, (i + 1) * shape[1]!)));
const zeros = (rows: number, columns: number): Matrix => Array.from({ length: rows }, () => Array(columns).fill(0));
const dot = (a: Vector, b: Vector): number => a.reduce((total, x, i) => total + x * b[i]!, 0);
const plus = (a: Vector, b: Vector): Vector => a.map((x, i) => x + b[i]!);

function affine(x: Matrix, w: Matrix, b: Vector): Matrix {
  return x.map((row) => b.map((bias, j) => row.reduce((total, value, i) => total + value * w[i]![j]!, bias)));
}

function layerNorm(x: Matrix, gain: Vector, bias: Vector): Matrix {
  return x.map((row) => {
    const mean = row.reduce((a, b) => a + b, 0) / row.length;
    const variance = row.reduce((total, value) => total + (value - mean) ** 2, 0) / row.length;
    return row.map((value, j) => ((value - mean) / Math.sqrt(variance + 1e-8)) * gain[j]! + bias[j]!);
  });
}

function softmax(scores: Vector): Vector {
  const highest = Math.max(...scores);
  const e = scores.map((s) => Math.exp(s - highest));
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((value) => value / total);
}

/** The vector after each click of a session, oldest click first; sessions longer than `maxlen` keep their newest. */
export function sasrecVectors(weights: Weights, session: readonly number[], settings: ReferenceSettings): Matrix {
  const { hiddenUnits: d, maxlen: length, numBlocks, numHeads, positions } = settings;
  const clicks = session.slice(-length);
  const first = positions === 'end' ? length - clicks.length : 0;
  const x = Array<number>(length).fill(0);
  clicks.forEach((item, t) => {
    x[first + t] = item;
  });
  const m = (name: string) => matrix(weights[name]!);
  const v = (name: string) => Array.from(weights[name]!.data);
  const items = m('items');
  const table = m('positions');
  const real = x.map((item) => item !== 0);
  const masked = (e: Matrix): Matrix => e.map((row, t) => (real[t] ? row : row.map(() => 0)));

  let e = masked(x.map((item, t) => items[item]!.map((value, j) => value * Math.sqrt(d) + table[t]![j]!)));
  for (let b = 0; b < numBlocks; b++) {
    const a = `blocks.${b}.attention`;
    const f = `blocks.${b}.feed`;
    const q = layerNorm(e, v(`${a}.norm.gain`), v(`${a}.norm.bias`));
    const Q = affine(q, m(`${a}.query.w`), v(`${a}.query.b`));
    const K = affine(e, m(`${a}.key.w`), v(`${a}.key.b`));
    const V = affine(e, m(`${a}.value.w`), v(`${a}.value.b`));
    const attended = zeros(length, d);
    const width = d / numHeads;
    for (let h = 0; h < numHeads; h++) {
      const part = (row: Vector) => row.slice(h * width, (h + 1) * width);
      for (let t = 0; t < length; t++) {
        if (!real[t]) continue;
        const scores = K.map((key, s) =>
          real[s] && s <= t ? dot(part(Q[t]!), part(key)) / Math.sqrt(width) : -(2 ** 32) + 1,
        );
        softmax(scores).forEach((weight, s) => {
          for (let j = 0; j < width; j++) attended[t]![h * width + j]! += weight * V[s]![h * width + j]!;
        });
      }
    }
    const u = attended.map((row, t) => plus(row, q[t]!));
    const w = layerNorm(u, v(`${f}.norm.gain`), v(`${f}.norm.bias`));
    const inner = affine(w, m(`${f}.inner.w`), v(`${f}.inner.b`)).map((row) => row.map((value) => Math.max(value, 0)));
    const outer = affine(inner, m(`${f}.outer.w`), v(`${f}.outer.b`));
    e = masked(outer.map((row, t) => plus(row, w[t]!)));
  }
  return layerNorm(e, v('norm.gain'), v('norm.bias')).slice(first, first + clicks.length);
}

/** One prediction: the vector before it and the item that came. */
interface Prediction {
  vector: Vector;
  target: number;
}

/** Every click but the last of every session, with the click that follows. */
export function predictions(
  weights: Weights,
  sessions: readonly (readonly number[])[],
  settings: ReferenceSettings,
): Prediction[] {
  return sessions.flatMap((session) => {
    const input = session.slice(0, -1).slice(-settings.maxlen);
    const targets = session.slice(-input.length);
    return sasrecVectors(weights, input, settings).map((vector, t) => ({ vector, target: targets[t]! }));
  });
}

const mean = (values: Vector): number => values.reduce((a, b) => a + b, 0) / values.length;
const softplus = (s: number): number => Math.max(s, 0) + Math.log1p(Math.exp(-Math.abs(s)));

/** Mean over predictions of −log softmax over items 1…n. */
export function fullLoss(weights: Weights, made: readonly Prediction[]): number {
  const items = matrix(weights.items!);
  return mean(
    made.map(({ vector, target }) => -Math.log(softmax(items.slice(1).map((row) => dot(vector, row)))[target - 1]!)),
  );
}

/**
 * Sampled softmax: the target against ids shared by all predictions, log q ∝ support^alpha taken off both, ids equal
 * to the target left out.
 */
export function sampledLoss(
  weights: Weights,
  made: readonly Prediction[],
  ids: readonly number[],
  support: readonly number[],
  alpha: number,
  logq: number,
): number {
  const items = matrix(weights.items!);
  return mean(
    made.map(({ vector, target }) => {
      const score = (i: number) => dot(vector, items[i]!) - logq * Math.log(support[i]! ** alpha);
      return -Math.log(softmax([target, ...ids.filter((i) => i !== target)].map(score))[0]!);
    }),
  );
}

/** Mean over predictions of −log σ(s⁺) − Σ log(1 − σ(s⁻)). */
export function binaryLoss(
  weights: Weights,
  made: readonly Prediction[],
  negatives: readonly (readonly number[])[],
): number {
  const items = matrix(weights.items!);
  return mean(
    made.map(
      ({ vector, target }, i) =>
        softplus(-dot(vector, items[target]!)) +
        negatives[i]!.reduce((total, id) => total + softplus(dot(vector, items[id]!)), 0),
    ),
  );
}
