/** Where a training takes its negatives from. */
import type { NegativeSpec } from '../models/model';
import { logUniform } from '../objectives/log-uniform';
import { drawNegatives, type Negatives, PopularitySampler, type Sampler } from '../objectives/negatives';
import { random } from '../session/random';
import type { Catalogue, Sessions } from '../types';
import type { TrainingBatch } from './batches';

/** The negatives of a batch; `step` counts over the whole training, from 0. */
export type NegativeSource = (batch: TrainingBatch, step: number) => Negatives;

/**
 * Draws negatives as the objective asks.
 *
 * @param sessions The log that batches come from, for negatives outside a target's own session.
 * @param seed Together with a step's number it fixes that step's draw.
 */
export function drawnNegatives(
  spec: NegativeSpec,
  catalogue: Catalogue,
  sessions: Sessions,
  seed: number,
): NegativeSource {
  const sampler = samplerOf(spec, catalogue);
  return (batch, step) =>
    drawNegatives(
      spec,
      sampler,
      random(seed, 'negatives', step),
      batch.targets,
      catalogue.items,
      ownItems(batch, sessions, spec.kind === 'per-row'),
      batch.sources?.length,
    );
}

function samplerOf(spec: NegativeSpec, { support }: Catalogue): Sampler | undefined {
  if (spec.kind === 'per-row' && spec.alpha) return new PopularitySampler(support!, spec.alpha);
  if (spec.kind !== 'shared' || spec.extra === 0) return undefined;
  return spec.distribution === 'log-uniform' ? logUniform(support!) : new PopularitySampler(support!, spec.alpha);
}

/** Items of the session that a target, or a row, belongs to, each set made once. */
function ownItems(
  { origin, sources }: TrainingBatch,
  { items, offsets }: Sessions,
  perRow: boolean,
): (target: number) => ReadonlySet<number> {
  const sets = new Map<number, ReadonlySet<number>>();
  return (target) => {
    const row = perRow ? target : origin!.row[target]!;
    let set = sets.get(row);
    if (!set) {
      const source = sources![row]!;
      set = new Set(items.subarray(offsets[source]!, offsets[source + 1]!));
      sets.set(row, set);
    }
    return set;
  };
}
