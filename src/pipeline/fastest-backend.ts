/** Which backend trains a model fastest on this device, by some steps of its training on each. */
import { firstOf } from '../abort';
import { run as runOnDevice } from '../compute/executor';
import type { BackendName } from '../compute/types';
import { reasonOf } from '../errors';
import { Interrupted } from '../train/fit';
import { layoutOf, trainFromLog } from '../train/train-from-log';
import { checkedConfiguration, configurationFrom } from './configuration';
import { defined } from './defined';
import type { TrainingHost } from './host';
import { inform, startTask, warn } from './observer';
import type { TrainOptions } from './options';
import { shareSteps } from './threads';
import { passOn, sharesSteps } from './training';

/** Steps that compile kernels and fill caches, and are not counted. */
const WARM_UP = 5;
/** Steps that are counted: as many as are done by then, but one at least. */
const MOST_STEPS = 40;
const MOST_MILLISECONDS = 3000;

/**
 * Trains some steps on each backend, and tells the observer what a step takes. A backend that fails is passed over with a warning.
 *
 * @param backends In order of preference; `threads` of the options share the steps on `wasm`.
 * @returns The fastest, or the first where none can be measured: the training itself says why.
 * @throws RecommenderError as `trainOn` for options, a log, or a model that does not fit into memory.
 */
export async function fastestBackend(
  host: TrainingHost,
  options: TrainOptions,
  backends: readonly [BackendName, ...BackendName[]],
): Promise<BackendName> {
  const { data, read, model, catalogue, seed = 1, signal } = options;
  const { given, preset } = await configurationFrom(options, host, {});
  const { wanted, config } = await checkedConfiguration(model, given, preset);
  const threads = (await sharesSteps(model, config)) ? options.threads : undefined;
  const log = await host.readLog(data, { ...read, featuresIfAny: wanted.map(({ name }) => name) }, defined({ signal }));
  const products = catalogue === undefined ? undefined : await host.readCatalogue(catalogue, read?.columns?.item);
  const task = passOn(log, { model, config: given, seed, epochs: 1, ...defined({ products }) });
  host.checkMemory?.(model, await layoutOf(task), log.sessions.items.length, threads ?? 1);

  const measured = new Map<BackendName, number>();
  const progress = startTask(options, {
    label: `Measuring what trains ${model} fastest`,
    total: backends.length,
    unit: 'backends',
  });
  for (const [i, backend] of backends.entries()) {
    if (signal?.aborted) break;
    try {
      const time = await stepTime(
        host,
        task,
        backend,
        defined({ threads: backend === 'wasm' ? threads : undefined, signal }),
      );
      if (!signal?.aborted) measured.set(backend, time);
    } catch (error) {
      warn(options, `${backend} cannot train ${model} here: ${reasonOf(error)}`);
    }
    progress.update(i + 1);
  }
  progress.finish();
  const [fastest = backends[0]] = [...measured.keys()].sort((a, b) => measured.get(a)! - measured.get(b)!);
  const times = [...measured].map(([backend, milliseconds]) => `${milliseconds.toFixed(1)} ms on ${backend}`);
  if (times.length > 1) inform(options, `A step of ${model} takes ${times.join(', ')}: ${fastest} trains it.`);
  return fastest;
}

/** Milliseconds of a step. */
function stepTime(
  host: TrainingHost,
  task: ReturnType<typeof passOn>,
  backend: BackendName,
  { threads, signal }: Pick<TrainOptions, 'threads' | 'signal'>,
): Promise<number> {
  return runOnDevice(async (slice) => {
    await host.startBackend(slice, backend, {});
    const enough = new AbortController();
    const stop = firstOf(signal, enough.signal);
    const began = performance.now();
    let all = { step: 0, time: began };
    let warm: typeof all | undefined;
    const onProgress = ({ step }: { readonly step: number }): void => {
      all = { step, time: performance.now() };
      if (step < WARM_UP) return;
      warm ??= all;
      if (step - warm.step >= MOST_STEPS || (step > warm.step && all.time - warm.time >= MOST_MILLISECONDS))
        enough.abort();
    };
    try {
      await trainFromLog({
        ...task,
        signal: stop.signal,
        onProgress,
        ...(threads !== undefined && {
          parallel: (layout) => shareSteps(host.openThread, { options: task, backend, threads, layout }),
        }),
      });
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
    } finally {
      stop.release();
    }
    // An epoch of few steps ends before it is warm.
    const from = warm && warm.step < all.step ? warm : { step: 0, time: began };
    return (all.time - from.time) / (all.step - from.step);
  });
}
