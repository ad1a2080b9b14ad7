/**
 * SASRec — Kang & McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018, https://arxiv.org/abs/1808.09781.
 *
 *     e  = (dropout(√d E[x] + P)) ⊙ m          clicks x embedded, positions added; m is 0 at padding
 *     form `tf`, the official TensorFlow code (residuals from the normalised values):
 *         q = LN₁(e)   u = q + attention(q, e)   w = LN₂(u)   e ← (w + FFN(w)) ⊙ m
 *     form `pre`:
 *         n = LN₁(e)   u = e + attention(n, n)                e ← u + FFN(LN₂(u))
 *     form `post`:
 *         u = LN₁(e + attention(e, e))                        e ← LN₂(u + FFN(u))
 *     cₜ = LN(e)ₜ                              after all blocks: the session up to click t
 *     sⱼ = cₜ · E[j]                           the unscaled input table scores
 *
 * attention(q, k) is causal, with values from k; FFN(w) = dropout(dropout(relu(w W₁ + b₁)) W₂ + b₂), both `[d, d]`.
 *
 * Forms: `tf` masks padding keys and has no output projection after the heads; `pre` and `post` are today's PyTorch
 * port by pmixer, which projects and lets padding keys take part. `outputProjection` and `maskPadding` override that:
 * the port of 2020 is `tf` with the projection and without the mask.
 *
 * Differs from the paper: the default loss is cross-entropy over the catalogue, which costs little below some ten
 * thousand items and ranks far better than one sampled negative; each session is a row where the paper has users.
 */
