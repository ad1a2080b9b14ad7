/** What a model reads of items beside their ids, as an artifact stores it. */
import type { NdArray } from '../types';
import { FEATURE_PREFIX } from './artifact';

export const toTensors = (features: Readonly<Record<string, NdArray>>): Record<string, NdArray> =>
  Object.fromEntries(Object.entries(features).map(([name, array]) => [FEATURE_PREFIX + name, array]));

export function fromTensors(tensors: Readonly<Record<string, NdArray>>): Record<string, NdArray> {
  const stored = Object.entries(tensors).filter(([name]) => name.startsWith(FEATURE_PREFIX));
  return Object.fromEntries(stored.map(([name, array]) => [name.slice(FEATURE_PREFIX.length), array]));
}
