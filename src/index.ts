/** Aisle's public surface. Everything else may change. */
import { createRecommender as create } from './recommender';
import type { Recommender, RecommenderOptions, Status } from './recommender/types';

export type { CatalogueItem } from './checkpoint/artifact';
export type { TuneMethod } from './checkpoint/delta';
export type { Conditions, PriceRange, Rule } from './checkpoint/rules';
export type { BackendChoice, BackendName } from './compute/types';
export type {
  CatalogueInfo,
  ClickEffect,
  Explanation,
  LoadProgress,
  ModelInfo,
  RankedItem,
  Reason,
  TuneProgress,
} from './engine/types';
export { type ErrorCode, RecommenderError } from './errors';
export type {
  Favourite,
  FineTuneOptions,
  GateStatus,
  LearnChoice,
  LearningCalls,
  LearningStatus,
  Learnt,
  PredictedEvent,
  Pull,
  Taste,
} from './recommender/learning-types';
export type {
  Consent,
  ConsentAnswer,
  ConsentOption,
  ConsentSource,
  ConsentWord,
  ConsentWords,
  Privacy,
  PrivacyExport,
} from './recommender/privacy-types';
export type {
  Degradation,
  DegradationCode,
  Diagnosis,
  IdCounts,
  ImagesChoice,
  ProductFilter,
  Recommender,
  RecommenderEvents,
  RecommenderOptions,
  RecommendOptions,
  Selection,
  Status,
  Strategy,
  TrackedEvent,
} from './recommender/types';
export type { Basket } from './session/basket';
export type { HistoryChoice } from './session/visitor-history';
export type { StorageState } from './store/event-store';
export type { Candidate, CandidateKind } from './types';

/**
 * Starts a recommender. It resolves as soon as clicks can be tracked; the model loads meanwhile, and `recommend` waits
 * for it. A model that cannot be loaded is reported by `error`, and by every `recommend`. If no worker can start, the page's own
 * thread computes, which `status` reports, and one line on the console where there are workers at all.
 *
 * @throws RangeError at once for a wrong option.
 */
export function createRecommender(options: RecommenderOptions): Promise<Recommender> {
  return create(options).then((recommender) => {
    const stop = recommender.on('status', report);
    function report({ degraded }: Status): void {
      const { message } = degraded.find(({ code }) => code === 'no-worker') ?? {};
      // Without any workers, as in Node, there is nothing to advise.
      if (message === undefined || message.includes('no workers here')) return;
      stop();
      console.warn(`Aisle: ${message}`);
    }
    report(recommender.status);
    return recommender;
  });
}
