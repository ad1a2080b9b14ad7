/**
 * SASRec in plain 64-bit loops: the forms of its codes, cosine scoring, and the losses, one session at a time, always
 * over `maxlen` columns. Slow and literal on purpose; it shares no code with the model.
 */
import { dot, gelu, type Matrix, matrix, sigmoid, softmax, softplus, type Vector, type Weights } from './weights64';

export type { Weights } from './weights64';

export interface ReferenceSettings {
  hiddenUnits: number;
  maxlen: number;
  numBlocks: number;
  numHeads: number;
  positions: 'end' | 'start';
  /** Default tf: the official TensorFlow code. */
  norm?: 'tf' | 'pre' | 'post';
  /** Whether padding keys are hidden. Default true. */
  maskPadding?: boolean;
  /** Factor of embedded clicks. Default √d. */
  inputScale?: number;
  /** Default 1e-8. */
  layerNormEps?: number;
  activation?: 'relu' | 'gelu';
  /** Whether vectors are scaled to length 1. */
  cosine?: boolean;
  /** What scores are divided by. Default 1. */
  temperature?: number;
}

const zeros = (rows: number, columns: number): Matrix => Array.from({ length: rows }, () => Array(columns).fill(0));
const plus = (a: Matrix, b: Matrix): Matrix => a.map((row, t) => row.map((x, i) => x + b[t]![i]!));
/** Scaled to length 1, with the ε that keeps a zero vector one. */
export const unit = (x: Vector): Vector => {
  const length = Math.sqrt(dot(x, x) + 1e-7);
  return x.map((value) => value / length);
};

function affine(x: Matrix, w: Matrix, b: Vector): Matrix {
  return x.map((row) => b.map((bias, j) => row.reduce((total, value, i) => total + value * w[i]![j]!, bias)));
}

/**
 * The vector after each click of a session, oldest click first, before it is scaled for scoring; sessions longer than
 * `maxlen` keep their newest.
 */
export function sasrecVectors(weights: Weights, session: readonly number[], settings: ReferenceSettings): Matrix {
  const { hiddenUnits: d, maxlen: length, numBlocks, numHeads, positions, norm = 'tf', maskPadding = true } = settings;
  const { inputScale = Math.sqrt(d), layerNormEps = 1e-8, activation = 'relu', cosine = false } = settings;
  const clicks = session.slice(-length);
  const first = positions === 'end' ? length - clicks.length : 0;
  const x = Array<number>(length).fill(0);
  clicks.forEach((item, t) => {
    x[first + t] = item;
  });
  const m = (name: string) => matrix(weights[name]!);
  const v = (name: string) => Array.from(weights[name]!.data);
  const items = m('items').map((row) => (cosine ? unit(row) : row));
  // The port's table has a row for padding before the others.
  const table = norm === 'tf' ? m('positions') : m('positions').slice(1);
  const real = x.map((item) => item !== 0);
  const masked = (e: Matrix): Matrix => e.map((row, t) => (real[t] ? row : row.map(() => 0)));
  const layerNorm = (e: Matrix, name: string): Matrix => {
    const [gain, bias] = [v(`${name}.gain`), v(`${name}.bias`)];
    return e.map((row) => {
      const mean = row.reduce((a, b) => a + b, 0) / row.length;
      const variance = row.reduce((total, value) => total + (value - mean) ** 2, 0) / row.length;
      return row.map((value, j) => ((value - mean) / Math.sqrt(variance + layerNormEps)) * gain[j]! + bias[j]!);
    });
  };
  const linear = (e: Matrix, name: string): Matrix => affine(e, m(`${name}.w`), v(`${name}.b`));
  const attention = (queries: Matrix, keys: Matrix, name: string): Matrix => {
    const [Q, K, V] = [linear(queries, `${name}.query`), linear(keys, `${name}.key`), linear(keys, `${name}.value`)];
    const joined = zeros(length, d);
    const width = d / numHeads;
    for (let h = 0; h < numHeads; h++) {
      const part = (row: Vector) => row.slice(h * width, (h + 1) * width);
      for (let t = 0; t < length; t++) {
        const seen = K.map((_, s) => s <= t && (real[s] || !maskPadding));
        if (!seen.includes(true)) continue;
        const scores = K.map((key, s) => (seen[s] ? dot(part(Q[t]!), part(key)) / Math.sqrt(width) : -(2 ** 32) + 1));
        softmax(scores).forEach((weight, s) => {
          for (let j = 0; j < width; j++) joined[t]![h * width + j]! += weight * V[s]![h * width + j]!;
        });
      }
    }
    return weights[`${name}.output.w`] ? linear(joined, `${name}.output`) : joined;
  };
  const feed = (e: Matrix, name: string): Matrix => {
    const f = activation === 'gelu' ? gelu : (value: number) => Math.max(value, 0);
    return linear(
      linear(e, `${name}.inner`).map((row) => row.map(f)),
      `${name}.outer`,
    );
  };

  let e = masked(x.map((item, t) => items[item]!.map((value, j) => value * inputScale + table[t]![j]!)));
  for (let b = 0; b < numBlocks; b++) {
    const [a, f] = [`blocks.${b}.attention`, `blocks.${b}.feed`];
    if (norm === 'tf') {
      const q = layerNorm(e, `${a}.norm`);
      const w = layerNorm(plus(attention(q, e, a), q), `${f}.norm`);
      e = masked(plus(feed(w, f), w));
    } else if (norm === 'pre') {
      const n = layerNorm(e, `${a}.norm`);
      const u = plus(e, attention(n, n, a));
      e = plus(u, feed(layerNorm(u, `${f}.norm`), f));
    } else {
      const u = layerNorm(plus(e, attention(e, e, a)), `${a}.norm`);
      e = layerNorm(plus(u, feed(u, f)), `${f}.norm`);
    }
  }
  return layerNorm(e, 'norm').slice(first, first + clicks.length);
}

