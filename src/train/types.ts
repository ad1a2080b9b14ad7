/** What several files of this folder share. Types only. */
import type { ParameterSpec, SessionModel, TrainingPlan } from '../models/model';
import type { Catalogue } from '../types';

/** A configured architecture with everything that its training needs to know. */
export interface Trainee<C> {
  readonly model: SessionModel<C>;
  readonly config: C;
  readonly catalogue: Catalogue;
  readonly plan: TrainingPlan;
  readonly specs: Readonly<Record<string, ParameterSpec>>;
}

/**
 * - `events`: every event after the first of every session, from all earlier events of that session.
 * - `last-item`: the last event of every session.
 * - `leave-one-out`: the same per user, by default without the items of the input among the candidates.
 * - `incremental`: train and test window by window; not part of `evaluate`, which sees one artifact.
 */
export type Protocol = 'events' | 'last-item' | 'leave-one-out' | 'incremental';
