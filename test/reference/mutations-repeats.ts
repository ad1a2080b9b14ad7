/** Where scores for repeats, and corrections of draws, go astray: each as an edit of our sources. */
import type { Mutation } from './mutation';

const BIAS = 'src/objectives/repeat-bias.ts';
const SOFTMAX = 'src/objectives/softmax.ts';
const LAGS = 'src/session/lags.ts';
const tests = ['test/models/repeat-bias.test.ts', 'test/objectives/softmax.test.ts'];

const one = (error: string, file: string, from: string, to: string): Mutation => ({
  error: `Repeats: ${error}`,
  file,
  tests,
  edits: [[from, to]],
});

export const mutations: readonly Mutation[] = [
  one(
    'draws that the session holds are counted beside its own columns',
    BIAS,
    'shared ? add(scores, shared) : scores',
    'scores',
  ),
  one(
    'a target that the session holds gets nothing on top',
    SOFTMAX,
    'add<Tensor2D>(target, expandDims(targetBias(outputs, repeats), 1))',
    'target',
  ),
  one('columns of the session corrected as nothing is', BIAS, 'logq ? sub(biased, logq) : biased', 'biased'),
  one('draws corrected by their weight, not by how often they come', SOFTMAX, '(nSample * support', '(support'),
  one(
    'the full softmax does without',
    'src/nn/cross-entropy.ts',
    'extra ? add(biased, extra.matrix()) : biased',
    'biased',
  ),
  one('lags from the first click of an item', LAGS, 'if (!lags.has(item)) lags.set', 'lags.set'),
  one('lags from one on', LAGS, 'Math.min(most, end); lag++) {', 'Math.min(most, end) - 1; lag++) {'),
  one('hidden clicks are known', LAGS, 'if (hidden?.[end - 1 - lag]) continue;', ''),
  one(
    'hidden clicks count themselves',
    'src/models/transformers4rec/transformers4rec-training.ts',
    'before: column(({ t }) => t)',
    'before: column(({ t }) => t + Number(!isNext))',
  ),
  one('left out where a model is asked', 'src/ranking/neural-scorer.ts', '+= values[lag]!;', '+= 0 * values[lag]!;'),
];
