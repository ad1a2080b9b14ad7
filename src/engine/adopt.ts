/** A model that scores by what was learnt: the artifact's weights stay where they are, beside what differs. */
import type { Delta } from '../checkpoint/delta';
import { RecommenderError } from '../errors';
import { toTensor } from '../models/tensors';
import { neuralScorer } from '../ranking/neural-scorer';
import { openSession } from '../ranking/session-scorer';
import type { Ground } from '../train/tuning/ground';
import { tuneAdapter } from '../train/tuning/tune';
import { baseOf, groundOf, networkOf } from './ground';
import type { Model, Worn } from './ready-model';

/** What an adapter that was checked makes of a model: its own item side, at the base's cost. Inside a turn. */
export async function tunedBy(delta: Delta, model: Model): Promise<Worn> {
  const ground = await groundOf(model);
  const { table, bias } = tuneAdapter(ground, delta).learner.fold();
  const { model: architecture, params, config, catalogue } = networkOf(model);
  const [n, d] = [catalogue.items, table.length / catalogue.items];
  /** With the row of padding, which is never scored. */
  const padded = (values: Float32Array, row: number): Float32Array => {
    const whole = new Float32Array(row + values.length);
    whole.set(values, row);
    return whole;
  };
  const outputs = () => ({
    table: toTensor({ data: padded(table, d), shape: [n + 1, d] }) as never,
    bias: toTensor({ data: padded(bias, 1), shape: [n + 1] }) as never,
  });
  const scorer = neuralScorer({ ...architecture, outputs }, params, config, catalogue);
  return { scorer, session: openSession(scorer) };
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
export function checkFit({ itemIds, arrays }: Delta, { table, itemIds: known, facets = [] }: Ground): void {
  const ids = new Set(known);
  const foreign = itemIds.find((id) => !ids.has(id));
  if (foreign !== undefined) throw bad(`it has a row for "${foreign}", which its model does not know`);
  const d = table.length / known.length;
  const sizes: Readonly<Record<string, number>> = {
    ...{ shift: d, gain: d, weights: 2 + facets.length, 'rows.table': itemIds.length * d },
    ...{ 'rows.count': itemIds.length, 'rows.bias': itemIds.length },
  };
  for (const [name, { data }] of Object.entries(arrays)) {
    if (Object.hasOwn(sizes, name) && data.length !== sizes[name]) {
      throw bad(`"${name}" has ${data.length} numbers, expected ${sizes[name]}`);
    }
  }
}

function bad(what: string): RecommenderError {
  return new RecommenderError('bad-delta', `What was learnt cannot be used: ${what}. Start anew.`);
}
