/**
 * Transformers4Rec in plain 64-bit loops, one session at a time and without padding: both forms, six language models, four
 * losses, side information. Slow and literal on purpose, written from the papers' equations; it shares no code with the
 * model.
 */
import { dot, gelu, type Matrix, matrix, sigmoid, softmax, type Vector, type Weights } from './weights64';

export type { Weights } from './weights64';

export interface Settings {
  form: 'paper' | 'library';
  lm: 'gru' | 'gpt2' | 'transformer-xl' | 'bert' | 'electra' | 'xlnet';
  objective: 'clm' | 'mlm' | 'plm' | 'rtd';
  nLayer: number;
  nHead: number;
  inputNorm: boolean;
  aggregation: 'concat' | 'element-wise' | 'element-wise-plain';
  /** Whether item vectors, as they are read and as they score, and session vectors have length 1. Default dot. */
  scoring?: 'dot' | 'cosine';
  /** What cosines are divided by. */
  temperature?: number;
}

/** What stands in one column: an item, or the mask vector instead of it, or nothing at all. */
export interface Column {
  item?: number;
  masked?: boolean;
  /** Side information by name: a value's number, a number, or the two columns of a cyclic one; absent: missing. */
  features?: Record<string, number | [number, number]>;
}

/** How each feature becomes a vector. */
export type Kinds = Record<string, 'categorical' | 'numeric' | 'soft' | 'cyclic'>;

const plus = (a: Vector, b: Vector): Vector => a.map((x, i) => x + b[i]!);
const through = (x: Vector, w: Matrix, b?: Vector): Vector =>
  w[0]!.map((_, j) => (b ? b[j]! : 0) + x.reduce((total, value, i) => total + value * w[i]![j]!, 0));

function norm(x: Vector, gain: Vector, bias: Vector, epsilon: number): Vector {
  const mean = x.reduce((a, b) => a + b, 0) / x.length;
  const variance = x.reduce((total, value) => total + (value - mean) ** 2, 0) / x.length;
  return x.map((value, j) => ((value - mean) / Math.sqrt(variance + epsilon)) * gain[j]! + bias[j]!);
}

/** Scaled to length 1 for cosine scoring, with the ε that keeps a zero vector one. */
function unit(x: Vector, { scoring }: Settings): Vector {
  return scoring === 'cosine' ? x.map((value) => value / Math.sqrt(dot(x, x) + 1e-7)) : x;
}

/** Names inside one network. */
function reader(weights: Weights, prefix: string) {
  return {
    m: (name: string) => matrix(weights[prefix + name]!),
    v: (name: string) => Array.from(weights[prefix + name]!.data),
    has: (name: string) => weights[prefix + name] !== undefined,
    linear: (x: Vector, name: string) =>
      through(x, matrix(weights[`${prefix + name}.w`]!), Array.from(weights[`${prefix + name}.b`]!.data)),
    norm: (x: Vector, name: string, epsilon: number) =>
      norm(
        x,
        Array.from(weights[`${prefix + name}.gain`]!.data),
        Array.from(weights[`${prefix + name}.bias`]!.data),
        epsilon,
      ),
  };
}
type Reader = ReturnType<typeof reader>;

/** What the language model reads in a column. */
function merge(weights: Weights, column: Column, kinds: Kinds, settings: Settings): Vector {
  const all = reader(weights, '');
  if (column.masked) return all.v('mask');
  const normed = (x: Vector, name: string) => (settings.inputNorm ? all.norm(x, `norms.${name}`, 1e-5) : x);
  const x = normed(unit(all.m('items')[column.item ?? 0]!, settings), 'items');
  const features = Object.entries(kinds).map(([name, kind]) => {
    const value = column.features?.[name];
    let f: Vector;
    if (kind === 'categorical') f = all.m(`features.${name}.table`)[(value as number) ?? 0]!;
    else if (kind === 'cyclic') f = (value as [number, number]) ?? [0, 0];
    else if (kind === 'soft') {
      const shares = softmax(all.linear([(value as number) ?? 0], `features.${name}`));
      const table = all.m(`features.${name}.table`);
      f = table[0]!.map((_, j) =>
        dot(
          shares,
          table.map((row) => row[j]!),
        ),
      );
    } else {
      f = [(value as number) ?? 0];
      if (all.has(`features.${name}.w`)) f = all.linear(f, `features.${name}`);
    }
    // Element by element every feature has the item vector's width before it is normalised.
    const isNarrow = all.has(`features.${name}.projection.w`);
    if (isNarrow) f = all.linear(f, `features.${name}.projection`);
    // A norm would make 0 of a bare number, and of a pair tell only which is the larger.
    const isBare = !isNarrow && (kind === 'cyclic' || (kind === 'numeric' && !all.has(`features.${name}.w`)));
    return isBare ? f : normed(f, name);
  });
  let together: Vector;
  if (settings.aggregation === 'concat') together = [...x, ...features.flat()];
  else if (features.length === 0) together = x;
  else {
    const one = settings.aggregation === 'element-wise' ? 1 : 0;
    together = x.map((value, j) => value * (one + features.reduce((total, f) => total + f[j]!, 0)));
  }
  if (!all.has('merge.w')) return together;
  const merged = all.linear(together, 'merge');
  return settings.form === 'paper' ? merged.map(Math.tanh) : merged.map((value) => Math.max(0, value));
}

