/** The sessions that travel with a model, as tuning replays them: what others do must not get worse. */
import { type OpenedArtifact, REPLAY_OFFSETS_TENSOR, REPLAY_TENSOR } from '../checkpoint/artifact';
import type { FrozenModel } from '../train/tuning/frozen-model';
import type { BaseNetwork } from '../train/tuning/full-parameters';
import type { Encoder } from './encoder';

/** More teach nothing further: one is replayed with each event. */
const MOST_SESSIONS = 64;

/** Each session without its last click, and that click. */
export function replayOf({ tensors }: OpenedArtifact): NonNullable<BaseNetwork['replay']> {
  const { [REPLAY_TENSOR]: clicks, [REPLAY_OFFSETS_TENSOR]: offsets } = tensors;
  if (!clicks || !offsets) return [];
  const starts = [...offsets.data.subarray(0, MOST_SESSIONS + 1)];
  return starts.slice(1).map((end, s) => ({
    session: { items: clicks.data.subarray(starts[s], end - 1) },
    target: clicks.data[end - 1]!,
  }));
}

const encoded = new WeakMap<OpenedArtifact, NonNullable<FrozenModel['replay']>>();

/** The same by vectors of the model; undefined where the artifact has no sessions. */
export async function encodedReplay(artifact: OpenedArtifact, encoder: Encoder): Promise<FrozenModel['replay']> {
  const known = encoded.get(artifact);
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
  encoded.set(artifact, replay);
  return replay;
}
