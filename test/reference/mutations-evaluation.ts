/** Where evaluations of recommenders go astray, by their specification: each as an edit of our sources. */
import type { Mutation } from './mutation';

const RANK = 'src/ranking/rank.ts';
const METRICS = 'src/train/metrics.ts';
const EVALUATE = 'src/train/evaluate.ts';
const PREDICTIONS = 'src/train/predictions.ts';

const ranking = ['test/ranking/ranking.test.ts'];
const metrics = ['test/train/metrics.test.ts'];
const evaluate = ['test/train/evaluate.test.ts'];

export const mutations: readonly Mutation[] = [
  {
    error: 'evaluation: the target wins ties, so that a model of zeros is perfect',
    file: RANK,
    edits: [['conservative: above + equal', 'conservative: above + 1']],
    tests: ranking,
  },
  {
    error: 'evaluation: halfway between ties counts the target itself',
    file: RANK,
    edits: [['0.5 * (equal - 1)', '0.5 * equal']],
    tests: ranking,
  },
  {
    error: 'evaluation: a model of NaN ranks every target first',
    file: RANK,
    edits: [['if (poison !== 0) assertFinite(scores);', '']],
    tests: ranking,
  },
  {
    error: 'evaluation: reciprocal ranks beyond k',
    file: METRICS,
    edits: [
      ['(rank <= k ? 1 / rank : 0)', '(k > 0 ? 1 / rank : 0)'],
      ['if (rank > k) continue;', ''],
    ],
    tests: metrics,
  },
  {
    error: 'evaluation: gains discounted by the natural logarithm',
    file: METRICS,
    edits: [['1 / Math.log2(rank + 1)', '1 / Math.log(rank + 1)']],
    tests: metrics,
  },
  {
    error: 'evaluation: the target is among the clicks seen',
    file: PREDICTIONS,
    edits: [['first, first + predictions.positions[p]! + 1);', 'first, first + predictions.positions[p]! + 2);']],
    tests: evaluate,
  },
  {
    error: 'evaluation: items of the session are no candidates',
    file: EVALUATE,
    edits: [["protocol === 'leave-one-out' ? 'drop' : 'keep'", "'drop'"]],
    tests: evaluate,
  },
  {
    error: 'evaluation: of one session only its last event, whatever the protocol',
    file: PREDICTIONS,
    edits: [["(protocol === 'events' ? Math.max(0, length - 1) : Number(length >= back))", 'Number(length >= back)']],
    tests: evaluate,
  },
  {
    error: 'evaluation: a predicted state that another session left behind',
    file: 'src/ranking/neural-scorer.ts',
    edits: [['const fresh = stepping.start(config, 1);', 'const fresh = state;']],
    tests: ['test/ranking/neural-scorer.test.ts'],
  },
];
