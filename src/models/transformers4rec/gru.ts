/**
 * The gated recurrent unit as a language model — Cho et al., EMNLP 2014, https://arxiv.org/abs/1406.1078; the cell of
 * PyTorch, in the same place as the Transformers: the paper's own baseline.
 *
 *     hₜ = GRU(xₜ, hₜ₋₁)   h₀ = 0      the layer above reads dropout(h)
 */
import { add, matMul, reshape, stack, type Tensor1D, type Tensor2D, unstack, zeros } from '@tensorflow/tfjs';
import { gruResetAfter } from '../../nn/gru';
import type { LanguageModel } from './language-model';

export const gru: LanguageModel = (at, { x, batch, width }, { d, layers, dropout: rate }, { dropout, observe }) => {
  let input = x; // [B · W, d]
  for (let l = 0; l < layers; l++) {
    observe?.(`layer.${l}`, input);
    const weight = (name: string) => at(`layers.${l}.${name}`);
    const products: Tensor2D = add(
      matMul(l > 0 ? dropout(input, rate) : input, weight('wx') as Tensor2D),
      weight('bx'),
    );
    const steps = columns(products, batch, width);
    let h: Tensor2D = zeros([batch, d]);
    const after = steps.map((step) => {
      h = gruResetAfter(step, h, weight('wh') as Tensor2D, weight('bh') as Tensor1D);
      return h;
    });
    input = reshape(stack(after, 1), [batch * width, d]);
  }
  observe?.(`layer.${layers}`, input);
  return input;
};

/** `[B · W, k]` → W × `[B, k]`. TensorFlow.js cannot take the gradient of `unstack` where it gives one tensor. */
function columns(x: Tensor2D, batch: number, width: number): Tensor2D[] {
  return width === 1 ? [x] : (unstack(reshape(x, [batch, width, x.shape[1]]), 1) as Tensor2D[]);
}
