/** Where scores for repeats, and corrections of draws, go astray: each as an edit of our sources. */
import type { Mutation } from './mutations-gru4rec';

const OBJECTIVE = 'src/objectives/objective.ts';
const LAGS = 'src/session/lags.ts';
const tests = ['test/models/repeats.test.ts'];

const one = (error: string, file: string, from: string, to: string): Mutation => ({
  ...{ error: `Repeats: ${error}`, file, tests },
  edits: [[from, to]],
});

export const mutations: readonly Mutation[] = [
  one(
    'draws that the session holds are counted beside its own columns',
    OBJECTIVE,
    'repeated!.shared ? add(scores, repeated!.shared) : scores',
    'scores',
  ),
  one(
    'a target that the session holds gets nothing on top',
    OBJECTIVE,
    'add<Tensor2D>(target, expandDims(targetExtras(input), 1))',
    'target',
  ),
  one('columns of the session corrected as nothing is', OBJECTIVE, 'logq ? sub(biased, logq) : biased', 'biased'),
  one('draws corrected by their weight, not by how often they come', OBJECTIVE, '(extra.length * support', '(support'),
  one(
    'the full softmax does without',
    'src/nn/cross-entropy.ts',
    'extra ? add(biased, extra.matrix()) : biased',
    'biased',
  ),
  one('lags from the first click of an item', LAGS, 'if (!lags.has(item)) lags.set', 'lags.set'),
  one('lags from one on', LAGS, 'Math.min(most, end); lag++) {', 'Math.min(most, end) - 1; lag++) {'),
  one('hidden clicks are known', LAGS, 'if (hidden?.[end - 1 - lag]) continue;', ''),
  one('hidden clicks count themselves', 'src/train/repeats.ts', '(isHidden ? t : t + 1)', '(t + 1)'),
  one('left out where a model is asked', 'src/ranking/neural-scorer.ts', '+= values[lag]!;', '+= 0 * values[lag]!;'),
];
