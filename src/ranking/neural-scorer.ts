/**
 * Scores of any architecture, built on the seam of `models/model.ts` alone.
 *
 *     score of item i = c · table[i] + bias[i] + repeats[l]     l clicks after item i was clicked last, if it was
 *
 * The item table is kept transposed, `[d, n]`, on the backend: a product with it is several times faster than one that
 * transposes on the fly. This file owns the tensors it makes: every call leaves as many as it found, also when it throws.
 */
import {
  add,
  concat,
  gather,
  matMul,
  slice,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensor1d,
  tidy,
  transpose,
} from '@tensorflow/tfjs';
import type { Params, Run, SessionModel, State, Stepping } from '../models/model';
import { upload } from '../models/tensors';
import { BLOCK_NUMBERS } from '../nn/scores';
import { lagsOf } from '../session/lags';
import type { Catalogue, Scorer, SequenceRow, SessionInput, Sessions } from '../types';
import type { SessionScorer } from './session-scorer';

/** A scorer whose open sessions move on by one step per click, where the model has a state. */
export interface NeuralScorer extends Scorer {
  openSession?(): SessionScorer;
}

/** A forward pass outside training. */
export const INFERENCE: Run = { dropout: (x) => x };
/** Beyond this many sessions side by side a step gains nothing. */
const MAX_ROWS = 512;

/**
 * A scorer of trained parameters.
 *
 * @param params Stay the caller's; they must outlive the scorer, and a change of them needs a new scorer.
 * @param config As `configure` returns it.
 */
export function neuralScorer<C>(model: SessionModel<C>, params: Params, config: C, catalogue: Catalogue): NeuralScorer {
  const n = catalogue.items;
  const outputs = itemSide(model, params, config, n);
  const { stepping } = model;

  const scorer: NeuralScorer = {
    items: n,
    earlier: model.earlier?.(config) ?? 0,
    async score(sessions) {
      if (sessions.length === 0) return new Float32Array(0);
      if (sessions.some(({ items }) => items.length === 0)) {
        throw new RangeError('score: a session has no click; pass at least one.');
      }
      const prepared = model.prepare(sessions, config, catalogue);
      const scores = await read(tidy(() => outputs.scores(model.encode(params, upload(prepared), config, INFERENCE))));
      return outputs.withRepeats(scores, () => sessions);
    },
    dispose: outputs.dispose,
  };
  if (!stepping) return scorer;
  return {
    ...scorer,
    scoreSequences: (sessions, visit) => scoreSequences(stepping, params, config, outputs, n, sessions, visit),
    openSession: () => steppingSession(stepping, params, config, outputs, n),
  };
}

interface ItemSide {
  /** Scores `[B, n]` of session vectors `[B, d]`; to be called inside `tidy`. */
  scores(vectors: Tensor2D): Tensor2D;
  /** Adds to scores `[B, n]`, in place, what items of their sessions get. */
  withRepeats(scores: Float32Array, sessions: () => readonly SessionInput[]): Promise<Float32Array>;
  dispose(): void;
}

/** The item table, transposed, and the bias, both without the padding row and special tokens. */
function itemSide<C>(model: SessionModel<C>, params: Params, config: C, n: number): ItemSide {
  const { table, bias, repeats } = tidy(() => {
    const outputs = model.outputs(params, config);
    const held: { table: Tensor2D; bias?: Tensor1D; repeats?: Tensor1D } = {
      table: transpose(slice(outputs.table, [1, 0], [n, -1])), // [d, n]
    };
    if (outputs.bias) held.bias = slice(outputs.bias, 1, n);
    if (outputs.repeats) held.repeats = slice(outputs.repeats, 0); // the parameter itself is the caller's
    return held;
  });
  let repeatScores: Promise<Float32Array> | undefined;
  return {
    scores(vectors) {
      const products: Tensor2D = matMul(vectors, table); // [B, n]
      return bias ? add(products, bias) : products;
    },
    async withRepeats(scores, sessions) {
      if (!repeats) return scores;
      repeatScores ??= repeats.data() as Promise<Float32Array>;
      const values = await repeatScores;
      sessions().forEach(({ items }, b) => {
        for (const [item, lag] of lagsOf(items, values.length)) scores[b * n + item - 1]! += values[lag]!;
      });
      return scores;
    },
    dispose() {
      table.dispose();
      bias?.dispose();
      repeats?.dispose();
    },
  };
}

async function read(scores: Tensor2D): Promise<Float32Array> {
  try {
    return (await scores.data()) as Float32Array;
  } finally {
    scores.dispose();
  }
}