const EPSILON = { paper: 1e-12, library: 0.03 } as const;

/** Plain attention; `sees(i, j)` says whether column i sees column j. */
function attend(at: Reader, name: string, x: Matrix, heads: number, sees: (i: number, j: number) => boolean): Matrix {
  const [q, k, v] = ['query', 'key', 'value'].map((part) => x.map((row) => at.linear(row, `${name}.${part}`)));
  const width = x[0]!.length / heads;
  return x.map((_, i) => {
    const joined = Array.from({ length: heads }, (_, h) => {
      const of = (row: Vector) => row.slice(h * width, (h + 1) * width);
      const scores = x.map((_, j) =>
        sees(i, j) ? dot(of(q![i]!), of(k![j]!)) / Math.sqrt(width) : Number.NEGATIVE_INFINITY,
      );
      const shares = softmax(scores);
      return of(v![0]!).map((_, c) => shares.reduce((total, share, j) => total + share * of(v![j]!)[c]!, 0));
    }).flat();
    return at.linear(joined, `${name}.output`);
  });
}

/** The wave of one distance. */
const wave = (distance: number, d: number): Vector => {
  const angles = Array.from({ length: d / 2 }, (_, k) => distance * 10_000 ** ((-2 * k) / d));
  return [...angles.map(Math.sin), ...angles.map(Math.cos)];
};

/** Relative attention of x over y, whose last columns are x's; keys j of y stand j − (y − x columns) from the start. */
function attendFar(
  at: Reader,
  name: string,
  x: Matrix,
  y: Matrix,
  heads: number,
  sees: (i: number, j: number) => boolean,
) {
  const [wq, wk, wv, wr, wo] = ['query', 'key', 'value', 'distance', 'output'].map((part) => at.m(`${name}.${part}`));
  const [u, w] = ['contentBias', 'distanceBias'].map((part) => at.m(`${name}.${part}`));
  const width = u![0]!.length;
  const d = x[0]!.length;
  const ahead = y.length - x.length;
  return x.map((row, i) => {
    const q = through(row, wq!);
    const joined = Array.from({ length: heads }, (_, h) => {
      const of = (all: Vector) => all.slice(h * width, (h + 1) * width);
      const visible = y.map((_, j) => sees(i, j));
      const scores = y.map((key, j) => {
        const content = dot(plus(of(q), u![h]!), of(through(key, wk!)));
        const far = dot(plus(of(q), w![h]!), of(through(wave(i + ahead - j, d), wr!)));
        return visible[j] ? (content + far) / Math.sqrt(width) : Number.NEGATIVE_INFINITY;
      });
      const shares = visible.some(Boolean) ? softmax(scores) : scores.map(() => 1 / scores.length);
      const values = y.map((key) => of(through(key, wv!)));
      return values[0]!.map((_, c) => shares.reduce((total, share, j) => total + share * values[j]![c]!, 0));
    }).flat();
    return through(joined, wo!);
  });
}

