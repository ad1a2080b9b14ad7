/**
 * Learning from the visitor, and explaining, on the model that is loaded. A chunk of its own: a page that only recommends
 * does without.
 */
import type { Delta } from '../checkpoint/delta';
import { checkBase, checkFit, tunedBy } from './adopt';
import { explain } from './explain';
import { fineTune } from './fine-tune';
import { frozenModelOf } from './frozen-model';
import { migrate } from './migrate';
import type { Model, Worn } from './ready-model';
import type { Engine } from './types';

/** What the engine lends. */
export interface TuningHost {
  /** A turn of the tensor runtime, which ends with the caller's signal and with the engine. */
  turn<T>(work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** @throws RecommenderError `bad-artifact` where there is no model yet. */
  loaded(): Model;
  /** Works with the model, inside a turn; on another backend where its own fails. */
  surviving<T>(work: (model: Model) => Promise<T>, signal: AbortSignal): Promise<T>;
}

export interface Tuning extends Pick<Engine, 'adopt' | 'explain' | 'fineTune' | 'migrate'> {
  /** Makes a model score by what was adopted. Inside a turn, on the model's backend. */
  wear(model: Model): Promise<void>;
}

export function createTuning(host: TuningHost): Tuning {
  let adopted: Delta | null = null;
  /** What each model wears: the same model may be on another backend by now. */
  const wears = new WeakMap<Worn, Delta>();

  async function wear(model: Model): Promise<void> {
    const worn = model.worn();
    const wanted = adopted?.base.hash === model.artifact.hash ? adopted : null;
    if ((worn ? wears.get(worn) : null) === wanted) return;
    const next = wanted ? await tunedBy(wanted, model) : undefined;
    if (next) wears.set(next, wanted!);
    model.wear(next);
  }

  return {
    wear,
    async adopt(delta) {
      await host.turn(async (ends) => {
        const before = adopted;
        if (delta) {
          checkBase(delta, host.loaded());
          checkFit(delta, host.loaded(), await host.surviving(frozenModelOf, ends));
        }
        adopted = delta;
        try {
          await host.surviving(wear, ends);
        } catch (error) {
          adopted = before;
          throw error;
        }
      });
    },
    explain: (request, control) => explain(host, request, control),
    fineTune: async (request, control) => {
      if (request.delta) checkBase(request.delta, host.loaded());
      return fineTune(host, request, control);
    },
    migrate: async (delta) => migrate(delta, host.loaded().artifact),
  };
}
