/**
 * Sessions as rectangles, padded on the right, with what the objective hides of them.
 *
 * - `items` `[B, W]`, int32; `feature.NAME`, see `features.ts`;
 * - `real` `[B · W, 1]`: 1 for columns that others may see; absent where all are seen, or only earlier ones;
 * - `masked` `[B · W, 1]`: 1 where the mask vector stands instead of the click, whose side information it hides too;
 * - `hiddenPairs` `[B, W, W]`: 1 where the row may not see the column, for the two streams of plm;
 * - `last` `[B]`: for inference, the row of `[B · W]` that predicts the next click.
 *
 * Inference asks for what comes after the last click: clm reads there; mlm and rtd append a masked column and read it;
 * plm appends an empty column that nobody sees and reads its query stream.
 */
import type { Random } from '../../session/random';
import type { Catalogue, SessionInput } from '../../types';
import type { HiddenClicks, Prepared, PreparedArray, TrainingDraw } from '../model';
import { longest } from '../padding';
import { prepareFeatures } from './features';
import type { T4RecConfig } from './options';
import { appendsColumn, inferenceClicks, inferenceWidth, isCausal, masksInput, seesPadding } from './settings';

export function prepare(
  sessions: readonly SessionInput[],
  config: T4RecConfig,
  catalogue: Catalogue,
  training?: TrainingDraw,
): Prepared {
  const { objective, totalSeqLength } = config;
  const append = training ? 0 : Number(appendsColumn(config));
  const most = training ? totalSeqLength : inferenceClicks(config);
  // Learning the next click needs no column for the last one, but swap noise exchanges it like any other.
  const isSwapped = config.stochasticSharedEmbeddingsReplacementProb > 0;
  const unread = training && objective === 'clm' && !isSwapped ? 1 : 0;
  const rows = sessions.map(({ items }) => {
    const count = Math.min(items.length, most);
    return { first: items.length - count, count: count - unread };
  });
  const widest = longest(rows.map(({ count }) => count + append));
  const isFixed = seesPadding(config) && !isCausal(config);
  const width = isFixed ? (training ? totalSeqLength : inferenceWidth(config)) : widest;
  const cells = sessions.length * width;

  const items = new Int32Array(cells);
  sessions.forEach((session, row) => {
    const { first, count } = rows[row]!;
    for (let t = 0; t < count; t++) items[row * width + t] = session.items[first + t]!;
  });
  const prepared: Record<string, PreparedArray> = {
    items: { data: items, shape: [sessions.length, width], items: true },
    ...prepareFeatures(sessions, rows, width, config, catalogue),
  };
  const seen = rows.map(({ count }) => count + (objective === 'plm' ? 0 : append));
  if (!isCausal(config) && !isFixed && seen.some((count) => count < width)) {
    const real = new Float32Array(cells);
    seen.forEach((count, row) => {
      real.fill(1, row * width, row * width + count);
    });
    prepared.real = { data: real, shape: [cells, 1] };
  }
  if (training) {
    hide(prepared, training.hidden ?? [], config, width);
    if (isSwapped) swap(prepared, config, training.random);
  } else {
    askForNext(prepared, rows, config, width);
  }
  return prepared;
}

function askForNext(
  prepared: Record<string, PreparedArray>,
  rows: readonly { readonly count: number }[],
  config: T4RecConfig,
  width: number,
): void {
  const { objective } = config;
  const asked = rows.map(({ count }, row) => row * width + (objective === 'clm' ? Math.max(0, count - 1) : count));
  prepared.last = { data: Int32Array.from(asked), shape: [rows.length] };
  if (objective === 'clm') return;
  const masked = new Float32Array(rows.length * width);
  for (const cell of asked) masked[cell] = 1;
  if (masksInput(config)) prepared.masked = { data: masked, shape: [masked.length, 1] };
  if (objective !== 'plm') return;
  const pairs = new Float32Array(masked.length * width);
  asked.forEach((cell, row) => {
    for (let i = 0; i < width; i++) pairs[(row * width + i) * width + (cell % width)] = 1;
  });
  prepared.hiddenPairs = { data: pairs, shape: [rows.length, width, width] };
}

function hide(
  prepared: Record<string, PreparedArray>,
  hidden: readonly HiddenClicks[],
  config: T4RecConfig,
  width: number,
): void {
  if (masksInput(config)) {
    const masked = new Float32Array(hidden.length * width);
    hidden.forEach(({ targets }, row) => {
      masked.set(targets, row * width);
    });
    prepared.masked = { data: masked, shape: [masked.length, 1] };
  }
  if (config.objective !== 'plm') return;
  const pairs = new Float32Array(hidden.length * width * width);
  hidden.forEach((clicks, row) => {
    pairs.set(permutationMask(clicks, width), row * width * width);
  });
  prepared.hiddenPairs = { data: pairs, shape: [hidden.length, width, width] };
}

/**
 * Which columns which rows may not see, `[W, W]`: row i not column j where j is a target and rankᵢ ≤ rankⱼ. Columns
 * beyond the session are no targets and see what clicks that everyone sees do.
 */
export function permutationMask({ targets, ranks }: HiddenClicks, width: number): Uint8Array {
  const mask = new Uint8Array(width * width);
  const rank = (column: number) => ranks?.[column] ?? -1;
  for (let j = 0; j < targets.length; j++) {
    if (!targets[j]) continue;
    for (let i = 0; i < width; i++) mask[i * width + j] = Number(rank(i) <= rank(j));
  }
  return mask;
}

/**
 * Stochastic shared embeddings — Wu et al., NeurIPS 2019, https://arxiv.org/abs/1905.10630: each value of a categorical
 * feature, the item among them, is exchanged with probability p for another of the batch; each feature on its own.
 */
function swap(prepared: Record<string, PreparedArray>, config: T4RecConfig, random: Random): void {
  for (const [name, array] of Object.entries(prepared)) {
    if (!(array.data instanceof Int32Array)) continue;
    const data = swapped(array.data, config.stochasticSharedEmbeddingsReplacementProb, random);
    prepared[name] = { ...array, data };
  }
}

/** With the chosen cells taking the first values of a permutation of all that are not padding, in order. */
export function swapped(values: Int32Array, probability: number, random: Random): Int32Array {
  const pool = random.shuffle(values.filter((value) => value !== 0));
  let next = 0;
  return values.map((value) => (value !== 0 && random.uniform() < probability ? pool[next++]! : value));
}
