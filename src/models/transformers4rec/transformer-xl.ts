/**
 * Transformer-XL — Dai et al., "Transformer-XL: Attentive Language Models beyond a Fixed-Length Context", ACL 2019,
 * https://arxiv.org/abs/1901.02860; as Hugging Face computes it.
 *
 *     e = dropout(x)   R = dropout(codes of distances)     no positions: see nn/relative-attention.ts
 *     u = LN₁(e + dropout(attention([m ; e], R) Wo))       of each click, those before it and empty slots m = 0
 *     e ← LN₂(u + dropout(W₂ dropout(relu(W₁ u))))
 *     h = dropout(e)
 *
 * Sessions are fed whole, so there is no memory of earlier segments; what the library calls one (memLen 1) are empty
 * slots; with `sameLength` each click sees the last memLen of slots and clicks, itself included: with 1 itself alone.
 */
import { add, concat, minimum, reshape, type Tensor2D, type Tensor4D, tensor4d, zeros } from '@tensorflow/tfjs';
import { keyBias } from '../../nn/attention';
import { linear } from '../../nn/linear';
import { MASKED } from '../../nn/masked';
import { distanceCodes, relativeAttention } from '../../nn/relative-attention';
import { normAt, relativeAt } from './blocks';
import { type LanguageModel, linearAt } from './language-model';
import type { Size } from './settings';

export const transformerXl: LanguageModel = (at, { x, batch, width, real }, size, { dropout, observe }) => {
  const { d, heads, layers, epsilon, memory, clamp } = size;
  const keys = memory + width;
  const distances = dropout(distanceCodes(width, keys, d, true, clamp), size.dropout);
  const bias = visible(width, size, real, batch);
  const drop = (y: Tensor2D) => dropout(y, size.dropout);
  let e = drop(x);
  for (let l = 0; l < layers; l++) {
    observe?.(`layer.${l}`, e);
    const a = relativeAttention(relativeAt(at, `layers.${l}.attention`), e, withSlots(e, batch, memory), distances, {
      batch,
      heads,
      bias,
      dropout: (weights) => dropout(weights, size.attentionDropout),
      observe: observe && ((weights) => observe(`attention.${l}`, weights)),
    });
    const u = normAt(at, `layers.${l}.attention.norm`, add(e, drop(a)), epsilon);
    const inner = drop(linear(u, linearAt(at, `layers.${l}.feed.inner`), 'relu'));
    const outer = drop(linear(inner, linearAt(at, `layers.${l}.feed.outer`)));
    e = normAt(at, `layers.${l}.feed.norm`, add(u, outer), epsilon);
  }
  const h = drop(e);
  observe?.(`layer.${layers}`, h);
  return h;
};

/** Empty slots before each session's clicks, `[B · (m + W), d]`. */
function withSlots(e: Tensor2D, batch: number, memory: number): Tensor2D {
  if (memory === 0) return e;
  const [rows, d] = e.shape;
  const all = concat([zeros([batch, memory, d]), reshape(e, [batch, rows / batch, d])], 1);
  return reshape(all, [rows + batch * memory, d]);
}

/** Which keys queries see, `[1, B or 1, W, m + W]`. */
function visible(width: number, { memory, sameLength }: Size, real: Tensor2D | undefined, batch: number): Tensor4D {
  const keys = memory + width;
  const data = new Float32Array(width * keys);
  for (let t = 0; t < width; t++) {
    for (let j = 0; j < keys; j++) {
      const isLater = j > memory + t;
      const isTooFar = sameLength && j <= t;
      if (isLater || isTooFar) data[t * keys + j] = MASKED;
    }
  }
  const causal = tensor4d(data, [1, 1, width, keys]);
  if (!real) return causal;
  const hidden = reshape(keyBias(real, batch), [1, batch, 1, width]);
  return minimum(causal, memory > 0 ? concat([zeros([1, batch, 1, memory]), hidden], 3) : hidden);
}
