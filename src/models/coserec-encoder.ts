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
import type { Cl4srecConfig } from './cl4srec-spec';
import type { Params, PreparedTensors, Run } from './model';

/** What the code adds to the score of a masked key. */
const HIDDEN = -10_000;

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
