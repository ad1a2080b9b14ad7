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
import { RecommenderError } from '../errors';
import { type AttentionOptions, type AttentionParams, attention, causalBias, keyBias } from '../nn/attention';
import { feedForward } from '../nn/feed-forward';
import { layerNorm } from '../nn/layer-norm';
import { linearParams } from '../nn/linear';
import type { Catalogue, SessionInput } from '../types';
import type { Initialiser, ParameterSpec, Params, Prepared, PreparedTensors, Run, SessionModel } from './model';
import { padClicks } from './padding';
import { glorotNormal, glorotUniform } from './parameters';
import { repeatsOf, repeatsSpec } from './repeat-bias';
import { options, removed, type SasrecConfig, trainingConflict } from './sasrec-options';
import { clickVectors, factorOf, scaleOf, scoringTable, scoringVector } from './scoring';

export type { SasrecConfig } from './sasrec-options';

/** What the form's reference does, unless the configuration says otherwise. */
const choose = (setting: SasrecConfig['maskPadding'], automatic: boolean) =>
  String(setting) === 'auto' ? automatic : String(setting) === 'true';

/** Whether a linear layer follows the joined attention heads. */
const projectsOutput = ({ outputProjection, norm }: SasrecConfig) => choose(outputProjection, norm !== 'tf');

/** Whether attention leaves out padding keys. */
const masksPadding = ({ maskPadding, norm }: SasrecConfig) => choose(maskPadding, norm === 'tf');

/** The port gives padding a position of its own, row 0 of the table: it is zero and stays so. */
const firstPosition = ({ norm }: SasrecConfig) => (norm === 'tf' ? 0 : 1);

/** How each kind of parameter starts. */
interface Starts {
  /** Of tables, `[rows, d]`. */
  readonly table: (rows: number, d: number) => Initialiser;
  /** Of matrices, `[from, to]`; `drawn` is the number of columns of the matrix that it is a part of. */
  readonly matrix: (from: number, to: number, drawn?: number) => Initialiser;
  /** Of the biases of the attention and of the feed-forward layer that read `from` numbers. */
  readonly attentionBias: (from: number) => Initialiser;
  readonly feedBias: (from: number) => Initialiser;
}

const ZEROS: Initialiser = { kind: 'zeros' };
/** PyTorch's linear layers, matrix and bias. */
const byFanIn = (from: number): Initialiser => ({ kind: 'uniform', limit: 1 / Math.sqrt(from) });

function starts({ init, initStd, norm }: SasrecConfig): Starts {
  if (init === 'torch') {
    return {
      table: () => ({ kind: 'normal', std: 1 }),
      matrix: byFanIn,
      attentionBias: byFanIn,
      feedBias: byFanIn,
    };
  }
  if (init === 'normal') {
    const normal = (): Initialiser => ({ kind: 'normal', std: initStd });
    return { table: normal, matrix: normal, attentionBias: () => ZEROS, feedBias: () => ZEROS };
  }
  if (norm === 'tf') {
    const matrix = (from: number, to: number) => glorotUniform(from, to);
    return { table: glorotUniform, matrix, attentionBias: () => ZEROS, feedBias: () => ZEROS };
  }
  return {
    table: glorotNormal,
    matrix: (from, to, drawn = to) => glorotNormal(drawn, from),
    attentionBias: () => ZEROS,
    feedBias: byFanIn,
  };
}

/**
 * @param special Rows of the item table after those of the items, for special tokens; the rest starts as without them.
 */
export function sasrecParameters(
  config: SasrecConfig,
  { items: n }: Catalogue,
  special = 0,
): Record<string, ParameterSpec> {
  const { hiddenUnits: d, innerSize, maxlen, numBlocks, reuseItemEmbeddings } = config;
  const { table, matrix, attentionBias, feedBias } = starts(config);
  const specs: Record<string, ParameterSpec> = {};
  const gainAndBias = (name: string) => {
    specs[`${name}.gain`] = { shape: [d], init: { kind: 'ones' } };
    specs[`${name}.bias`] = { shape: [d], init: ZEROS };
  };
  const inner = innerSize || d;
  const rows = maxlen + firstPosition(config);
  specs.items = { shape: [n + 1 + special, d], init: table(n + 1, d), rows: reuseItemEmbeddings ? 'both' : 'input' };
  if (!reuseItemEmbeddings) specs.outputs = { shape: [n + 1, d], init: table(n + 1, d), rows: 'output' };
  specs.positions = { shape: [rows, d], init: table(rows, d), zeroRow: firstPosition(config) > 0 };
  for (let b = 0; b < numBlocks; b++) {
    const of = `blocks.${b}.attention`;
    gainAndBias(`${of}.norm`);
    // PyTorch keeps query, key and value in one [3d, d] matrix, and draws it as such.
    const parts = { query: 3 * d, key: 3 * d, value: 3 * d, ...(projectsOutput(config) && { output: d }) };
    for (const [part, drawn] of Object.entries(parts)) {
      specs[`${of}.${part}.w`] = { shape: [d, d], init: matrix(d, d, drawn) };
      specs[`${of}.${part}.b`] = { shape: [d], init: attentionBias(d) };
    }
    gainAndBias(`blocks.${b}.feed.norm`);
    for (const [part, from, to] of [
      ['inner', d, inner],
      ['outer', inner, d],
    ] as const) {
      specs[`blocks.${b}.feed.${part}.w`] = { shape: [from, to], init: matrix(from, to) };
      specs[`blocks.${b}.feed.${part}.b`] = { shape: [to], init: feedBias(from) };
    }
  }
  gainAndBias('norm');
  return { ...specs, ...repeatsSpec(config) };
}

/**
 * Whether a batch need not be wider than its longest session: real clicks must see no padding key. On the right,
 * padding is in every click's future.
 */
export const trims = (config: SasrecConfig) => config.positions === 'start' || masksPadding(config);

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
      attention: (q, k) =>
        attention(attentionParams(params, `${name}.attention`, config), q, k, {
          batch,
          heads: numHeads,
          bias: narrow ? attentionBias(prepared, config, true) : allBias,
          queryMask: seesNothing && !narrow ? (prepared.mask as Tensor2D | undefined) : undefined,
          dropout,
        } satisfies AttentionOptions),
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
  name: 'sasrec',
  paper: 'Kang & McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018, https://arxiv.org/abs/1808.09781',
  options,
  removed,
  epochsOption: 'numEpochs',
  check: (config) => checkSasrec(config),
  parameters: (config, catalogue) => sasrecParameters(config, catalogue),
  prepare,
  encode: (params, prepared, config, run) => scoringVector(sasrecHidden(params, prepared, config, run, true), config),
  logitScale: ({ loss }) => (loss === 'ce' || loss === 'sampled' ? 1 : undefined),
  outputs: (params, config) => ({
    table: scoringTable(params[config.reuseItemEmbeddings ? 'items' : 'outputs'] as Tensor2D, config),
    ...repeatsOf(params),
  }),
};
