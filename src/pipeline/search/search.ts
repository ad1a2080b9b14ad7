/** Which configuration of a model does best on a validation part. */
import { run as runOnDevice } from '../../compute/executor';
import { RecommenderError } from '../../errors';
import { camelCase } from '../../models/configuration';
import { drawTrials, withRanges } from '../../models/search-space';
import { architectures } from '../architectures';
import { searchCommand } from '../commands';
import { checkedConfiguration, configurationFrom } from '../configuration';
import { defined } from '../defined';
import { isAborted } from '../errors';
import { startFirst } from '../files/backend';
import { readCatalogueFile } from '../files/catalogue-file';
import { join, readInput, readText, refuseForeign, replaceFiles } from '../files/disk';
import { readEventsFile, refuseAmong } from '../files/events-file';
import { inform } from '../observer';
import type { SearchOptions } from '../options';
import { trainingParts } from '../training-parts';
import { best, type Rung, rungsOf } from './halving';
import { configOf, plannedEpochs, type SearchReport, searchReport, type Tried } from './report';
import { subjectOf } from './space';
import { bestOf, type SearchPlan, TRIALS, TrialRunner } from './trial';

/** Unless a preset or a setting says otherwise. */
export const DEFAULT_EPOCHS = 9;

/**
 * Tries configurations, and writes `search.json` and `best.json`. Networks are tried by successive halving. Every trial is kept
 * in the folder: the same call resumes after an interruption, and with more trials adds to the finished ones.
 *
 * @returns `search.json`.
 * @throws RecommenderError `bad-config` or `bad-input` for what was passed in; `aborted` with all trials kept; the first trial's
 *   error if none gave a result; `io`.
 */
export async function search(options: SearchOptions): Promise<SearchReport & Required<Pick<SearchReport, 'best'>>> {
  const { data, read, model, out, holdout = 0, catalogue, backend = 'auto' } = options;
  const { seed = 1, trials: count = 27, metric = 'mrr@20' } = options;
  await refuseAmong([data, options.valid], out);
  await refuseForeign(out, { writer: 'search', kept: TRIALS, files: ['search.json', 'best.json'] });
  const { given, preset, auto } = await configurationFrom(options, { readLog: readEventsFile, readInput }, options);
  const { isNeural, config, wanted } = await checkedConfiguration(model, given, preset);
  const unused = options.epochs !== undefined ? 'epochs' : backend === 'webgpu' ? 'backend' : undefined;
  if (!isNeural && unused) {
    const message = `\`${unused}\` is for networks; ${model} counts the log once. Leave it out.`;
    throw new RecommenderError('bad-config', message);
  }
  const epochsKey = isNeural ? architectures[model]!.epochsOption : '';
  if (Object.hasOwn(options.ranges ?? {}, epochsKey)) {
    const message = `\`ranges\` ${epochsKey}: rungs say how many epochs a trial trains. Use \`epochs\` for those of the last rung.`;
    throw new RecommenderError('bad-config', message);
  }
  const { subject, space: declared } = subjectOf(model);
  const space = withRanges(subject, declared, Object.entries(options.ranges ?? {}));
  // With the options' own spelling and types.
  const keys = Object.keys(given).map(camelCase);
  const base = Object.fromEntries(keys.map((key) => [key, config[key]]));
  const fixed = Object.keys(options.config ?? {}).map(camelCase);
  const both = Object.keys(options.ranges ?? {}).find((key) => fixed.includes(key));
  if (both !== undefined) {
    const message = `\`ranges\` ${both} does not go with ${both}=${config[both]}, which every trial has: pass one of them.`;
    throw new RecommenderError('bad-config', message);
  }
  const draws = drawTrials({ model: subject, space, base, fixed, seed }, count);
  const trials = draws.map((draw, i) => ({ number: i + 1, draw }));
  if (trials.length < count) {
    const keys = Object.keys(space).filter((key) => !fixed.includes(key));
    if (keys.length === 0) {
      const message = `Nothing of ${model} is left to search: every key is fixed, or none is declared. Name one with \`ranges\`.`;
      throw new RecommenderError('bad-config', message);
    }
    inform(options, `The space (${keys.join(', ')}) holds ${trials.length} configurations; all are tried.`);
  }
  const epochs = isNeural ? (options.epochs ?? plannedEpochs(model, base) ?? DEFAULT_EPOCHS) : 1;
  const rungs = isNeural ? rungsOf(trials.length, epochs) : [{ epochs: 1, trials: trials.length }];

  const shop = catalogue === undefined ? undefined : await readCatalogueFile(catalogue, read?.columns?.item, options);
  const reading = { ...read, featuresIfAny: wanted.map(({ name }) => name) };
  const { valid, ...parts } = await trainingParts(
    data,
    { readLog: readEventsFile, read: reading, holdout, valid: options.valid },
    options,
  );
  const plan: SearchPlan = {
    out,
    model,
    isNeural,
    base,
    metric,
    seed,
    epochs,
    backend,
    parts: { ...parts, valid: valid! },
    ...defined({ products: shop?.products }),
  };
  const tried: Tried[] = trials.map((trial) => ({ ...trial, record: { epochs: [], isFinished: false }, rung: 0 }));
  const report = async (isFinished: boolean) => {
    const result = searchReport({
      model,
      metric,
      seed,
      epochs,
      isFinished,
      space,
      base,
      fixed,
      rungs,
      tried,
      ...defined({ auto }),
      data,
      valid: options.valid,
      command: searchCommand(options),
    });
    const found = result.best && configOf(plan, result.best.config);
    await replaceFiles(out, {
      'search.json': `${JSON.stringify(result, null, 2)}\n`,
      ...(found && { 'best.json': `${JSON.stringify(found, null, 2)}\n` }),
    });
    return result;
  };

  try {
    await runOnDevice(async (slice) => {
      if (isNeural) await startFirst(slice, backend, options);
      await halve(new TrialRunner(plan, options), tried, rungs, metric, options);
    });
  } catch (error) {
    if (!isAborted(error)) throw error;
    const rest = `${join(out, TRIALS)} holds everything: the same command goes on from there.`;
    const isWhole = await hasFinished(out); // by fewer trials or epochs, which are worth more than part of a search
    if (!isWhole && tried.some(({ rung }) => rung > 0)) await report(false);
    const kept = isWhole ? ' search.json and best.json are those of the search that ended before.' : '';
    throw new RecommenderError('aborted', `${error.message} ${rest}${kept}`, { cause: error });
  }
  const result = await report(true);
  if (result.best) return { ...result, best: result.best };
  const { number, record } = tried.find(({ record }) => record.failure !== undefined)!;
  throw new RecommenderError(record.code!, `No trial gave a result. Trial ${number} said: ${record.failure}`);
}

