/**
 * SASRec — Kang & McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018, https://arxiv.org/abs/1808.09781.
 *
 *     e  = (dropout(√d E[x] + P)) ⊙ m          clicks x embedded, positions added; m is 0 at padding
 *     e  ← block(e)                            numBlocks times; form `tf`, the official TensorFlow code, has residuals from
 *                                              the normalised values, `pre` and `post` norms before and after the layers
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
 * `repeatLags`, see `repeat-bias.ts`: items of the session get a learned score on top.
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
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
} from '@tensorflow/tfjs';
import { type AttentionParams, attention, causalBias, keyBias } from '../nn/attention';
import { feedForward } from '../nn/feed-forward';
import { layerNorm } from '../nn/layer-norm';
import { linearParams } from '../nn/linear';
import { oneQueryAttention } from '../nn/one-query-attention';
import type { Params, PreparedTensors, Run, SessionModel } from './model';
import { repeatsOf } from './repeat-bias';
import { firstPosition, masksPadding, projectsOutput, type SasrecConfig, sasrecSpec } from './sasrec-spec';
import { clickVectors, factorOf, scaleOf, scoringTable, scoringVector } from './scoring';

export type { SasrecConfig } from './sasrec-spec';

const inputScale = (config: SasrecConfig): number =>
  config.inputScale === 'auto'
    ? scaleOf(config, config.hiddenUnits, 'sqrt')
    : factorOf(config.inputScale, config.hiddenUnits);

/** e = (dropout(√d E[x] + P)) ⊙ m, `[B · W, d]`. */
function embed(params: Params, prepared: PreparedTensors, config: SasrecConfig, { dropout }: Run): Tensor2D {
  const { hiddenUnits: d, maxlen, positions, dropoutRate, dropoutEmbed } = config;
  const items = prepared.items as Tensor2D;
  const [batch, width] = items.shape;
  const offset = firstPosition(config) + (positions === 'end' ? maxlen - width : 0);
  const p = slice(params.positions as Tensor2D, [offset, 0], [width, d]);
  const x = clickVectors(params.items as Tensor2D, items, config, inputScale(config));
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

/** The layers of one block, and which rows it computes. */
interface Layers {
  /** LN₁ before or after the attention, LN₂ before or after the feed-forward layers. */
  readonly ln1: (x: Tensor2D) => Tensor2D;
  readonly ln2: (x: Tensor2D) => Tensor2D;
  /** attention(q, k), with values from k. */
  readonly attention: (q: Tensor2D, k: Tensor2D) => Tensor2D;
  readonly ffn: (w: Tensor2D) => Tensor2D;
  /** The rows that go on: all, or in the last block those of the last clicks alone. */
  readonly pick: (x: Tensor2D) => Tensor2D;
  /** x ⊙ m, where all rows go on. */
  readonly mask: (x: Tensor2D) => Tensor2D;
}

/** `tf`: q = LN₁(e)   u = q + attention(q, e)   w = LN₂(u)   e ← (w + FFN(w)) ⊙ m */
function tfBlock(e: Tensor2D, { ln1, ln2, attention, ffn, pick, mask }: Layers): Tensor2D {
  const q = ln1(pick(e));
  const w = ln2(add(attention(q, e), q));
  return mask(add(ffn(w), w));
}

/** `pre`: n = LN₁(e)   u = e + attention(n, n)   e ← u + FFN(LN₂(u)) */
function preBlock(e: Tensor2D, { ln1, ln2, attention, ffn, pick }: Layers): Tensor2D {
  const n = ln1(e);
  const u: Tensor2D = add(pick(e), attention(pick(n), n));
  return add(u, ffn(ln2(u)));
}

/** `post`: u = LN₁(e + attention(e, e))   e ← LN₂(u + FFN(u)) */
function postBlock(e: Tensor2D, { ln1, ln2, attention, ffn, pick }: Layers): Tensor2D {
  const x = pick(e);
  const u = ln1(add(x, attention(x, e)));
  return ln2(add(u, ffn(u)));
}

const BLOCKS = { tf: tfBlock, pre: preBlock, post: postBlock };

/**
 * The session after each click, `[B · W, d]`, or after the last one, `[B, d]`. Then the last block computes queries,
 * feed-forward and norms for that click alone, and attends to all clicks.
 */
export function sasrecHidden(
  params: Params,
  prepared: PreparedTensors,
  config: SasrecConfig,
  run: Run,
  lastOnly: boolean,
): Tensor2D {
  const { numBlocks, numHeads, norm, positions, dropoutRate, activation } = config;
  const layerNormOf = (name: string) => (x: Tensor2D) =>
    layerNorm(x, params[`${name}.gain`] as Tensor1D, params[`${name}.bias`] as Tensor1D, config.layerNormEps);
  const dropout = <T extends Tensor>(x: T): T => run.dropout(x, dropoutRate);
  const batch = prepared.items!.shape[0]!;
  const allBias = lastOnly && numBlocks === 1 ? undefined : attentionBias(prepared, config, false);
  // Only padding on the left sees no key; form tf zeroes it after each block anyway.
  const seesNothing = norm !== 'tf' && positions === 'end' && masksPadding(config);
  let e = embed(params, prepared, config, run);
  for (let b = 0; b < numBlocks; b++) {
    const narrow = lastOnly && b === numBlocks - 1;
    const name = `blocks.${b}`;
    e = BLOCKS[norm](e, {
      ln1: layerNormOf(`${name}.attention.norm`),
      ln2: layerNormOf(`${name}.feed.norm`),
      attention: (q, k) => {
        const of = attentionParams(params, `${name}.attention`, config);
        const options = { batch, heads: numHeads, bias: narrow ? attentionBias(prepared, config, true) : allBias };
        if (narrow && run.isAnswer) return oneQueryAttention(of, q, k, options);
        const queryMask = seesNothing && !narrow ? (prepared.mask as Tensor2D | undefined) : undefined;
        return attention(of, q, k, { ...options, queryMask, dropout });
      },
      ffn: (w) =>
        feedForward(w, linearParams(params, `${name}.feed.inner`), linearParams(params, `${name}.feed.outer`), {
          activation: activation === 'auto' ? 'relu' : activation,
          dropout,
        }),
      pick: (x) => (narrow ? gather(x, prepared.last as Tensor1D) : x),
      mask: (x) => (narrow ? x : mask(x, prepared)),
    });
  }
  return layerNormOf('norm')(e);
}

export const sasrec: SessionModel<SasrecConfig> = {
  ...sasrecSpec,
  encode: (params, prepared, config, run) => scoringVector(sasrecHidden(params, prepared, config, run, true), config),
  outputs: (params, config) => ({
    table: scoringTable(params[config.reuseItemEmbeddings ? 'items' : 'outputs'] as Tensor2D, config),
    ...repeatsOf(params),
  }),
};
