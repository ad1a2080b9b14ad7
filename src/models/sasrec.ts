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
 * gSASRec — Petrov & Macdonald, "gSASRec: Reducing Overconfidence in Sequential Recommendation Trained with Negative
 * Sampling", RecSys 2023, https://arxiv.org/abs/2308.07192 — is form `tf` without √d (`inputScale: 'none'`), with a
 * table of its own for scores (`reuseItemEmbeddings: false`) and the loss `gbce`.
 *
 * `scoring: 'cosine'`, see `scoring.ts`: every E[x], E[j] and cₜ has length 1, and scores are divided by a temperature.
 *
 * `repeatLags`, see `repeats.ts`: items of the session get a learned score on top.
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
import type { SessionInput } from '../types';
import { linearParams } from './linear-params';
import type { Params, Prepared, PreparedTensors, Run, SessionModel } from './model';
import { padClicks } from './padding';
import { repeatsOf } from './repeats';
import { options, type SasrecConfig } from './sasrec-options';
import { firstPosition, masksPadding, projectsOutput, sasrecParameters } from './sasrec-parameters';
import { trainingConflict, trainingPlan } from './sasrec-training';
import { clickVectors, scaleOf, scoringTable, scoringVector } from './scoring';

export type { SasrecConfig } from './sasrec-options';

/**
 * Whether a batch need not be wider than its longest session: real clicks must see no padding key. On the right,
 * padding is in every click's future.
 */
const trims = (config: SasrecConfig) => config.positions === 'start' || masksPadding(config);

/** @param name The architecture, for messages. */
export function checkSasrec(config: SasrecConfig, name = 'sasrec'): void {
  const { hiddenUnits, numHeads } = config;
  const refuse = (message: string): never => {
    throw new RecommenderError('bad-config', `${name}: ${message}`);
  };
  if (hiddenUnits % numHeads !== 0) {
    refuse(`"hiddenUnits" must be a multiple of "numHeads", got ${hiddenUnits} and ${numHeads}.`);
  }
  const conflict = trainingConflict(config);
  if (conflict) refuse(conflict);
}

/** Padded on the left for positions counted from the end, on the right for those from the start. */
function prepare(sessions: readonly SessionInput[], config: SasrecConfig): Prepared {
  const side = config.positions === 'end' ? 'left' : 'right';
  return padClicks(sessions, { side, maxLength: config.maxlen, trims: trims(config) });
}

/** e = (dropout(√d E[x] + P)) ⊙ m, `[B · W, d]`. */
function embed(params: Params, prepared: PreparedTensors, config: SasrecConfig, { dropout }: Run): Tensor2D {
  const { hiddenUnits: d, maxlen, positions, dropoutRate, dropoutEmbed } = config;
  const items = prepared.items as Tensor2D;
  const [batch, width] = items.shape;
  const offset = firstPosition(config) + (positions === 'end' ? maxlen - width : 0);
  const p = slice(params.positions as Tensor2D, [offset, 0], [width, d]);
  const x = clickVectors(params.items as Tensor2D, items, config, scaleOf(config, d, 'sqrt'));
  const e = dropout(add(reshape(x, [batch, width, d]), p), dropoutEmbed < 0 ? dropoutRate : dropoutEmbed);
  return mask(reshape(e, [batch * width, d]), prepared);
}

/** Zeroes the rows of padding; also keeps gradients away from the padding rows of both tables. */
const mask = (e: Tensor2D, prepared: PreparedTensors): Tensor2D => (prepared.mask ? mul(e, prepared.mask) : e);

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
export function sasrecHidden(
  params: Params,
  prepared: PreparedTensors,
  config: SasrecConfig,
  run: Run,
  lastOnly: boolean,
): Tensor2D {
  const { numBlocks, numHeads, norm, positions, dropoutRate, activation } = config;
  const layerNormOf = (name: string, x: Tensor2D): Tensor2D =>
    layerNorm(x, params[`${name}.gain`] as Tensor1D, params[`${name}.bias`] as Tensor1D, config.layerNormEps);
  const batch = prepared.items!.shape[0]!;
  const allBias = lastOnly && numBlocks === 1 ? undefined : attentionBias(prepared, config, false);
  // Only padding on the left sees no key; form tf zeroes it after each block anyway.
  const seesNothing = norm !== 'tf' && positions === 'end' && masksPadding(config);
  let e = embed(params, prepared, config, run);
  for (let b = 0; b < numBlocks; b++) {
    const narrow = lastOnly && b === numBlocks - 1;
    const pick = (x: Tensor2D): Tensor2D => (narrow ? gather(x, prepared.last as Tensor1D) : x);
    const ln = (x: Tensor2D, layer: string) => layerNormOf(`blocks.${b}.${layer}.norm`, x);
    const attend = (x: Tensor2D, y: Tensor2D) =>
      attention(attentionParams(params, `blocks.${b}.attention`, config), x, y, {
        batch,
        heads: numHeads,
        bias: narrow ? attentionBias(prepared, config, true) : allBias,
        queryMask: seesNothing && !narrow ? (prepared.mask as Tensor2D | undefined) : undefined,
        dropout: (weights) => run.dropout(weights, dropoutRate),
      } satisfies AttentionOptions);
    const feed = (x: Tensor2D) =>
      feedForward(x, linearParams(params, `blocks.${b}.feed.inner`), linearParams(params, `blocks.${b}.feed.outer`), {
        activation: activation === 'auto' ? 'relu' : activation,
        dropout: (y) => run.dropout(y, dropoutRate),
      });
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
  return layerNormOf('norm', e);
}

export const sasrec: SessionModel<SasrecConfig> = {
  name: 'sasrec',
  paper: 'Kang & McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018, https://arxiv.org/abs/1808.09781',
  options,
  check: (config) => checkSasrec(config),
  parameters: (config, catalogue) => sasrecParameters(config, catalogue),
  prepare,
  encode: (params, prepared, config, run) => scoringVector(sasrecHidden(params, prepared, config, run, true), config),
  positions: {
    column: (t, n, width, { positions }) => (positions === 'end' ? width - n + t : t),
    trims,
    encode: (params, prepared, config, run) =>
      scoringVector(sasrecHidden(params, prepared, config, run, false), config),
  },
  outputs: (params, config) => ({
    table: scoringTable(params[config.reuseItemEmbeddings ? 'items' : 'outputs'] as Tensor2D, config),
    ...repeatsOf(params),
  }),
  training: (config) => trainingPlan(config, config.maxlen),
};
