/** The interfaces between the parts of the recommender. Types only. */
import type { Engine, EngineEvent, Recommendations } from '../engine/types';
import type { HistoryChoice, VisitorEvent } from '../session/visitor-history';
import type { EventStore } from '../store/event-store';
import type { LearnChoice, LearningCalls, Learnt } from './learning-types';
import type { ConsentSource, ConsentWord } from './privacy-types';
import type { DegradationCode, ProductFilter, Recommender, Status, Strategy } from './types';

/** @param isNew Whether the answer was given just now. An older consent does not revoke a later denial. */
export type ConsentReport = (source: ConsentSource, word: ConsentWord | undefined, isNew: boolean) => void;

/** A checked call of `recommend`. */
export interface Question {
  readonly strategy: Strategy;
  readonly k: number;
  readonly exclude: readonly string[];
  /** What `related` items are related to. Default: the newest click. `exclude` holds it already. */
  readonly item?: string | undefined;
  /** What is in the cart. */
  readonly cart: () => Promise<readonly string[]>;
  readonly filter?: ProductFilter | undefined;
  /** How many of the best the filter looks at. Default: all. */
  readonly within?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Who asks, for models that know users. */
  readonly user?: string | undefined;
  /** Seconds since 1970. */
  readonly now: number;
  /** The clicks that count, oldest first. */
  readonly clicks: readonly EngineEvent[];
}

/** What a question needs of the engine. */
export type Answerer = Pick<Engine, 'recommend' | 'products'>;

export type Answer = Pick<Recommendations, 'items' | 'milliseconds'>;

export interface AdapterStoreParts {
  readonly engine: Pick<Engine, 'setAdapter' | 'migrate'>;
  readonly store: Pick<EventStore, 'beside'>;
  readonly status: () => Status;
  readonly degrade: (code: DegradationCode, message: string) => void;
  readonly mend: (code: DegradationCode) => void;
}

export interface FineTuningParts extends AdapterStoreParts {
  readonly engine: Pick<Engine, 'setAdapter' | 'explain' | 'fineTune' | 'migrate' | 'products'>;
  readonly store: Pick<EventStore, 'begin' | 'beside' | 'flush' | 'hears' | 'refresh'>;
  readonly history: {
    sessions(): readonly (readonly VisitorEvent[])[];
    at(now: number): readonly VisitorEvent[];
  };
  readonly options: {
    readonly learn: LearnChoice;
    readonly history: HistoryChoice;
    readonly user?: string | undefined;
    /** Minutes. */
    readonly sessionGap: number;
    /** Milliseconds since 1970. */
    readonly now: () => number;
  };
  readonly update: (change: Pick<Status, 'learning'>) => void;
  readonly on: Recommender['on'];
  /** Whether consent was granted and is unknown now: what may not be stored must not be learnt. */
  readonly isHeld: () => boolean;
  /** Settles when the model is loaded. */
  readonly ready: () => Promise<unknown>;
  /** Settles when the page is idle. Default: as the browser reports it. */
  readonly idle?: () => Promise<unknown>;
}

export interface FineTuning extends LearningCalls {
  /**
   * Reads and activates the stored adapter after it, or the model, has changed.
   *
   * @param mayHaveChanged Whether it is read again, though it was read before.
   */
  look(mayHaveChanged: boolean): Promise<void>;
  /** There may be new events: with `auto`, they are learnt when the page is idle. */
  wake(): void;
  /** Quarantines the active adapter, which the engine has stopped using; `status` says so. */
  quarantineActive(why: string): Promise<void>;
  /** Settles when the engine holds no adapter of an erased visit. */
  settled(): Promise<void>;
  /** The adapter in a readable form; undefined if nothing was learnt. */
  learnt(): Promise<Learnt | undefined>;
  close(): void;
}
