/** Encodes many sessions, a few in each slice, so that other calls run in between. */
import type { OpenedArtifact } from '../checkpoint/artifact';
import type { FrozenModel } from '../train/tuning/frozen-model';
import type { SessionInput } from '../types';
import { networkOf, replayOf } from './frozen-model';
import type { Placed } from './placed';

/** Milliseconds that one slice should take at most. */
const SLICE = 20;
const MOST_SESSIONS = 64;

export interface Encoder {
  /** Number of sessions that fit into a slice, as measured so far. */
  width(): number;
  /** The vector of each session in the model's space, `[d]`; undefined if it has no click. One slice. */
  vectors(sessions: readonly SessionInput[]): Promise<(Float32Array | undefined)[]>;
}

/** An encoder of a model on its current backend. */
export function encoderOf(placement: Placed, signal: AbortSignal): Encoder {
  let width = 1;

  return {
    width: () => width,
    async vectors(sessions) {
      const begun = sessions.filter(({ items }) => items.length > 0);
      if (begun.length === 0) return sessions.map(() => undefined);
      let took = 0;
      const vectors = await placement.run(async (model) => {
        const from = performance.now();
        const found = await networkOf(model).encode(begun);
        took = performance.now() - from;
        return found;
      }, signal);
      if (took > SLICE) width = Math.max(1, width >> 1);
      else if (took < SLICE / 2 && begun.length > width / 2) width = Math.min(MOST_SESSIONS, 2 * width);
      const d = vectors.length / begun.length;
      let row = 0;
      return sessions.map(({ items }) => (items.length > 0 ? vectors.subarray(row * d, ++row * d) : undefined));
    },
  };
}

/** Computed once for each artifact. */
const replays = new WeakMap<OpenedArtifact, NonNullable<FrozenModel['replay']>>();

/** The sessions that travel with a model, encoded for tuning, which replays them; undefined if the artifact has none. */
export async function encodedReplay(artifact: OpenedArtifact, encoder: Encoder): Promise<FrozenModel['replay']> {
  const known = replays.get(artifact);
  const sessions = known ? [] : replayOf(artifact);
  if (sessions.length === 0) return known;
  const rows: Float32Array[] = [];
  while (rows.length < sessions.length) {
    const block = sessions.slice(rows.length, rows.length + encoder.width());
    const vectors = await encoder.vectors(block.map(({ session }) => session));
    rows.push(...vectors.map((vector) => vector!));
  }
  const d = rows[0]!.length;
  const vectors = new Float32Array(rows.length * d);
  for (const [s, row] of rows.entries()) vectors.set(row, s * d);
  const targets = Int32Array.from(sessions, ({ target }) => target);
  const replay = { vectors, targets, sessions: sessions.map(({ session }) => session) };
  replays.set(artifact, replay);
  return replay;
}
