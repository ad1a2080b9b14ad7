/**
 * Learning from the visitor, and explaining, on the model that is loaded. A chunk of its own: a page that only recommends
 * does without.
 */
import type { Engine } from './engine';
import { explain } from './explain';
import type { Model } from './ready-model';

/** What the engine lends. */
export interface TuningHost {
  /** A turn of the tensor runtime, which ends with the caller's signal and with the engine. */
  turn<T>(work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** @throws RecommenderError `bad-artifact` where there is no model yet. */
  loaded(): Model;
  /** Works with the model, inside a turn; on another backend where its own fails. */
  surviving<T>(work: (model: Model) => Promise<T>, signal: AbortSignal): Promise<T>;
}

export interface Tuning extends Pick<Engine, 'explain'> {
  /** Makes a model score by what was adopted. Inside a turn, on the model's backend. */
  wear(model: Model): Promise<void>;
}

export function createTuning(host: TuningHost): Tuning {
  return {
    explain: (request, control) => explain(host, request, control),
    async wear() {},
  };
}