/** Whether the folder has what a search found that came to its end. */
async function hasFinished(out: string): Promise<boolean> {
  try {
    const { isFinished } = JSON.parse(await readText(join(out, 'search.json'))) as Partial<SearchReport>;
    return isFinished === true;
  } catch {
    return false;
  }
}

/** Runs rung after rung, and stores the results in `tried`. The next best takes the place of a promoted trial that fails. */
export async function halve(
  runner: Pick<TrialRunner, 'advance' | 'release'>,
  tried: Tried[],
  rungs: readonly Rung[],
  metric: string,
  { onTrial }: Pick<SearchOptions, 'onTrial'>,
): Promise<void> {
  const rate = ({ record, rung }: Tried) => bestOf(record, metric, rungs[rung - 1]!.epochs)?.value;
  let candidates: readonly Tried[] = tried;
  for (const [r, rung] of rungs.entries()) {
    const survivors: Tried[] = [];
    for (const [i, trial] of candidates.entries()) {
      if (survivors.length === rung.trials) break;
      const place = Math.min(candidates.length, i + rung.trials - survivors.length);
      const { record, isNew } = await runner.advance(trial, rung.epochs);
      Object.assign(trial, { record, rung: r + 1 });
      const top = bestOf(record, metric, rung.epochs);
      onTrial?.({
        trial: trial.number,
        config: trial.draw,
        rung: [r + 1, rungs.length],
        place: [i + 1, place],
        ...defined({ best: top, failure: record.failure }),
        epochs: record.epochs.length,
        isCached: !isNew,
        seconds: record.epochs.reduce((sum, epoch) => sum + epoch.seconds, 0),
      });
      if (top) survivors.push(trial);
    }
    const next = rungs[r + 1];
    if (!next) return;
    // Then those that were left behind at this rung, and at earlier ones.
    candidates = best(tried, tried.length, rate).sort((a, b) => b.rung - a.rung);
    for (const trial of survivors) if (candidates.indexOf(trial) >= next.trials) await runner.release(trial);
  }
}
