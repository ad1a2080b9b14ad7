/** Vectors of many sessions, so few in a turn that others get theirs. */
import { tidy } from '@tensorflow/tfjs-core';
import { RecommenderError } from '../errors';
import { upload } from '../models/tensors';
import { INFERENCE } from '../ranking/neural-scorer';
import type { SessionInput } from '../types';
import { networkOf, read } from './ground';
import type { Model } from './ready-model';
import type { TuningHost } from './tune';

/** Milliseconds that one turn should take at most. */
const TURN = 20;
const MOST_SESSIONS = 64;

export interface Encoder {
  /** So many sessions fit into a turn, as it looks by now. */
  width(): number;
  /** The vector of each session in the model's space, `[d]`; undefined where it has no click. One turn. */
  vectors(sessions: readonly SessionInput[]): Promise<(Float32Array | undefined)[]>;
}

/** Vectors `[B, d]` of sessions with at least one click, as one batch. Inside a turn, on the model's backend. */
export async function encode(
  model: Pick<Model, 'artifact' | 'scorer'>,
  sessions: readonly SessionInput[],
): Promise<Float32Array> {
  const { model: architecture, params, config, catalogue } = networkOf(model);
  const prepared = architecture.prepare(sessions, config, catalogue);
  return read(tidy(() => architecture.encode(params, upload(prepared), config, INFERENCE)));
}

/** An encoder of a model, wherever that is by then. */
export function encoderOf(host: TuningHost, { artifact }: Model, signal: AbortSignal | undefined): Encoder {
  let width = 1;

  return {
    width: () => width,
    async vectors(sessions) {
      const begun = sessions.filter(({ items }) => items.length > 0);
      if (begun.length === 0) return sessions.map(() => undefined);
      let took = 0;
      const vectors = await host.turn(async (ends) => {
        // Not inside `surviving`, which would take it for the backend's fault.
        if (host.loaded().artifact !== artifact) {
          throw new RecommenderError('aborted', 'Another model was loaded while this one was tuned.');
        }
        const from = performance.now();
        const found = await host.surviving((model) => encode(model, begun), ends);
        took = performance.now() - from;
        return found;
      }, signal);
      if (took > TURN) width = Math.max(1, width >> 1);
      else if (took < TURN / 2 && begun.length > width / 2) width = Math.min(MOST_SESSIONS, 2 * width);
      const d = vectors.length / begun.length;
      let row = 0;
      return sessions.map(({ items }) => (items.length > 0 ? vectors.subarray(row * d, ++row * d) : undefined));
    },
  };
}
