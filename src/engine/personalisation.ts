/**
 * Learns from the visitor and explains recommendations, on the loaded model. A separate chunk, because a page that only recommends
 * does not need it.
 */
import type { OpenedArtifact } from '../checkpoint/artifact';
import type { Delta } from '../checkpoint/delta';
import { RecommenderError } from '../errors';
import { CLOSED } from '../train/tuning/gate';
import type { NdArray } from '../types';
import { activeAdapterOf, checkBase, checkFit } from './adapter';
import { explain, type Scored } from './explain';
import { fineTune } from './fine-tune';
import { baseNetwork, baseOf, frozenModelOf } from './frozen-model';
import type { ActiveAdapter, Model } from './model';
import type { Placed } from './placed';
import type { Engine, Migrated } from './types';

/** Arrays that do not depend on the old model's vector space. */
const KEPT = ['rows.count', 'rows.bias'] as const;

/** What the engine provides. */
export interface EngineAccess {
  /** A call that ends with its caller's signal and with the engine. */
  call<T>(work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** @throws RecommenderError `bad-artifact` if there is no model yet. */
  placedModel(): Placed;
}

export interface Personalisation extends Pick<Engine, 'setAdapter' | 'explain' | 'fineTune' | 'migrate'> {
  /**
   * Runs work that scores with the active adapter, if any, and on another backend if the model's own fails. An adapter that makes
   * scores that are not finite, while the base model makes finite ones, is not used any more.
   */
  readonly scored: Scored;
  /** Why the adapter is not used any more; returned once. */
  takeRefusal(): string | undefined;
}

export function createPersonalisation(host: EngineAccess): Personalisation {
  let active: Delta | null = null;
  /** Counts calls of `setAdapter`, so that a call that fails late does not restore an older adapter. */
  let changes = 0;
  let refusal: string | undefined;
  /** The delta of each active adapter: the same model may be on another backend by now. */
  const madeFrom = new WeakMap<ActiveAdapter, Delta>();

  /** Activates the adapter on a model. Inside a slice, on the model's device. */
  async function applyTo(model: Model): Promise<void> {
    const made = model.activeAdapter();
    const wanted = active?.base.hash === model.artifact.hash ? active : null;
    if ((made ? madeFrom.get(made) : null) === wanted) return;
    const next = wanted ? await activeAdapterOf(wanted, model) : undefined;
    if (next) madeFrom.set(next, wanted!);
    model.setAdapter(next);
  }

  const scored: Scored = async (placement, work, signal) => {
    const learnt = active?.base.hash === placement.artifact.hash ? active : null;
    if (learnt?.method === 'full') await placement.needTensors();
    const withLearnt = async (model: Model) => {
      await applyTo(model);
      return work(model);
    };
    try {
      return await placement.run(withLearnt, signal, learnt !== null);
    } catch (error) {
      const isDoubtful = learnt && error instanceof RecommenderError && error.code === 'not-finite';
      if (!isDoubtful || active !== learnt) throw error;
      // Where the base model makes finite ones, the adapter is the cause.
      active = null;
      const before = changes;
      try {
        const result = await placement.run(withLearnt, signal);
        if (changes === before) refusal = 'it makes scores that are not finite';
        return result;
      } catch (ofModel) {
        if (changes === before) active = learnt;
        throw ofModel;
      }
    }
  };

  return {
    scored,
    takeRefusal() {
      const news = refusal;
      refusal = undefined;
      return news;
    },
    setAdapter: (delta) =>
      host.call(async (signal) => {
        const placement = host.placedModel();
        const own = ++changes;
        if (delta) {
          checkBase(delta, placement);
          const { artifact } = placement;
          if (delta.method === 'full') await baseNetwork(artifact); // outside of the slice
          await placement.run(async (model) => checkFit(delta, artifact, await frozenModelOf(model)), signal);
          if (delta.method === 'full') await placement.needTensors();
          if (changes !== own) return; // a newer call has set another adapter
        }
        const before = active;
        active = delta;
        refusal = undefined;
        try {
          await placement.run(applyTo, signal, delta !== null);
        } catch (error) {
          if (delta && changes === own) active = before;
          throw error;
        }
      }),
    explain: (request, { signal } = {}) =>
      host.call((ends) => explain(host.placedModel(), scored, request, ends), signal),
    fineTune: (request, { signal, onProgress } = {}) =>
      host.call((ends) => fineTune(host.placedModel(), request, ends, onProgress), signal),
    migrate: async (delta) => migrate(delta, host.placedModel().artifact),
  };
}

/** Migrates a delta to another version of its model, by the ids of items. */
function migrate(delta: Delta, artifact: OpenedArtifact): Migrated {
  const { base, itemIds, method, arrays } = delta;
  if (base.hash === artifact.hash) return { delta, dropped: [] };
  const from = `"${base.name}" ${base.version}`;
  if (method === 'full') {
    return { reason: `All weights of ${from} were learnt from, and the model has others now.` };
  }
  const known = new Set(artifact.itemIds);
  const rows = itemIds.flatMap((id, row) => (known.has(id) ? [row] : []));
  if (rows.length === 0) return { reason: `No item that was learnt on ${from} is in this catalogue.` };
  const kept = KEPT.flatMap((name): [string, NdArray][] => {
    const data = arrays[name]?.data;
    return data ? [[name, { data: Float32Array.from(rows, (row) => data[row]!), shape: [rows.length] }]] : [];
  });
  return {
    delta: {
      ...delta,
      base: baseOf(artifact),
      itemIds: rows.map((row) => itemIds[row]!),
      arrays: Object.fromEntries(kept),
      // Evidence and surprise were of another model.
      gate: CLOSED,
      guard: { ...delta.guard, surprise: 0 },
    },
    dropped: itemIds.filter((id) => !known.has(id)),
  };
}
