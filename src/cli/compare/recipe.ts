/** `aisle evaluate --protocol incremental`: not an artifact's weights, but how it was trained, window by window. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Artifact } from '../../checkpoint/artifact';
import { CATALOGUE } from '../../checkpoint/manifest';
import { configurationOf } from '../../train/learn';
import type { Context } from '../context';
import { replaceFile } from '../durable';
import type { EventsFlags } from '../options';
import { runCells, runsOnWindows } from './run-cells';
import { type Retrain, usualRetrain, writeWindows } from './windows';

export interface RecipeFlags extends EventsFlags {
  readonly data: string;
  readonly backend: string;
  readonly target?: 'valid' | 'test';
  /** In seconds. Default a day. */
  readonly window?: number;
  readonly retrain?: Retrain;
  readonly epochs?: number;
}

const DAY = 86_400;

/**
 * Trains the artifact's architecture with its settings and seed anew, window by window of a log, and tests each on the next.
 *
 * @returns What `aisle evaluate` prints, as means over windows, and each window's figures.
 * @throws RecommenderError `bad-input` if the log holds fewer than two windows; `diverged`; `aborted`.
 */
export async function evaluateRecipe({ info, catalogue }: Artifact, flags: RecipeFlags, context: Context) {
  const started = performance.now();
  const { name, architecture: model, config, training } = info;
  const { isNeural, wanted } = await configurationOf(model, config);
  const retrain = flags.retrain ?? usualRetrain(model, isNeural)[0]!;
  const folder = await mkdtemp(join(tmpdir(), 'aisle-incremental-'));
  try {
    const how = { seconds: flags.window ?? DAY, half: flags.target ?? 'test', retrains: [retrain] };
    const windows = await writeWindows(flags.data, join(folder, 'windows'), flags, how, context);
    const options = {
      ...{ seeds: [typeof training['seed'] === 'number' ? training['seed'] : 1], protocol: 'incremental' },
      ...{ backend: flags.backend, ...(flags.epochs !== undefined && { epochs: flags.epochs }) },
    };
    const products = catalogue && wanted.length > 0 ? join(folder, CATALOGUE) : undefined;
    if (products) await replaceFile(products, JSON.stringify(catalogue));
    const variant = { name, model, config, isNeural, retrain, ...(products && { catalogue: products }) };
    const runs = runsOnWindows([variant], windows, options);
    const [cell] = (await runCells(folder, runs, 'ndcg@20', context)).cells;
    const { result, windows: parts } = cell!;
    return {
      ...{
        protocol: 'incremental' as const,
        n: result.predictions,
        sessions: result.sessions,
        dropped: result.dropped,
      },
      ...{ ties: 'conservative' as const, metrics: result.metrics },
      ...{ 'coverage@20': result.coverage, 'popularity@20': result.popularity },
      seconds: (performance.now() - started) / 1000,
      warnings: [],
      windows: parts!.map(({ name: window, result: { predictions, metrics } }) => ({
        window,
        n: predictions,
        metrics,
      })),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
