/** The sessions that travel with a model, as tuning replays them: what others do must not get worse. */
import type { OpenedArtifact } from '../checkpoint/artifact';
import type { FrozenModel } from '../train/tuning/frozen-model';
import type { Encoder } from './encoder';
import { replayOf } from './frozen-model';

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