/** One prediction: the vector before it and the item that came. */
export interface Prediction {
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
    const { cosine = false, temperature = 1 } = settings;
    return sasrecVectors(weights, input, settings).map((c, t) => ({
      vector: (cosine ? unit(c) : c).map((value) => value / temperature),
      target: targets[t]!,
    }));
  });
}

const mean = (values: Vector): number => values.reduce((a, b) => a + b, 0) / values.length;

/** The vectors that score items 0…n: of a table of their own where there is one; scaled for cosine scoring. */
export function outputTable(weights: Weights, n: number, cosine = false): Matrix {
  const table = matrix((weights.outputs ?? weights.items)!).slice(0, n + 1);
  return cosine ? table.map(unit) : table;
}

/** Mean over predictions of −log softmax over items 1…n, the rest of the target's mass shared by the others. */
export function fullLoss(items: Matrix, made: readonly Prediction[], smoothing = 0): number {
  const others = items.length - 2;
  return mean(
    made.map(({ vector, target }) => {
      const losses = softmax(items.slice(1).map((row) => dot(vector, row))).map((p) => -Math.log(p));
      return losses.reduce((total, l, i) => total + (i === target - 1 ? 1 - smoothing : smoothing / others) * l, 0);
    }),
  );
}

/**
 * Sampled softmax: the target against ids shared by all predictions, log q ∝ support^alpha taken off both, ids equal
 * to the target left out.
 */
export function sampledLoss(
  items: Matrix,
  made: readonly Prediction[],
  ids: readonly (readonly number[])[],
  support: readonly number[],
  alpha: number,
  logq: number,
): number {
  return mean(
    made.map(({ vector, target }, m) => {
      const score = (i: number) => dot(vector, items[i]!) - logq * Math.log(support[i]! ** alpha);
      return -Math.log(softmax([target, ...ids[m]!.filter((i) => i !== target)].map(score))[0]!);
    }),
  );
}

/** Mean over predictions of −log σ(s⁺) − Σ log(1 − σ(s⁻)). */
export function binaryLoss(
  items: Matrix,
  made: readonly Prediction[],
  negatives: readonly (readonly number[])[],
): number {
  return mean(
    made.map(
      ({ vector, target }, i) =>
        softplus(-dot(vector, items[target]!)) +
        negatives[i]!.reduce((total, id) => total + softplus(dot(vector, items[id]!)), 0),
    ),
  );
}

/** gBCE by the published formulas, in the transformed form that the official code computes in 64 bits. */
export function calibratedLoss(
  items: Matrix,
  made: readonly Prediction[],
  negatives: readonly (readonly number[])[],
  calibration: number,
): number {
  const count = negatives[0]!.length;
  const alpha = count / (items.length - 2);
  const beta = alpha * (calibration * (1 - 1 / alpha) + 1 / alpha);
  return mean(
    made.map(({ vector, target }, i) => {
      const transformed = Math.log(1 / (sigmoid(dot(vector, items[target]!)) ** -beta - 1));
      const losses = [softplus(-transformed), ...negatives[i]!.map((id) => softplus(dot(vector, items[id]!)))];
      return mean(losses);
    }),
  );
}

/** NT-Xent of 2B views, view i beside view i + B; `isNegative` says which views of others count. */
export function contrastiveLoss(
  views: readonly Vector[],
  tau: number,
  cosine: boolean,
  isNegative: (a: number, c: number) => boolean = () => true,
): number {
  const z = views.map((row) => (cosine ? unit(row) : row));
  const half = z.length / 2;
  return mean(
    z.map((row, a) => {
      const partner = (a + half) % z.length;
      const e = z.map((other) => Math.exp(dot(row, other) / tau));
      const others = e.filter((_, c) => c !== a && c !== partner && isNegative(a, c));
      return -Math.log(e[partner]! / others.reduce((x, y) => x + y, e[partner]!));
    }),
  );
}
