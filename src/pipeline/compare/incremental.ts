/** The incremental protocol for one artifact: evaluates how it was trained, window by window, instead of its weights. */
import { CATALOGUE } from '../../checkpoint/manifest';
import { RecommenderError } from '../../errors';
import { DAY } from '../../session/time';
import type { Metrics } from '../../train/metrics';
import { configurationOf } from '../../train/train-from-log';
import { defined } from '../defined';
import { type Evaluation, evaluationOf } from '../evaluate';
import { readArtifactFolder } from '../files/artifact-folder';
import { join, remove, replaceFile, temporaryFolder } from '../files/disk';
import { observerOf } from '../observer';
import type { EvaluateOptions, RunObserver } from '../options';
import { computeSeries, seriesOnWindows } from './runs';
import { type Retrain, usualRetrain, writeWindows } from './windows';

export interface IncrementalOptions
  extends Pick<EvaluateOptions, 'artifacts' | 'data' | 'read' | 'backend' | 'target'>,
    RunObserver {
  /** In seconds. Default a day. */
  readonly window?: number;
  /** What each window is trained on. Default by model. */
  readonly retrain?: Retrain;
  /** Passes over each window of a network. Default 10. */
  readonly epochs?: number;
}

/** Means over windows, and each window's figures. */
export interface IncrementalEvaluation extends Evaluation {
  readonly windows: readonly {
    readonly window: string;
    readonly n: number;
    readonly metrics: { readonly conservative: Metrics; readonly standard: Metrics };
  }[];
}

/**
 * Retrains the artifact's architecture with its settings and seed on each window of a log, and tests it on the next window.
 *
 * @returns The model's name, and what `--json` prints.
 * @throws RecommenderError `bad-input` if the log holds fewer than two windows; `diverged`; `aborted`.
 */
export async function evaluateIncrementally(
  options: IncrementalOptions,
): Promise<{ name: string; evaluation: IncrementalEvaluation }> {
  const started = performance.now();
  const { artifacts, data, read, backend = 'auto', target = 'test', window: seconds = DAY, epochs } = options;
  const [artifact, ...others] = artifacts as [string, ...string[]];
  if (others.length > 0) {
    throw new RecommenderError('bad-config', '`protocol` incremental retrains one artifact, not several. Name one.');
  }
  const { info, catalogue } = await readArtifactFolder(artifact);
  const { name, architecture: model, config, training, mix } = info;
  if (mix) {
    const message = `\`protocol\` incremental trains networks or counting, and ${artifact} mixes both. Name the network alone.`;
    throw new RecommenderError('bad-config', message);
  }
  const { isNeural, wanted } = await configurationOf(model, config);
  const retrain = options.retrain ?? usualRetrain(model, isNeural)[0]!;
  const folder = await temporaryFolder('aisle-incremental');
  try {
    const how = { seconds, half: target, retrains: [retrain] };
    const windows = await writeWindows(data, join(folder, 'windows'), read, how, observerOf(options));
    const seed = typeof training['seed'] === 'number' ? training['seed'] : 1;
    const products = catalogue && wanted.length > 0 ? join(folder, CATALOGUE) : undefined;
    if (products) await replaceFile(products, JSON.stringify(catalogue));
    const variant = { name, model, config, isNeural, retrain, ...defined({ catalogue: products }) };
    const protocol = 'incremental' as const;
    const running = { seeds: [seed], protocol, backend, ...defined({ epochs }) };
    const series = seriesOnWindows([variant], windows, running);
    const [run] = (await computeSeries(folder, series, 'ndcg@20', options)).runs;
    const { result, windows: parts } = run!;
    const { dropped, metrics, predictions: n, sessions, coverage, popularity } = result;
    const evaluation = evaluationOf({ artifact }, dropped, {
      protocol,
      n,
      sessions,
      ties: 'conservative',
      metrics,
      'coverage@20': coverage,
      'popularity@20': popularity,
      seconds: (performance.now() - started) / 1000,
    });
    const ofWindows = parts!.map(({ name: window, result: { predictions, metrics } }) => ({
      window,
      n: predictions,
      metrics,
    }));
    return { name, evaluation: { ...evaluation, windows: ofWindows } };
  } finally {
    await remove(folder);
  }
}
