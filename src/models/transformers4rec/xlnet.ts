/**
 * XLNet — Yang et al., "XLNet: Generalized Autoregressive Pretraining for Language Understanding", NeurIPS 2019,
 * https://arxiv.org/abs/1906.08237; as Hugging Face computes it.
 *
 *     h = dropout(x)   R = dropout(codes of distances)     no positions: see nn/relative-attention.ts
 *     u = LN₁(h + dropout(attention(h, R) Wo))
 *     h ← LN₂(u + dropout(W₂ dropout(a(W₁ u))))
 *
 * Two streams, where pairs are hidden: g starts as one learned vector in every column and asks of h what h asks of
 * itself, with the same weights, but does not see its own column; h does. The result is g.
 *
 *     g = dropout(m)   g ← the same block with attention(g over h)
 *
 * a: gelu, unless `hiddenAct` is another. One-way (`uni`) for clm, both ways (`bi`) otherwise. Segments are not used.
 */
import {
  add,
  max,
  maximum,
  minimum,
  mul,
  reshape,
  sub,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  tensor4d,
  tile,
} from '@tensorflow/tfjs';
import { activate } from '../../nn/activation';
import { causalBias, keyBias } from '../../nn/attention';
import { linear } from '../../nn/linear';
import { MASKED } from '../../nn/masked';
import { distanceCodes, relativeAttention } from '../../nn/relative-attention';
import { normAt, relativeAt } from './blocks';
import { type Clicks, type LanguageModel, linearAt } from './language-model';
import type { Size } from './settings';

export const xlnet: LanguageModel = (at, clicks, size, { dropout, observe }) => {
  const { x, batch, width } = clicks;
  const { d, heads, layers, epsilon, causal } = size;
  const drop = (y: Tensor2D) => dropout(y, size.dropout);
  const distances = drop(distanceCodes(width, width, d, causal, size.clamp));
  const { content, query, sees } = visible(clicks, size);
  let h = drop(x);
  let g = clicks.hiddenPairs && drop(tile(reshape(at('query'), [1, d]), [batch * width, 1]));
  const block = (x: Tensor2D, l: number, bias?: Tensor4D, sees?: Tensor4D): Tensor2D => {
    const a = relativeAttention(relativeAt(at, `layers.${l}.attention`), x, h, distances, {
      batch,
      heads,
      bias,
      sees,
      dropout: (weights) => dropout(weights, size.attentionDropout),
      observe: observe && ((weights) => observe(`attention.${l}`, weights)),
    });
    const u = normAt(at, `layers.${l}.attention.norm`, add(x, drop(a)), epsilon);
    const inner = drop(activate(linear(u, linearAt(at, `layers.${l}.feed.inner`)), size.activation));
    const outer = drop(linear(inner, linearAt(at, `layers.${l}.feed.outer`)));
    return normAt(at, `layers.${l}.feed.norm`, add(u, outer), epsilon);
  };
  observe?.('layer.0', h);
  for (let l = 0; l < layers; l++) {
    const nextQuery = g && block(g, l, query, sees);
    if (!g || l < layers - 1) h = block(h, l, content); // nothing reads the last layer's content
    g = nextQuery;
    observe?.(`layer.${l + 1}`, g ?? h);
  }
  return g ?? h;
};

interface Visible {
  readonly content?: Tensor4D | undefined;
  readonly query?: Tensor4D;
  readonly sees?: Tensor4D;
}

/** Which keys each stream sees. The content stream always sees its own column. */
function visible({ batch, width, real, hiddenPairs }: Clicks, { causal }: Size): Visible {
  const keys: Tensor4D | undefined = real && reshape(keyBias(real, batch), [1, batch, 1, width]);
  if (hiddenPairs) return twoStreams(hiddenPairs, keys);
  const before = causal ? causalBias(width) : undefined;
  if (!keys) return { content: before };
  return { content: withOwnColumn(before ? minimum(before, keys) : keys, width) };
}

/** A query that may see nothing at all attends to all alike, as it does where hiding subtracts 10³⁰ from the scores. */
function twoStreams(hiddenPairs: Tensor3D, keys: Tensor4D | undefined): Visible {
  const [batch, width] = hiddenPairs.shape;
  const pairs: Tensor4D = reshape(mul(hiddenPairs, MASKED), [1, batch, width, width]);
  const hidden = keys ? minimum<Tensor4D>(pairs, keys) : pairs;
  const sees = sub(1, mul(max(hidden, 3, true), 1 / MASKED)) as Tensor4D; // [1, B, W, 1]
  return { content: withOwnColumn(hidden, width), query: mul(hidden, sees), sees };
}

/** Opens the diagonal. */
function withOwnColumn(hidden: Tensor4D, width: number): Tensor4D {
  const own = new Float32Array(width * width).fill(MASKED);
  for (let t = 0; t < width; t++) own[t * width + t] = 0;
  return maximum(hidden, tensor4d(own, [1, 1, width, width]));
}
