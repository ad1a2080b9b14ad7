/** Aisle's public surface. Everything else may change. */
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
export { createRecommender } from './recommender';
export type {
  Consent,
  ConsentAnswer,
  ConsentOption,
  ConsentSource,
  ConsentWord,
  ConsentWords,
  Degradation,
  DegradationCode,
  Diagnosis,
  Favourite,
  FineTuneOptions,
  GateStatus,
  IdCounts,
  ImagesChoice,
  LearnChoice,
  LearningCalls,
  LearningStatus,
  Learnt,
  PredictedEvent,
  Privacy,
  PrivacyExport,
  ProductFilter,
  Pull,
  Recommender,
  RecommenderEvents,
  RecommenderOptions,
  RecommendOptions,
  Selection,
  Status,
  Strategy,
  Taste,
  TrackedEvent,
} from './recommender/types';
export type { Basket } from './session/basket';
export type { HistoryChoice } from './session/visitor-history';
export type { StorageState } from './store/event-store';
export type { Candidate, CandidateKind } from './types';
