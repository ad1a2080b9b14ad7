/**
 * BERT — Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers", NAACL 2019,
 * https://arxiv.org/abs/1810.04805; as Hugging Face computes it. (The paper of Transformers4Rec runs ALBERT without shared
 * weights, which is the same network.)
 *
 *     e = dropout(LN(x + P + t))                           P: learned positions, t: one vector for the only segment
 *     u = LN₁(e + dropout(attention(e) Wo + bo))           of each click and all others
 *     e ← LN₂(u + dropout(W₂ a(W₁ u)))                    a: gelu, unless `hiddenAct` is another
 */
import { add, reshape, slice, type Tensor2D } from '@tensorflow/tfjs';
import { activate } from '../../nn/activation';
import { keyBias } from '../../nn/attention';
import { linear } from '../../nn/linear';
import { attentionOf, normAt } from './blocks';
import { type LanguageModel, linearAt } from './language-model';

export const bert: LanguageModel = (at, { x, batch, width, real }, size, run) => {
  const { dropout, observe } = run;
  const { d, layers, epsilon } = size;
  const p = add(slice(at('positions') as Tensor2D, 0, width), at('segment'));
  const bias = real && keyBias(real, batch);
  const drop = (y: Tensor2D) => dropout(y, size.dropout);
  const placed: Tensor2D = reshape(add(reshape(x, [batch, width, d]), p), [batch * width, d]);
  let e = drop(normAt(at, 'norm', placed, epsilon));
  observe?.('layer.0', e);
  for (let l = 0; l < layers; l++) {
    const a = attentionOf(at, l, e, { batch, bias }, size, run);
    const u = normAt(at, `layers.${l}.attention.norm`, add(e, drop(a)), epsilon);
    const inner = activate(linear(u, linearAt(at, `layers.${l}.feed.inner`)), size.activation);
    const outer = drop(linear(inner, linearAt(at, `layers.${l}.feed.outer`)));
    e = normAt(at, `layers.${l}.feed.norm`, add(u, outer), epsilon);
    observe?.(`layer.${l + 1}`, e);
  }
  return e;
};
