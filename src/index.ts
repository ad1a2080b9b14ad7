/** Aisle's public surface. Everything else may change. */
export type { CatalogueItem } from './checkpoint/artifact';
export type { TuneMethod } from './checkpoint/delta';
export type { BackendChoice, BackendName } from './compute/types';
export type {
  ClickEffect,
  Explanation,
  LoadProgress,
  ModelInfo,
  RankedItem,
  Reason,
  TuneProgress,
} from './engine/types';
export { type ErrorCode, RecommenderError } from './errors';
export {
  createRecommender,
  type Degradation,
  type Recommender,
  type RecommenderEvents,
  type RecommenderOptions,
  type RecommendOptions,
  type Status,
  type TrackedEvent,
} from './recommender';
export type {
  Consent,
  ConsentAnswer,
  ConsentOption,
  ConsentSource,
  ConsentWord,
  ConsentWords,
} from './recommender/consent';
export type {
  FineTuneOptions,
  GateStatus,
  LearnChoice,
  LearningCalls,
  LearningStatus,
  PredictedEvent,
  Taste,
} from './recommender/learning-status';
export type { Favourite, Learnt, Pull } from './recommender/learnt';
export type { ImagesChoice } from './recommender/pictures';
export type { Privacy, PrivacyExport } from './recommender/privacy';
export type { ProductFilter, Strategy } from './recommender/strategies';
export type { HistoryChoice } from './session/visitor-history';
export type { StorageState } from './store/event-store';
