/** Trains a network from sessions in memory, for the tests of what a backend learns. Runs in Node and in a page. */
import type { Artifact } from '../../src/checkpoint/artifact';
import type { BackendOptions } from '../../src/compute/backends/options';
import { run } from '../../src/compute/executor';
import type { BackendName } from '../../src/compute/types';
import type { EngineEvent } from '../../src/engine/types';
import { NAMELESS } from '../../src/ranking/load-scorer';
import { countSupport } from '../../src/session/event-log';
import { type TrainFromLogOptions, trainFromLog } from '../../src/train/train-from-log';
import { logOf } from '../train/helpers';

export interface SessionsTraining
  extends Pick<TrainFromLogOptions, 'model' | 'config' | 'seed' | 'epochs' | 'signal' | 'onProgress'> {
  readonly sessions: readonly (readonly EngineEvent[])[];
  readonly backend: BackendName;
}

/** On a backend that the executor starts, as every training does. Items are numbered in the order of the sessions. */
export async function trainSessions(
  { sessions, backend, ...training }: SessionsTraining,
  options: BackendOptions,
): Promise<{ readonly artifact: Artifact; readonly losses: readonly number[] }> {
  const events = sessions.flat();
  const itemIds = [...new Set(events.map(({ itemId }) => itemId))];
  const clicks = logOf(sessions.map((session) => session.map(({ itemId }) => itemIds.indexOf(itemId) + 1)));
  const log = { sessions: { ...clicks, times: Float64Array.from(events, ({ time }) => time) } };
  const support = countSupport(clicks.items, itemIds.length);
  const { architecture, config, tensors, golden, epochs } = await run(async (slice) => {
    await slice.start(backend, options);
    return trainFromLog({ signal: slice.signal, ...training, log, itemIds, support });
  });
  const info = { ...NAMELESS, architecture, config, golden, items: itemIds.length };
  return { artifact: { info, itemIds, tensors }, losses: epochs.map(({ loss }) => loss) };
}
