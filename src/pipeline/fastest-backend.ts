/** Which backend trains a model fastest on this device, by some steps of its training on each. */

import { run as runOnDevice } from '../compute/executor';
import type { BackendName } from '../compute/types';
import { firstOf } from '../engine/first-of';
import { reasonOf } from '../errors';
import { Interrupted } from '../train/fit';
import { layoutOf, trainFromLog } from '../train/train-from-log';
import { yieldToEventLoop } from '../train/yield-to-event-loop';
import { checkedConfiguration, configurationFrom } from './configuration';
import { defined } from './defined';
import type { TrainingHost } from './host';
import { inform, startTask, warn } from './observer';
import type { TrainOptions } from './options';
import { sharesSteps, trainsBeside } from './thread-use';
import { shareSteps } from './threads';
import { passOn } from './training-passes';

/** Steps that compile kernels and fill caches, and are not counted. */
const WARM_UP = 5;
/** Steps that are counted: as many as are done by then, but one at least. */
const MOST_STEPS = 40;
const MOST_MILLISECONDS = 3000;
/** Milliseconds after which even the first steps are counted: losses are read back in groups, which may take many. */
const LONGEST = 8000;

/**
 * Trains some steps on each backend, and tells the observer what a step takes. A backend that fails is passed over with a warning.
 *
 * @param backends In order of preference; `threads` of the options share the steps on `wasm`.
 * @returns The fastest; undefined where none can be measured: the training itself says why.
 * @throws RecommenderError as `trainOn` for options, a log, or a model that does not fit into memory.
 */
export async function fastestBackend(
  host: TrainingHost,
  options: TrainOptions,
  backends: readonly BackendName[],
): Promise<BackendName | undefined> {
  const { data, read, model, catalogue, seed = 1, signal } = options;
  const { given, preset } = await configurationFrom(options, host, {});
  const { wanted, config } = await checkedConfiguration(model, given, preset);
  const { threads = 1 } = options;
  const isShared = threads > 1 && (await sharesSteps(model, config));
  const isBeside = threads > 1 && !isShared && (await trainsBeside(model, config));
  const log = await host.readLog(data, { ...read, featuresIfAny: wanted.map(({ name }) => name) }, defined({ signal }));
  const shop = catalogue === undefined ? undefined : await host.readCatalogue(catalogue, read?.columns?.item);
  const task = passOn(log, { model, config: given, seed, epochs: 1, ...defined({ products: shop?.products }) });
  host.checkMemory?.(model, await layoutOf(task), log.sessions.items.length, isShared ? threads : 1);

  const measured = new Map<BackendName, number>();
  const progress = startTask(options, {
    label: `Measuring what trains ${model} fastest`,
    total: backends.length,
    unit: 'backends',
  });
  for (const [i, backend] of backends.entries()) {
    if (signal?.aborted) break;
    try {
      const time = await stepTime(host, task, backend, {
        threads: isShared && backend === 'wasm' ? threads : 1,
        ...defined({ signal }),
      });
      if (!signal?.aborted) measured.set(backend, time);
    } catch (error) {
      warn(options, `${backend} cannot train ${model} here: ${reasonOf(error)}`);
    }
    progress.update(i + 1);
  }
  progress.finish();
  // Beside each other both trainings of a processor take the time of one.
  const weight = (backend: BackendName) => measured.get(backend)! / (isBeside && backend === 'wasm' ? 2 : 1);
  const [fastest] = [...measured.keys()].sort((a, b) => weight(a) - weight(b));
  const times = [...measured].map(([backend, milliseconds]) => {
    const two = isBeside && backend === 'wasm' ? ', of two trainings at a time' : '';
    return `${milliseconds.toFixed(1)} ms on ${backend}${two}`;
  });
  if (times.length > 1) inform(options, `A step of ${model} takes ${times.join(', ')}: ${fastest} trains it.`);
  return fastest;
}

/** After so many steps. */
interface Moment {
  readonly step: number;
  readonly time: number;
}

/** Milliseconds of a step. */
function stepTime(
  host: TrainingHost,
  task: ReturnType<typeof passOn>,
  backend: BackendName,
  { threads, signal }: { readonly threads: number; readonly signal?: AbortSignal },
): Promise<number> {
  return runOnDevice(async (slice) => {
    await host.startBackend(slice, backend, {});
    const enough = new AbortController();
    const stop = firstOf(signal, enough.signal);
    const began = performance.now();
    /** After the first step and the last one that was told to the device. */
    let cold: Moment | undefined;
    let last: Moment = { step: 0, time: began };
    /** After the first step that is warm and the last one whose loss has been read back. */
    let warm: Moment | undefined;
    let done: Moment | undefined;
    const pause = async (): Promise<void> => {
      last = { step: last.step + 1, time: performance.now() };
      cold ??= last;
      if (last.time - cold.time > LONGEST) enough.abort();
      await yieldToEventLoop();
    };
    const onProgress = ({ step }: { readonly step: number }): void => {
      if (step < WARM_UP) return;
      done = { step, time: performance.now() };
      warm ??= done;
      const isEnough = step - warm.step >= MOST_STEPS || done.time - warm.time >= MOST_MILLISECONDS;
      if (isEnough) enough.abort();
    };
    try {
      await trainFromLog({
        ...task,
        signal: stop.signal,
        pause,
        onProgress,
        ...(threads > 1 && {
          parallel: (layout) => shareSteps(host.openThread, { options: task, backend, threads, layout }),
        }),
      });
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
    } finally {
      stop.release();
    }
    if (warm && done && warm.step < done.step) return (done.time - warm.time) / (done.step - warm.step);
    // An epoch of few steps, or of long ones, ends before it is warm. What was pending has been read back.
    const from = cold && cold.step < last.step ? cold : { step: 0, time: began };
    return (performance.now() - from.time) / (last.step - from.step);
  });
}
