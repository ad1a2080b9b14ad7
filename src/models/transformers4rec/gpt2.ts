/**
 * GPT-2 — Radford et al., "Language Models are Unsupervised Multitask Learners", 2019,
 * https://github.com/openai/gpt-2; as Hugging Face computes it.
 *
 *     e = dropout(x + P)                                   P: learned positions
 *     e ← e + dropout(attention(LN₁ e) Wo + bo)            of each click and those before it
 *     e ← e + dropout(W₂ a(W₁ LN₂ e))                  a: gelu, unless `hiddenAct` is another
 *     h = LN(e)
 *
 * Differs from the paper: gelu is exact, as Transformers4Rec asks.
 */
import { add, minimum, reshape, slice, type Tensor2D, type Tensor4D } from '@tensorflow/tfjs';
import { activate } from '../../nn/activation';
import { causalBias, keyBias } from '../../nn/attention';
import { linear } from '../../nn/linear';
import { attentionOf, normAt } from './blocks';
import { type LanguageModel, linearAt } from './language-model';

export const gpt2: LanguageModel = (at, { x, batch, width, real }, size, run) => {
  const { dropout, observe } = run;
  const { d, layers, epsilon } = size;
  const p = slice(at('positions') as Tensor2D, 0, width);
  const causal = causalBias(width);
  const bias: Tensor4D = real ? minimum(causal, keyBias(real, batch)) : causal;
  const drop = (y: Tensor2D) => dropout(y, size.dropout);
  let e = drop(reshape(add(reshape(x, [batch, width, d]), p), [batch * width, d]));
  for (let l = 0; l < layers; l++) {
    observe?.(`layer.${l}`, e);
    const n = normAt(at, `layers.${l}.attention.norm`, e, epsilon);
    const a = attentionOf(at, l, n, { batch, bias }, size, run);
    e = add(e, drop(a));
    const w = normAt(at, `layers.${l}.feed.norm`, e, epsilon);
    const inner = activate(linear(w, linearAt(at, `layers.${l}.feed.inner`)), size.activation);
    e = add(e, drop(linear(inner, linearAt(at, `layers.${l}.feed.outer`))));
  }
  const h = normAt(at, 'norm', e, epsilon);
  observe?.(`layer.${layers}`, h);
  return h;
};
