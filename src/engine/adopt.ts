/** A model that scores by what was learnt: the artifact's weights stay where they are, beside what differs. */
import { dispose } from '@tensorflow/tfjs-core';
import type { Delta } from '../checkpoint/delta';
import { RecommenderError } from '../errors';
import type { Outputs } from '../models/model';
import { toTensor, upload } from '../models/tensors';
import { type NeuralScorer, neuralScorer } from '../ranking/neural-scorer';
import { openSession } from '../ranking/session-scorer';
import type { Ground } from '../train/tuning/ground';
import { beyondLimits } from '../train/tuning/limits';
import { tuneAdapter } from '../train/tuning/tune';
import { baseOf, groundOf, networkOf } from './ground';
import type { Model, Worn } from './ready-model';

/** What a delta that was checked makes of a model. Inside a turn. */
export async function tunedBy(delta: Delta, model: Model): Promise<Worn> {
  const ground = await groundOf(model);
  const scorer = delta.method === 'full' ? await fullScorer(delta, model, ground) : adapterScorer(delta, model, ground);
  return { scorer, session: openSession(scorer) };
}

/** An adapter is an item side of its own: it recommends at the base's cost. */
function adapterScorer(delta: Delta, model: Model, ground: Ground): NeuralScorer {
  const { table, bias } = tuneAdapter(ground, delta).learner.fold();
  const { model: architecture, params, config, catalogue } = networkOf(model);
  const [n, d] = [catalogue.items, table.length / catalogue.items];
  /** With the row of padding, which is never scored. */
  const padded = (values: Float32Array, row: number): Float32Array => {
    const whole = new Float32Array(row + values.length);
    whole.set(values, row);
    return whole;
  };
  const outputs = () =>
    ({
      table: toTensor({ data: padded(table, d), shape: [n + 1, d] }),
      bias: toTensor({ data: padded(bias, 1), shape: [n + 1] }),
    }) as Outputs;
  return neuralScorer({ ...architecture, outputs }, params, config, catalogue);
}

async function fullScorer(delta: Delta, model: Model, ground: Ground): Promise<NeuralScorer> {
  const { tunedParameters } = await import('./tuned-network');
  const { model: architecture, params, config, catalogue } = networkOf(model);
  const own = upload(tunedParameters(model, ground, delta));
  try {
    const scorer = neuralScorer(architecture, { ...params, ...own }, config, catalogue);
    return {
      ...scorer,
      dispose() {
        scorer.dispose();
        dispose(own);
      },
    };
  } catch (error) {
    dispose(own);
    throw error;
  }
}

/**
 * Whether a delta is of this model.
 *
 * @throws RecommenderError `not-tunable`; `foreign-delta` for another base.
 */
export function checkBase({ base }: Delta, model: Pick<Model, 'artifact' | 'scorer'>): void {
  networkOf(model);
  if (base.hash === model.artifact.hash) return;
  const here = baseOf(model.artifact);
  throw new RecommenderError(
    'foreign-delta',
    `What was learnt belongs to "${base.name}" ${base.version}, loaded is "${here.name}" ${here.version} with other ` +
      'weights or items. Carry it over by migrate, or start anew.',
  );
}

/** @throws RecommenderError `bad-delta` that names what does not fit. */
export async function checkFit(delta: Delta, model: Model, ground: Ground): Promise<void> {
  const { method, itemIds, arrays } = delta;
  const ids = new Set(ground.itemIds);
  const foreign = itemIds.find((id) => !ids.has(id));
  if (foreign !== undefined) throw bad(`it has a row for "${foreign}", which its model does not know`);
  const sizesOf = async (): Promise<Readonly<Record<string, number>>> => {
    if (method === 'full') return (await import('./tuned-network')).sizesOf(model, ground);
    const d = ground.table.length / ground.itemIds.length;
    return { shift: d, gain: d, weights: 2 + (ground.facets ?? []).length };
  };
  const sizes = await sizesOf();
  for (const [name, { data, shape }] of Object.entries(arrays)) {
    const size = /^(slot\.)?rows\./.test(name) ? itemIds.length * (sizes[name] ?? 1) : sizes[name];
    if (size !== undefined && data.length !== size)
      throw bad(`"${name}" has the shape [${shape}], expected ${size} numbers`);
  }
  const beyond = beyondLimits(delta);
  if (beyond !== undefined) throw bad(`the numbers of "${beyond}" are none that learning reaches`);
}

function bad(what: string): RecommenderError {
  return new RecommenderError('bad-delta', `What was learnt cannot be used: ${what}. Start anew.`);
}