/**
 * All sessions, click by click, in rows side by side as in training: a finished session's row is taken over by the next
 * one with a fresh state, and rows vanish when no session is left. Every event costs one step and one product.
 */
async function scoreSequences<C>(
  stepping: Stepping<C>,
  params: Params,
  config: C,
  outputs: ItemSide,
  n: number,
  { items, offsets }: Sessions,
  visit: (scores: Float32Array, rows: readonly SequenceRow[]) => void,
): Promise<void> {
  let session = 0;
  const takeNext = (): SequenceRow | undefined => {
    while (session + 1 < offsets.length) {
      const taken = session++;
      if (offsets[taken + 1]! - offsets[taken]! >= 2) return { session: taken, position: 0 };
    }
    return undefined;
  };
  const capacity = Math.min(MAX_ROWS, Math.max(1, Math.floor(BLOCK_NUMBERS / n)));
  let rows: SequenceRow[] = [];
  for (let row = takeNext(); row; row = rows.length < capacity ? takeNext() : undefined) rows.push(row);
  if (rows.length === 0) return;

  let state: State = tidy(() => [...stepping.start(config, rows.length)]);
  try {
    while (rows.length > 0) {
      const clicks = Int32Array.from(rows, (row) => items[offsets[row.session]! + row.position]!);
      const [scores, ...after] = tidy(() => {
        const next = stepping.step(params, state, tensor1d(clicks, 'int32'), config, INFERENCE);
        return [outputs.scores(stepping.vector(next)), ...next] as [Tensor2D, ...Tensor[]];
      });
      state = replaced(state, after);
      const scored = rows;
      const seen = () =>
        scored.map(({ session, position }): SessionInput => {
          const start = offsets[session]!;
          return { items: items.subarray(start, start + position + 1) };
        });
      await visit(await outputs.withRepeats(await read(scores), seen), rows);

      const following: SequenceRow[] = [];
      const sources: number[] = []; // 1 + the row whose state is carried on, 0 for a fresh one
      rows.forEach((row, i) => {
        const isOver = row.position + 2 >= offsets[row.session + 1]! - offsets[row.session]!;
        const next = isOver ? takeNext() : { session: row.session, position: row.position + 1 };
        if (!next) return;
        following.push(next);
        sources.push(isOver ? 0 : i + 1);
      });
      if (following.length > 0 && (following.length < rows.length || sources.includes(0))) {
        state = replaced(state, regrouped(stepping, config, state, sources));
      }
      rows = following;
    }
  } finally {
    for (const tensor of state) tensor.dispose();
  }
}

/** Rows of a state in a new order; source 0 is a fresh row. */
function regrouped<C>(stepping: Stepping<C>, config: C, state: State, sources: readonly number[]): Tensor[] {
  return tidy(() => {
    const fresh = stepping.start(config, 1);
    const order = tensor1d(Int32Array.from(sources), 'int32');
    return state.map((tensor, i) => gather(concat([fresh[i]!, tensor], 0), order));
  });
}

/** Frees what the new state no longer holds. */
function replaced(before: State, after: readonly Tensor[]): State {
  for (const tensor of before) if (!after.includes(tensor)) tensor.dispose();
  return after;
}

/** Stores the state of the last session, so that a session that continues it costs its new clicks only. */
function steppingSession<C>(
  stepping: Stepping<C>,
  params: Params,
  config: C,
  outputs: ItemSide,
  n: number,
): SessionScorer {
  let seen: number[] = [];
  let state: State = [];
  const forget = () => {
    const held = state;
    state = [];
    seen = [];
    for (const tensor of held) tensor.dispose(); // which may throw where a device is lost
  };
  return {
    items: n,
    async score({ items }) {
      if (items.length === 0) throw new RangeError('score: a session has no click; pass at least one.');
      const continues = seen.length > 0 && seen.length <= items.length && seen.every((item, t) => item === items[t]);
      if (!continues) {
        forget();
        state = tidy(() => [...stepping.start(config, 1)]);
      }
      try {
        while (seen.length < items.length) {
          const click = items[seen.length]!;
          const step = () => [...stepping.step(params, state, tensor1d([click], 'int32'), config, INFERENCE)];
          state = replaced(state, tidy(step));
          seen.push(click);
        }
      } catch (error) {
        forget();
        throw error;
      }
      return outputs.withRepeats(await read(tidy(() => outputs.scores(stepping.vector(state)))), () => [{ items }]);
    },
    forget,
    dispose: forget,
  };
}
