/** What learning is given by the recommender, and what it gives. */
import type { Engine } from '../engine/types';
import type { Recommender, Status } from '../recommender';
import type { HistoryChoice, VisitorEvent } from '../session/visitor-history';
import type { EventStore } from '../store/event-store';
import type { KeptLearningParts } from './kept-learning';
import type { LearnChoice, LearningCalls } from './learning-status';
import type { Learnt } from './learnt';

export interface LearningParts extends KeptLearningParts {
  readonly engine: Pick<Engine, 'adopt' | 'explain' | 'fineTune' | 'migrate' | 'products'>;
  readonly store: Pick<EventStore, 'begin' | 'beside' | 'flush' | 'hears' | 'refresh'>;
  readonly history: {
    sessions(): readonly (readonly VisitorEvent[])[];
    at(now: number): readonly VisitorEvent[];
  };
  readonly options: {
    readonly learn: LearnChoice;
    readonly history: HistoryChoice;
    readonly user: string | undefined;
    /** Minutes. */
    readonly sessionGap: number;
    /** Milliseconds since 1970. */
    readonly now: () => number;
  };
  readonly update: (change: Pick<Status, 'learning'>) => void;
  readonly on: Recommender['on'];
  /** Settles when the model is loaded. */
  readonly ready: () => Promise<unknown>;
  /** Settles when the page has nothing better to do. Default: as the browser says. */
  readonly idle?: () => Promise<unknown>;
}

export interface Learning extends LearningCalls {
  /** What is on the device has changed, or the model: reads what is not known yet, and lets it answer. */
  look(): Promise<void>;
  /** There may be something to learn: with `auto`, it is learnt once the page is idle. */
  wake(): void;
  /** The engine does not use what was learnt any more: it is set aside, and `status` says so. */
  distrust(why: string): Promise<void>;
  /** Settles when the engine holds nothing of what was erased. */
  settled(): Promise<void>;
  /** For a person to read; undefined where nothing was learnt. */
  learnt(): Promise<Learnt | undefined>;
  close(): void;
}
