/** Training from plain data to plain data. A chunk of its own: loaded only where a model learns. */

import { BackendFault } from '../compute/backend-fault';
import { run, type Slice } from '../compute/executor';
import { startOrder } from '../compute/fallback';
import { stopDevice } from '../compute/running';
import { registerTraining } from '../compute/training';
import type { BackendName } from '../compute/types';
import { RecommenderError, throwIfAborted } from '../errors';
import { loadCode } from '../load-code';
import { models } from '../models/index';
import { columnsOf } from '../session/click-columns';
import { type ClickLog, countSupport } from '../session/event-log';
import { Interrupted } from '../train/fit';
import { trainFromLog } from '../train/train-from-log';
import type { PlacementOptions } from './placement';
import { hold } from './ready-model';
import type { EngineEvent, Trained, TrainProgress, TrainRequest } from './types';

/**
 * As `Engine.train`: on the first backend of the choice that starts.
 *
 * @throws RecommenderError `engine-lost` where its device is gone before the end.
 */
export async function trainModel(
  request: TrainRequest,
  options: PlacementOptions,
  signal: AbortSignal,
  onProgress: (progress: TrainProgress) => void,
): Promise<Trained> {
  const { deadline } = options;
  const order = startOrder(request.backend).filter((name) => name !== 'plan');
  if (order.length === 0)
    throw new RecommenderError('no-backend', 'train: a plan only recommends. Use another backend.');
  for (;;) {
    const backend = order.shift()!;
    let release: (() => void) | undefined;
    const training = async (slice: Slice) => {
      const device = await slice.start(backend, options);
      release = hold(device);
      return trainInSlices(backend, request, slice, onProgress);
    };
    try {
      return await run(training, { deadline, signal, onFault: stopGone });
    } catch (error) {
      if (!(error instanceof BackendFault)) throw error;
      if (!release && order.length > 0) continue;
      if (!error.isGone) throw error;
      throw new RecommenderError('engine-lost', `${error.message} Train again, or on another backend.`);
    } finally {
      if (release) await run(async () => release?.());
    }
  }
}

/** The next use of the backend starts another instance of it. */
function stopGone(fault: BackendFault): void {
  const device = fault.device();
  if (fault.isGone && device) stopDevice(device);
}

/** In slices, on a backend that has started. Every tensor that it makes it frees. */
async function trainInSlices(
  backend: BackendName,
  request: TrainRequest,
  slice: Slice,
  onProgress: (progress: TrainProgress) => void,
): Promise<Trained> {
  // `trainFromLog` rejects a model that is not known.
  const code = Object.hasOwn(models, request.model) && loadCode(`"${request.model}"`, models[request.model]!.training);
  await slice.yield(Promise.all([registerTraining(), code]));
  const { signal } = slice;
  const { model, config, seed, epochs, products } = request;
  const { log, itemIds } = indexed(request.sessions);
  const support = countSupport(log.sessions.items, itemIds.length);
  try {
    const { epochs: results, ...learnt } = await trainFromLog({
      model,
      config,
      log,
      itemIds,
      support,
      seed,
      signal,
      ...(products && { products }),
      ...(epochs !== undefined && { epochs }),
      pause: () => slice.yield(),
      onProgress: (progress, epochs) => onProgress({ ...progress, epochs }),
    });
    throwIfAborted(signal);
    const { architecture, tensors, golden, features } = learnt;
    return {
      architecture,
      config: learnt.config,
      itemIds,
      tensors,
      golden,
      backend,
      ...(features && { features }),
      losses: results.map(({ loss }) => loss),
    };
  } catch (error) {
    // The state to resume from stays here: a page starts training from the beginning.
    throwIfAborted(error instanceof Interrupted ? signal : undefined);
    throw error;
  }
}

/** Sessions by ids as the trainer wants them: in the order of their starts, items numbered as they appear. */
function indexed(sessions: readonly (readonly EngineEvent[])[]): { log: ClickLog; itemIds: string[] } {
  const ordered = sessions
    .filter((session) => session.length > 0)
    .map((session) => [...session].sort((a, b) => a.time - b.time))
    .sort((a, b) => a[0]!.time - b[0]!.time);
  const events = ordered.flat();
  const indices = new Map<string, number>();
  const items = Int32Array.from(events, ({ itemId }) => {
    if (typeof itemId !== 'string') {
      throw new RecommenderError('bad-input', `train: expected item ids as text, got ${String(itemId)}.`);
    }
    const index = indices.get(itemId) ?? indices.size + 1;
    indices.set(itemId, index);
    return index;
  });
  const offsets = new Int32Array(ordered.length + 1);
  ordered.forEach((session, s) => {
    offsets[s + 1] = offsets[s]! + session.length;
  });
  const times = Float64Array.from(events, ({ time }) => time);
  if (items.length === 0) {
    throw new RecommenderError('bad-input', 'train: the sessions hold no click, so there is nothing to learn.');
  }
  return { log: { sessions: { items, times, offsets }, features: columnsOf(events) }, itemIds: [...indices.keys()] };
}
