/** An artifact with a part of its items. */
import type { NdArray } from '../types';
import {
  type Artifact,
  BIRTHS_TENSOR,
  FEATURE_PREFIX,
  REPLAY_OFFSETS_TENSOR,
  REPLAY_TENSOR,
  type Strategies,
  SUPPORT_TENSOR,
} from './artifact';

/** The indices of the items with most support, ascending; of equal ones, those with the lower index. */
export function mostSupported(support: ArrayLike<number>, count: number): number[] {
  const indices = Array.from({ length: support.length - 1 }, (_, k) => k + 1);
  return indices
    .sort((a, b) => support[b]! - support[a]! || a - b)
    .slice(0, count)
    .sort((a, b) => a - b);
}

/**
 * Keeps some of the items: their ids, rows, products, aliases, pairs and trends. The sessions that travel with the model lose their
 * clicks on other items, and those of one click that are left are dropped. Products that the model never knew stay. The golden answer
 * is the old one, with old indices.
 *
 * @param kept Item indices, ascending; item `kept[k]` becomes item k + 1.
 * @param specs The architecture's parameters: those with `rows` have a row for padding, each item, and special tokens.
 */
export function selectItems(
  { info, itemIds, tensors, catalogue, aliases, strategies, rules }: Artifact,
  kept: readonly number[],
  specs: Readonly<Record<string, { readonly rows?: unknown }>>,
): Artifact {
  const indexOf = new Map(kept.map((old, k) => [old, k + 1]));
  const keptIds = kept.map((old) => itemIds[old - 1]!);
  const keptSet = new Set(keptIds);
  const dropped = new Set(itemIds.filter((id) => !keptSet.has(id)));
  const { [REPLAY_TENSOR]: replay, [REPLAY_OFFSETS_TENSOR]: offsets, ...others } = tensors;
  const selected = Object.entries(others).map(([name, tensor]): [string, NdArray] => {
    const isFeature = name.startsWith(FEATURE_PREFIX);
    const hasRows = specs[name]?.rows !== undefined || name === SUPPORT_TENSOR || name === BIRTHS_TENSOR || isFeature;
    if (!hasRows) return [name, tensor];
    const rows = selectRows(tensor, kept, itemIds.length);
    // Parameters have as many rows as a category has values. Entry 0 is no item's: it holds the last value.
    if (isFeature && tensor.data instanceof Int32Array) rows.data[0] = tensor.data.reduce((a, b) => Math.max(a, b), 0);
    return [name, rows];
  });
  return {
    info: { ...info, items: kept.length },
    itemIds: keptIds,
    tensors: { ...Object.fromEntries(selected), ...(replay && offsets && selectSessions(replay, offsets, indexOf)) },
    ...(catalogue && { catalogue: catalogue.filter(({ id }) => !dropped.has(id)) }),
    ...(aliases && { aliases: new Map([...aliases].filter(([id]) => !dropped.has(id))) }),
    ...(strategies && { strategies: selectStrategies(strategies, indexOf) }),
    ...(rules && { rules }),
  };
}

/** Row 0, the rows of the items that are kept, and those behind the last item. */
function selectRows({ data, shape }: NdArray, kept: readonly number[], items: number): NdArray {
  const [length = 0, ...rest] = shape;
  const width = rest.reduce((product, size) => product * size, 1);
  const special = Array.from({ length: length - items - 1 }, (_, r) => items + 1 + r);
  const rows = [0, ...kept, ...special];
  const selected =
    data instanceof Float32Array ? new Float32Array(rows.length * width) : new Int32Array(rows.length * width);
  for (const [to, from] of rows.entries()) selected.set(data.subarray(from * width, (from + 1) * width), to * width);
  return { data: selected, shape: [rows.length, ...rest] };
}

type Indices = ReadonlyMap<number, number>;

function selectSessions(
  { data: items }: NdArray,
  { data: offsets }: NdArray,
  indexOf: Indices,
): Record<string, NdArray> {
  const sessions = Array.from({ length: offsets.length - 1 }, (_, s) =>
    Array.from(items.subarray(offsets[s]!, offsets[s + 1]!)).flatMap((item) => indexOf.get(item) ?? []),
  ).filter((session) => session.length >= 2);
  if (sessions.length === 0) return {};
  const starts = [0];
  for (const { length } of sessions) starts.push(starts.at(-1)! + length);
  const clicks = sessions.flat();
  return {
    [REPLAY_TENSOR]: { data: Int32Array.from(clicks), shape: [clicks.length] },
    [REPLAY_OFFSETS_TENSOR]: { data: Int32Array.from(starts), shape: [starts.length] },
  };
}

function selectStrategies({ boughtTogether, trending }: Strategies, indexOf: Indices): Strategies {
  /** A list of items, each with its score. */
  const listOf = (list: readonly number[]): number[] =>
    list.flatMap((item, at) => (at % 2 === 0 && indexOf.has(item) ? [indexOf.get(item)!, list[at + 1]!] : []));
  const pairs = Object.entries(boughtTogether?.pairs ?? {}).flatMap(([item, list]) => {
    const [index, others] = [indexOf.get(Number(item)), listOf(list)];
    return index === undefined || others.length === 0 ? [] : [[index, others] as const];
  });
  return {
    ...(boughtTogether &&
      pairs.length > 0 && { boughtTogether: { ...boughtTogether, pairs: Object.fromEntries(pairs) } }),
    ...(trending && { trending: { ...trending, items: listOf(trending.items) } }),
  };
}