import {
  add,
  gather,
  minimum,
  mul,
  reshape,
  slice,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import { RecommenderError } from '../errors';
import { type AttentionOptions, type AttentionParams, attention, causalBias, keyBias } from '../nn/attention';
import { feedForward } from '../nn/feed-forward';
import { layerNorm } from '../nn/layer-norm';
import type { LinearParams } from '../nn/linear';
import type { Catalogue, SessionInput } from '../types';
import type {
  Initialiser,
  ObjectiveSpec,
  ParameterSpec,
  Params,
  Prepared,
  PreparedTensors,
  Run,
  SessionModel,
} from './model';
import { glorotNormal, glorotUniform } from './parameters';
import { options, type SasrecConfig } from './sasrec-options';

export type { SasrecConfig } from './sasrec-options';

/** ε of every layer norm, in all codes. */
const EPSILON = 1e-8;

/** What the form's reference does, unless the configuration says otherwise. */
const choose = (setting: SasrecConfig['maskPadding'], automatic: boolean) =>
  String(setting) === 'auto' ? automatic : String(setting) === 'true';
const projectsOutput = ({ outputProjection, norm }: SasrecConfig) => choose(outputProjection, norm !== 'tf');
const masksPadding = ({ maskPadding, norm }: SasrecConfig) => choose(maskPadding, norm === 'tf');

/** The port gives padding a position of its own, row 0 of the table: it is zero and stays so. */
const firstPosition = ({ norm }: SasrecConfig) => (norm === 'tf' ? 0 : 1);

/**
 * Whether a batch need not be wider than its longest session: real clicks must see no padding key. On the right,
 * padding is in every click's future.
 */
const trims = (config: SasrecConfig) => config.positions === 'start' || masksPadding(config);

function check({ hiddenUnits, numHeads }: SasrecConfig): void {
  if (hiddenUnits % numHeads !== 0) {
    throw new RecommenderError(
      'bad-config',
      `sasrec: "hiddenUnits" must be a multiple of "numHeads", got ${hiddenUnits} and ${numHeads}.`,
    );
  }
}

function parameters(config: SasrecConfig, { items: n }: Catalogue): Record<string, ParameterSpec> {
  const { hiddenUnits: d, maxlen, numBlocks, norm } = config;
  const port = norm !== 'tf';
  const glorot = port ? glorotNormal : glorotUniform;
  const zeros: ParameterSpec = { shape: [d], init: { kind: 'zeros' } };
  const specs: Record<string, ParameterSpec> = {};
  const matrix = (name: string, init: Initialiser = glorot(d, d), bias: ParameterSpec = zeros) => {
    specs[`${name}.w`] = { shape: [d, d], init };
    specs[`${name}.b`] = bias;
  };
  const gainAndBias = (name: string) => {
    specs[`${name}.gain`] = { shape: [d], init: { kind: 'ones' } };
    specs[`${name}.bias`] = zeros;
  };
  const rows = maxlen + firstPosition(config);
  specs.items = { shape: [n + 1, d], init: glorot(n + 1, d), rows: 'both' };
  specs.positions = { shape: [rows, d], init: glorot(rows, d), zeroRow: port };
  for (let b = 0; b < numBlocks; b++) {
    const of = `blocks.${b}.attention`;
    gainAndBias(`${of}.norm`);
    // PyTorch keeps query, key and value in one [3d, d] matrix, and draws it as such.
    for (const name of ['query', 'key', 'value']) matrix(`${of}.${name}`, port ? glorot(3 * d, d) : glorot(d, d));
    if (projectsOutput(config)) matrix(`${of}.output`);
    gainAndBias(`blocks.${b}.feed.norm`);
    const bias: ParameterSpec = port ? { shape: [d], init: { kind: 'uniform', limit: 1 / Math.sqrt(d) } } : zeros;
    for (const name of ['inner', 'outer']) matrix(`blocks.${b}.feed.${name}`, glorot(d, d), bias);
  }
  gainAndBias('norm');
  return specs;
}

/**
 * - `items` `[B, W]`: padded on the left for positions counted from the end, on the right for those from the start.
 *   W is `maxlen`, or the longest session's length where padding cannot matter.
 * - `mask` `[B · W, 1]`: 1 at clicks, 0 at padding; left out of a batch that has no padding.
 * - `last` `[B]`: the row of `[B · W]` that holds the session's last click.
 */
function prepare(sessions: readonly SessionInput[], config: SasrecConfig): Prepared {
  const { maxlen, positions } = config;
  const lengths = sessions.map(({ items }) => Math.min(items.length, maxlen));
  const width = trims(config) ? Math.max(1, ...lengths) : maxlen;
  const items = new Int32Array(sessions.length * width);
  const mask = new Float32Array(items.length);
  const last = new Int32Array(sessions.length);
  sessions.forEach((session, row) => {
    const n = lengths[row]!;
    const first = row * width + (positions === 'end' ? width - n : 0);
    for (let t = 0; t < n; t++) items[first + t] = session.items[session.items.length - n + t]!;
    mask.fill(1, first, first + n);
    last[row] = first + Math.max(n, 1) - 1;
  });
  const prepared = {
    items: { data: items, shape: [sessions.length, width], items: true as const },
    last: { data: last, shape: [sessions.length] },
  };
  return mask.every((real) => real === 1) ? prepared : { ...prepared, mask: { data: mask, shape: [mask.length, 1] } };
}

/** e = (dropout(√d E[x] + P)) ⊙ m, `[B · W, d]`. */
function embed(params: Params, prepared: PreparedTensors, config: SasrecConfig, { dropout }: Run): Tensor2D {
  const { hiddenUnits: d, maxlen, positions, dropoutRate } = config;
  const items = prepared.items as Tensor2D;
  const [batch, width] = items.shape;
  const offset = firstPosition(config) + (positions === 'end' ? maxlen - width : 0);
  const p = slice(params.positions as Tensor2D, [offset, 0], [width, d]);
  const e = dropout(add(mul(gather(params.items as Tensor2D, items), Math.sqrt(d)), p), dropoutRate);
  return mask(reshape(e, [batch * width, d]), prepared);
}

/** Zeroes the rows of padding; also keeps gradients away from the padding rows of both tables. */
const mask = (e: Tensor2D, prepared: PreparedTensors): Tensor2D => (prepared.mask ? mul(e, prepared.mask) : e);

const linearParams = (params: Params, name: string): LinearParams => ({
  w: params[`${name}.w`] as Tensor2D,
  b: params[`${name}.b`] as Tensor1D,
});

function attentionParams(params: Params, name: string, config: SasrecConfig): AttentionParams {
  const of = (part: string) => linearParams(params, `${name}.${part}`);
  const weights = { query: of('query'), key: of('key'), value: of('value') };
  return projectsOutput(config) ? { ...weights, output: of('output') } : weights;
}

/**
 * Which keys the queries see: those of every click, or only that of the last one. Padding on the right needs no mask
 * beside the causal one, which the last click alone goes without.
 */
function attentionBias(prepared: PreparedTensors, config: SasrecConfig, lastOnly: boolean): Tensor4D | undefined {
  const [batch, width] = (prepared.items as Tensor2D).shape;
  const hidesPadding = config.positions === 'start' ? lastOnly : masksPadding(config);
  const keys = hidesPadding && prepared.mask ? keyBias(prepared.mask as Tensor2D, batch) : undefined;
  if (lastOnly || width === 1) return keys;
  return keys ? minimum(causalBias(width), keys) : causalBias(width);
}

/**
 * The session after each click, `[B · W, d]`, or after the last one, `[B, d]`. Then the last block computes queries,
 * feed-forward and norms for that click alone; its keys and values still come from all clicks.
 */
function hidden(
  params: Params,
  prepared: PreparedTensors,
  config: SasrecConfig,
  run: Run,
  lastOnly: boolean,
): Tensor2D {
  const { numBlocks, numHeads, norm, positions, dropoutRate } = config;
  const batch = prepared.items!.shape[0]!;
  const allBias = lastOnly && numBlocks === 1 ? undefined : attentionBias(prepared, config, false);
  // Only padding on the left sees no key; form tf zeroes it after each block anyway.
  const seesNothing = norm !== 'tf' && positions === 'end' && masksPadding(config);
  let e = embed(params, prepared, config, run);
  for (let b = 0; b < numBlocks; b++) {
    const narrow = lastOnly && b === numBlocks - 1;
    const pick = (x: Tensor2D): Tensor2D => (narrow ? gather(x, prepared.last as Tensor1D) : x);
    const ln = (x: Tensor2D, layer: string) => layerNormOf(params, `blocks.${b}.${layer}.norm`, x);
    const attend = (x: Tensor2D, y: Tensor2D) =>
      attention(attentionParams(params, `blocks.${b}.attention`, config), x, y, {
        batch,
        heads: numHeads,
        bias: narrow ? attentionBias(prepared, config, true) : allBias,
        queryMask: seesNothing && !narrow ? (prepared.mask as Tensor2D | undefined) : undefined,
        dropout: (weights) => run.dropout(weights, dropoutRate),
      } satisfies AttentionOptions);
    const feed = (x: Tensor2D) =>
      feedForward(
        x,
        linearParams(params, `blocks.${b}.feed.inner`),
        linearParams(params, `blocks.${b}.feed.outer`),
        (y) => run.dropout(y, dropoutRate),
      );
    switch (norm) {
      case 'tf': {
        const q = ln(pick(e), 'attention');
        const w = ln(add(attend(q, e), q), 'feed');
        const next: Tensor2D = add(feed(w), w);
        e = narrow ? next : mask(next, prepared);
        break;
      }
      case 'pre': {
        const n = ln(e, 'attention');
        const u: Tensor2D = add(pick(e), attend(pick(n), n));
        e = add(u, feed(ln(u, 'feed')));
        break;
      }
      case 'post': {
        const x = pick(e);
        const u = ln(add(x, attend(x, e)), 'attention');
        e = ln(add(u, feed(u)), 'feed');
        break;
      }
    }
  }
  return layerNormOf(params, 'norm', e);
}

const layerNormOf = (params: Params, name: string, x: Tensor2D): Tensor2D =>
  layerNorm(x, params[`${name}.gain`] as Tensor1D, params[`${name}.bias`] as Tensor1D, EPSILON);

function objective({ loss, negatives, nSample, sampleAlpha, logq, l2Emb }: SasrecConfig): ObjectiveSpec {
  const l2 = { weight: l2Emb, params: ['items'], power: 2 } as const;
  switch (loss) {
    case 'ce':
      return { loss: 'cross-entropy', negatives: { kind: 'catalogue' }, reduction: 'mean', l2 };
    case 'sampled':
      return {
        loss: 'cross-entropy',
        negatives: { kind: 'shared', inBatch: false, extra: nSample, alpha: sampleAlpha },
        logq,
        maskHits: true,
        reduction: 'mean',
        l2,
      };
    case 'bce': {
      const spec = { kind: 'per-position', count: negatives, reject: 'session' } as const;
      return { loss: 'bce', negatives: spec, reduction: 'mean', l2 };
    }
  }
}

export const sasrec: SessionModel<SasrecConfig> = {
  name: 'sasrec',
  paper: 'Kang & McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018, https://arxiv.org/abs/1808.09781',
  options,
  check,
  parameters,
  prepare,
  encode: (params, prepared, config, run) => hidden(params, prepared, config, run, true),
  positions: {
    column: (t, n, width, { positions }) => (positions === 'end' ? width - n + t : t),
    encode: (params, prepared, config, run) => hidden(params, prepared, config, run, false),
  },
  outputs: (params) => ({ table: params.items as Tensor2D }),
  training: (config) => ({
    rows: { kind: 'sequences', maxLength: config.maxlen, sampling: config.sampling },
    batchSize: config.batchSize,
    epochs: config.numEpochs,
    objective: objective(config),
    optimiser: {
      kind: 'adam',
      learningRate: config.lr,
      beta1: 0.9,
      beta2: 0.98,
      epsilon: 1e-8,
      weightDecay: { amount: 0, kind: 'coupled' },
      touchedRows: false,
    },
    schedule: { kind: config.lrSchedule },
  }),
};
