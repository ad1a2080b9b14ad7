/** Migrates a delta to another version of its model, by the ids of items. */
import type { OpenedArtifact } from '../checkpoint/artifact';
import type { Delta } from '../checkpoint/delta';
import { CLOSED } from '../train/tuning/gate';
import type { NdArray } from '../types';
import { baseOf } from './frozen-model';
import type { Migrated } from './types';

/** Arrays that do not depend on the old model's vector space. */
const KEPT = ['rows.count', 'rows.bias'] as const;

/** As `Engine.migrate`. */
export function migrate(delta: Delta, artifact: OpenedArtifact): Migrated {
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
      gate: CLOSED, // its evidence was of another model
    },
    dropped: itemIds.filter((id) => !known.has(id)),
  };
}
