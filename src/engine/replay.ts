/** The sessions that travel with a model, as tuning replays them: what others do must not get worse. */
import { type OpenedArtifact, REPLAY_OFFSETS_TENSOR, REPLAY_TENSOR } from '../checkpoint/artifact';
import type { Ground } from '../train/tuning/ground';
import type { Encoder } from './encoder';
import type { Model } from './ready-model';

type Replay = NonNullable<Ground['replay']>;

/** More teach nothing further: one is drawn for each event. */
const MOST_SESSIONS = 64;

const encoded = new WeakMap<OpenedArtifact, Replay>();

/** Each session's vector before its last click, and that click; undefined where the artifact has no sessions. */
export async function replayOf({ artifact }: Model, encoder: Encoder): Promise<Replay | undefined> {
  const known = encoded.get(artifact);
  const { [REPLAY_TENSOR]: clicks, [REPLAY_OFFSETS_TENSOR]: offsets } = artifact.tensors;
  if (known || !clicks || !offsets) return known;
  const sessions = Array.from({ length: Math.min(MOST_SESSIONS, offsets.data.length - 1) }, (_, s) =>
    clicks.data.subarray(offsets.data[s]!, offsets.data[s + 1]!),
  );
  const vectors: Float32Array[] = [];
  while (vectors.length < sessions.length) {
    const block = sessions.slice(vectors.length, vectors.length + encoder.width());
    const before = await encoder.vectors(block.map((items) => ({ items: items.subarray(0, -1) })));
    vectors.push(...before.map((vector) => vector!));
  }
  if (vectors.length === 0) return undefined;
  const d = vectors[0]!.length;
  const replay: Replay = {
    vectors: new Float32Array(vectors.length * d),
    targets: Int32Array.from(sessions, (items) => items.at(-1)!),
  };
  vectors.forEach((vector, s) => {
    replay.vectors.set(vector, s * d);
  });
  encoded.set(artifact, replay);
  return replay;
}