function languageModel(at: Reader, x: Matrix, settings: Settings, hidden?: (i: number, j: number) => boolean): Matrix {
  const { lm, form, nLayer, nHead, objective } = settings;
  const epsilon = EPSILON[form];
  const layers = Array.from({ length: nLayer }, (_, l) => `layers.${l}`);
  const post = (l: string, e: Matrix, a: Matrix, act: (x: number) => number, eps: number): Matrix =>
    e.map((row, t) => {
      const after = at.norm(plus(row, a[t]!), `${l}.attention.norm`, eps);
      const fed = at.linear(at.linear(after, `${l}.feed.inner`).map(act), `${l}.feed.outer`);
      return at.norm(plus(after, fed), `${l}.feed.norm`, eps);
    });
  const back = (i: number, j: number) => j <= i;
  let e = x;
  switch (lm) {
    case 'gru': {
      for (const l of layers) {
        const d = e[0]!.length;
        let h: Vector = Array(d).fill(0);
        e = e.map((row) => {
          const a = through(row, at.m(`${l}.wx`), at.v(`${l}.bx`));
          const b = through(h, at.m(`${l}.wh`), at.v(`${l}.bh`));
          h = h.map((old, j) => {
            const r = sigmoid(a[j]! + b[j]!);
            const z = sigmoid(a[d + j]! + b[d + j]!);
            const c = Math.tanh(a[2 * d + j]! + r * b[2 * d + j]!);
            return (1 - z) * c + z * old;
          });
          return h;
        });
      }
      return e;
    }
    case 'gpt2': {
      const eps = form === 'paper' ? 1e-12 : 1e-5;
      const p = at.m('positions');
      e = x.map((row, t) => plus(row, p[t]!));
      for (const l of layers) {
        const a = attend(
          at,
          `${l}.attention`,
          e.map((row) => at.norm(row, `${l}.attention.norm`, eps)),
          nHead,
          back,
        );
        e = e.map((row, t) => plus(row, a[t]!));
        e = e.map((row) => {
          const inner = at.linear(at.norm(row, `${l}.feed.norm`, eps), `${l}.feed.inner`).map(gelu);
          return plus(row, at.linear(inner, `${l}.feed.outer`));
        });
      }
      return e.map((row) => at.norm(row, 'norm', eps));
    }
    case 'bert':
    case 'electra': {
      const p = at.m('positions');
      e = x.map((row, t) => at.norm(plus(plus(row, p[t]!), at.v('segment')), 'norm', epsilon));
      for (const l of layers)
        e = post(
          l,
          e,
          attend(at, `${l}.attention`, e, nHead, () => true),
          gelu,
          epsilon,
        );
      return e;
    }
    case 'transformer-xl': {
      // The library puts one empty slot before the clicks, and by mistake shows each click only itself.
      const slots: Matrix = form === 'library' ? [x[0]!.map(() => 0)] : [];
      const sees = (i: number, j: number) => (slots.length ? j === i + 1 : j <= i);
      const relu = (value: number) => Math.max(0, value);
      for (const l of layers) {
        e = post(l, e, attendFar(at, `${l}.attention`, e, [...slots, ...e], nHead, sees), relu, 1e-5);
      }
      return e;
    }
    case 'xlnet': {
      const sees = objective === 'clm' ? back : () => true;
      let g = hidden && x.map(() => at.v('query'));
      for (const l of layers) {
        const block = (rows: Matrix, visible: (i: number, j: number) => boolean) =>
          post(l, rows, attendFar(at, `${l}.attention`, rows, e, nHead, visible), gelu, epsilon);
        const asked = g && block(g, (i, j) => !hidden!(i, j));
        e = block(e, hidden ? (i, j) => i === j || !hidden(i, j) : sees);
        g = asked;
      }
      return g ?? e;
    }
  }
}

/** h of every column. */
export function states(
  weights: Weights,
  columns: readonly Column[],
  settings: Settings,
  kinds: Kinds = {},
  hidden?: (i: number, j: number) => boolean,
): Matrix {
  const x = columns.map((column) => merge(weights, column, kinds, settings));
  return languageModel(reader(weights, 'lm.'), x, settings, hidden);
}

/** Scores of items 1…n, and of padding in the library's form, whose column 0 it is. */
export function scores(weights: Weights, h: Vector, settings: Settings): Vector {
  const { form, scoring, temperature } = settings;
  const at = reader(weights, '');
  const projected = at.has('output.w') ? at.linear(h, 'output') : h;
  const c = unit(form === 'paper' ? projected.map(Math.tanh) : projected, settings);
  const all = at
    .m('items')
    .map((row, j) => dot(c, unit(row, settings)) + (at.has('bias') ? at.v('bias')[j]! : 0))
    .map((s) => (scoring === 'cosine' ? s / temperature! : s));
  return form === 'paper' ? all.slice(1) : all;
}

/** Cross-entropy with label smoothing: paper ε over the other items, library ε over all columns. */
export function smoothed(s: Vector, column: number, epsilon: number, form: 'paper' | 'library'): number {
  const logs = softmax(s).map(Math.log);
  const others = form === 'paper' ? epsilon / (s.length - 1) : epsilon / s.length;
  return -logs.reduce((total, log, j) => {
    const own = form === 'paper' ? 1 - epsilon : 1 - epsilon + epsilon / s.length;
    return total + (j === column ? own : others) * log;
  }, 0);
}

/** The logit of each column: was it replaced? */
export function replacedLogits(
  weights: Weights,
  columns: readonly Column[],
  settings: Settings,
  kinds: Kinds = {},
): Vector {
  const at = reader(weights, 'discriminator.');
  return states(weights, columns, settings, kinds).map((h) => {
    const dense = at.linear(h, 'dense').map(settings.form === 'paper' ? Math.tanh : gelu);
    return at.linear(dense, 'score')[0]!;
  });
}

/** Binary cross-entropy of a logit. */
export const binary = (logit: number, isReplaced: boolean): number =>
  Math.log1p(Math.exp(-Math.abs(logit))) + Math.max(logit, 0) - (isReplaced ? logit : 0);
