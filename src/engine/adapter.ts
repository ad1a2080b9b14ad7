/** Scores with an adapter: the artifact's weights stay, and the differences are beside them. */
import type { OpenedArtifact } from '../checkpoint/artifact';
import type { Delta } from '../checkpoint/delta';
import { RecommenderError } from '../errors';
import type { LoadedScorer } from '../ranking/architecture';
import { openSession } from '../ranking/session-scorer';
import type { FrozenModel } from '../train/tuning/frozen-model';
import { FullParameters } from '../train/tuning/full-parameters';
import { beyondLimits } from '../train/tuning/limits';
import { tuneAdapter } from '../train/tuning/tune';
import { baseNetwork, baseOf, frozenModelOf, type LoadedNetwork, networkOf } from './frozen-model';
import { type ActiveAdapter, type Model, withMix } from './model';

/** Makes a model's active adapter of a delta that `checkFit` has checked. Inside a slice, on the model's device. */
export async function activeAdapterOf(delta: Delta, model: Model): Promise<ActiveAdapter> {
  const frozen = await frozenModelOf(model);
  const learnt =
    delta.method === 'full'
      ? { scorer: await fullScorer(delta, model, frozen), scale: frozen.scale }
      : adapterScorer(delta, model, frozen);
  const scorer = await withMix(model.artifact, learnt.scorer, learnt.scale);
  return { scorer, scale: learnt.scale, session: openSession(scorer) };
}

/** An adapter has an item side of its own, so it costs as much as the base model. */
function adapterScorer(delta: Delta, model: Model, frozen: FrozenModel): Omit<ActiveAdapter, 'session'> {
  const { scale, ...items } = tuneAdapter(frozen, delta).fineTuner.fold();
  return { scorer: networkOf(model).withItems(items), scale };
}

/** Uploads the parameters that differ from the base. `needsTensors` has seen to a device that can. */
async function fullScorer(delta: Delta, model: Model, frozen: FrozenModel): Promise<LoadedScorer> {
  const tuned = Object.entries(new FullParameters(frozen, await baseNetwork(model.artifact), delta).tuned());
  const own = tuned.filter(([name, { data }]) => data !== model.artifact.tensors[name]!.data);
  return networkOf(model).withParameters!(Object.fromEntries(own));
}

/**
 * Checks that a delta belongs to this model.
 *
 * @throws RecommenderError `not-tunable`; `foreign-delta` for another base.
 */
export function checkBase({ base }: Delta, model: LoadedNetwork): void {
  networkOf(model);
  if (base.hash === model.artifact.hash) return;
  const here = baseOf(model.artifact);
  throw new RecommenderError(
    'foreign-delta',
    `What was learnt belongs to "${base.name}" ${base.version}, loaded is "${here.name}" ${here.version} with other ` +
      'weights or items. Carry it over by migrate, or start over.',
  );
}

/**
 * Outside of slices, or after `baseNetwork`.
 *
 * @throws RecommenderError `bad-delta` that names what does not fit.
 */
export async function checkFit(delta: Delta, artifact: OpenedArtifact, frozen: FrozenModel): Promise<void> {
  const { method, itemIds, arrays } = delta;
  const ids = new Set(frozen.itemIds);
  const foreign = itemIds.find((id) => !ids.has(id));
  if (foreign !== undefined) throw bad(`it has a row for "${foreign}", which its model does not know`);
  const d = frozen.table.length / frozen.itemIds.length;
  const sizes: Readonly<Record<string, number>> =
    method === 'full'
      ? await fullSizes(artifact, frozen)
      : { shift: d, gain: d, weights: 2 + (arrays['attributes'] ?? { data: frozen.attributes ?? [] }).data.length };
  for (const [name, { data, shape }] of Object.entries(arrays)) {
    const size = /^(slot\.)?rows\./.test(name) ? itemIds.length * (sizes[name] ?? 1) : sizes[name];
    if (size !== undefined && data.length !== size)
      throw bad(`"${name}" has the shape [${shape}], expected ${size} numbers`);
  }
  const beyond = beyondLimits(delta);
  if (beyond !== undefined) throw bad(`the numbers of "${beyond}" are none that learning reaches`);
}

/** How many numbers the arrays of a delta of all parameters have; those with rows, in each row. */
async function fullSizes(artifact: OpenedArtifact, frozen: FrozenModel): Promise<Readonly<Record<string, number>>> {
  const { arrays } = new FullParameters(frozen, await baseNetwork(artifact)).save();
  return Object.fromEntries(
    Object.entries(arrays).map(([name, { data, shape }]) => [
      name,
      name.includes('rows.') ? (shape[1] ?? 1) : data.length,
    ]),
  );
}

function bad(what: string): RecommenderError {
  return new RecommenderError('bad-delta', `What was learnt cannot be used: ${what}. Start over.`);
}
