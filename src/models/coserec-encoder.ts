/**
 * The encoder of CoSeRec's code, https://github.com/YChen1993/CoSeRec, which calls it SASRec: BERT's blocks with a causal
 * mask. It is here so that weights trained there load.
 *
 *     e = dropout(LN(E[x] + P))                          no √d; padding is a click like any other
 *     u = LN(e + dropout(attention(e, e) Wo + bo))
 *     e ← LN(u + dropout(gelu(u W₁ + b₁) W₂ + b₂))       W₁ `[d, 4d]`
 *
 * A masked key's score is lowered by 10,000. A padding query sees only masked keys, so it attends to all, the future
 * among them; nothing reads what comes of that but a view, which is all vectors in a row.
 */
import { add, gather, minimum, reshape, type Tensor1D, type Tensor2D, type Tensor4D } from '@tensorflow/tfjs';
import { attention, causalBias, keyBias } from '../nn/attention';
import { feedForward } from '../nn/feed-forward';
import { layerNorm } from '../nn/layer-norm';
import { linearParams } from '../nn/linear';
import type { Catalogue } from '../types';
import type { Cl4srecConfig } from './cl4srec-options';
import type { Initialiser, ParameterSpec, Params, PreparedTensors, Run } from './model';

/** What the code adds to the score of a masked key. */
const HIDDEN = -10_000;

/** @param special Rows of the item table after those of the items. */
export function coserecParameters(
  { hiddenUnits: d, innerSize, maxlen, numBlocks, initStd }: Cl4srecConfig,
  { items: n }: Catalogue,
  special: number,
): Record<string, ParameterSpec> {
  const normal: Initialiser = { kind: 'normal', std: initStd };
  const specs: Record<string, ParameterSpec> = {};
  const linear = (name: string, from: number, to: number) => {
    specs[`${name}.w`] = { shape: [from, to], init: normal };
    specs[`${name}.b`] = { shape: [to], init: { kind: 'zeros' } };
  };
  const norm = (name: string) => {
    specs[`${name}.gain`] = { shape: [d], init: { kind: 'ones' } };
    specs[`${name}.bias`] = { shape: [d], init: { kind: 'zeros' } };
  };
  const inner = innerSize || 4 * d;
  specs.items = { shape: [n + 1 + special, d], init: normal, rows: 'both' };
  specs.positions = { shape: [maxlen, d], init: normal };
  norm('norm');
  for (let b = 0; b < numBlocks; b++) {
    for (const part of ['query', 'key', 'value', 'output']) linear(`blocks.${b}.attention.${part}`, d, d);
    norm(`blocks.${b}.attention.norm`);
    linear(`blocks.${b}.feed.inner`, d, inner);
    linear(`blocks.${b}.feed.outer`, inner, d);
    norm(`blocks.${b}.feed.norm`);
  }
  return specs;
}

/** The vector after each click, padding included, `[B · L, d]`. */
export function coserecHidden(params: Params, prepared: PreparedTensors, config: Cl4srecConfig, run: Run): Tensor2D {
  const { hiddenUnits: d, numBlocks, numHeads, dropoutRate, dropoutEmbed, activation, layerNormEps } = config;
  const items = prepared.items as Tensor2D;
  const [batch, length] = items.shape;
  const norm = (name: string, x: Tensor2D): Tensor2D =>
    layerNorm(x, params[`${name}.gain`] as Tensor1D, params[`${name}.bias`] as Tensor1D, layerNormEps);
  const dropout = (x: Tensor2D): Tensor2D => run.dropout(x, dropoutRate);
  const causal = causalBias(length, HIDDEN);
  const keys = prepared.mask && keyBias(prepared.mask as Tensor2D, batch, HIDDEN);
  const bias: Tensor4D = keys ? minimum(causal, keys) : causal;

  const embedded = add(gather(params.items as Tensor2D, items), params.positions as Tensor2D); // [B, L, d]
  const rate = dropoutEmbed < 0 ? dropoutRate : dropoutEmbed;
  let e = run.dropout(norm('norm', reshape(embedded, [batch * length, d])), rate);
  for (let b = 0; b < numBlocks; b++) {
    const of = (part: string) => linearParams(params, `blocks.${b}.${part}`);
    const weights = {
      query: of('attention.query'),
      key: of('attention.key'),
      value: of('attention.value'),
      output: of('attention.output'),
    };
    const attended = attention(weights, e, e, {
      batch,
      heads: numHeads,
      bias,
      dropout: (shares) => run.dropout(shares, dropoutRate),
    });
    const u = norm(`blocks.${b}.attention.norm`, add(e, dropout(attended)));
    const fed = feedForward(u, of('feed.inner'), of('feed.outer'), {
      activation: activation === 'auto' ? 'gelu' : activation,
      dropout,
      dropsInner: false,
    });
    e = norm(`blocks.${b}.feed.norm`, add(u, fed));
  }
  return e;
}
