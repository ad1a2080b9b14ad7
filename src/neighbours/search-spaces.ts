/** What `aisle search` tries of each counting baseline: the values that their authors and session-rec searched. */
import { choice, linear, log, type SearchSpace, wholeLog } from '../models/search-space';

const RULE_WEIGHTS = choice('div', 'quadratic', 'linear', 'log', 'same');

/** Whether what is in the session may come again: shops of baskets say no, shops of clicks yes. */
const REMIND = choice(true, false);
const PRUNING = choice(0, 20, 50);

/** Numbers of neighbours and of candidate sessions. */
const NEIGHBOURS: SearchSpace = {
  k: choice(50, 100, 200, 500, 1000, 1500),
  sampleSize: choice(500, 1000, 2500, 5000, 10_000),
  remind: REMIND,
};

const V_SKNN: SearchSpace = {
  ...NEIGHBOURS,
  similarity: choice('vec', 'cosine'),
  weighting: choice('same', 'div', 'linear', 'log', 'quadratic'),
  weightingScore: choice('same', 'div', 'linear', 'log', 'quadratic'),
  idfWeighting: choice(0, 1, 2, 5, 10),
  lastNClicks: choice(0, 6, 10),
  pushReminders: choice(false, true),
};

/** λ of clicks from a fraction of a usual session to twice its length; λ of days as in session-rec. */
const STAN: SearchSpace = {
  ...NEIGHBOURS,
  lambdaSpw: log(0.3, 10),
  lambdaSnh: choice(2.5, 5, 10, 20, 40, 80, 100),
  lambdaInh: log(0.3, 10),
};

/** By baseline. */
export const searchSpaces: Readonly<Record<string, SearchSpace>> = {
  pop: { days: choice(0, 1, 2, 3, 7, 14, 30) },
  's-pop': { days: choice(0, 1, 2, 3, 7, 14, 30) },
  'item-knn': { lambda: log(1, 200), alpha: linear(0, 1), nSims: choice(50, 100, 200, 500), remind: REMIND },
  markov: { pruning: PRUNING, remind: REMIND },
  ar: { pruning: PRUNING, remind: REMIND },
  sr: {
    steps: wholeLog(2, 30),
    weighting: RULE_WEIGHTS,
    pruning: PRUNING,
    lastInSession: choice(0, 1, 2, 3, 5),
    remind: REMIND,
  },
  'decayed-sr': {
    steps: wholeLog(2, 30),
    stepDecay: linear(0.2, 1),
    clicks: wholeLog(2, 20),
    clickDecay: linear(0.1, 1),
    supportPower: linear(0, 1),
    pruning: PRUNING,
    remind: REMIND,
  },
  sknn: NEIGHBOURS,
  'v-sknn': V_SKNN,
  stan: STAN,
  vstan: {
    ...STAN,
    similarity: choice('vec', 'cosine'),
    lambdaIpw: log(0.3, 10),
    lambdaIdf: choice(0, 1, 2, 5, 10),
  },
};
