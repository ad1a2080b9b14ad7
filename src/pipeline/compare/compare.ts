/** Many models on one log, under one protocol, in one report. */
import { CATALOGUE } from '../../checkpoint/manifest';
import { RecommenderError } from '../../errors';
import type { LogFacts } from '../../session/log-facts';
import { DAY } from '../../session/time';
import { publishedOf } from '../catalogue/products';
import { compareCommand } from '../commands';
import { informOfAuto } from '../configuration';
import { defined } from '../defined';
import { badConfig, isAborted } from '../errors';
import { readArtifactFolder } from '../files/artifact-folder';
import { readCatalogueFile } from '../files/catalogue-file';
import { join, refuseForeign, replaceFile, replaceFiles } from '../files/disk';
import { refuseAmong } from '../files/events-file';
import { observerOf, warn } from '../observer';
import type { CompareOptions } from '../options';
import { VERSION } from '../version';
import { gateOf } from './gate';
import { htmlReport } from './html';
import { markdownReport, type Report } from './markdown';
import { factsOfTraining, type Parts, partsOf } from './parts';
import { rowsOf } from './rows';
import { CELLS } from './run';
import { computeEnsembles, computeSeries, seriesOnParts, seriesOnWindows, windowedVariants } from './runs';
import { type Planned, variantsOf } from './variants';
import { writeWindows } from './windows';

/**
 * Trains and evaluates models, and writes `report.json`, `report.md` and `report.html`. Finished runs are kept in the folder:
 * the same call resumes after an interruption. The report names models that failed.
 *
 * @returns `report.json`.
 * @throws RecommenderError `bad-config`, `bad-input` or `bad-artifact` for what was passed in; `aborted` with finished runs kept; `io`.
 * @throws Error if no model gave a result; its code, if any, is that of the first failure.
 */
export async function compare(options: CompareOptions): Promise<Report> {
  const { data, test, out, read, epochs, valid, holdout, from, window: seconds = DAY } = options;
  const { protocol = 'events', backend = 'auto', atLeast } = options;
  const isIncremental = protocol === 'incremental';
  const observer = observerOf(options);
  refuseMixed(options);
  await refuseAmong([data, test, valid], out);
  await refuseForeign(out, { writer: 'comparison', kept: CELLS, files: REPORTS });
  if (atLeast !== undefined) await readArtifactFolder(atLeast); // refuses a wrong one before hours of work
  let cut: Promise<Parts> | undefined;
  const parts = (): Promise<Parts> => {
    cut ??= partsOf(options, observer);
    return cut;
  };
  const facts = () => factsOfTraining(options, isIncremental ? { seconds } : { parts }, observer);
  const { variants, ensembles } = await rowsToBe(options, facts);
  if (variants.length === 0) badConfig('No model to compare: name one in `models`, or in `variants`.');
  if (!variants.some(({ isNeural }) => isNeural)) checkCounting(options);
  if (isIncremental && ensembles.length > 0) {
    throw new RecommenderError(
      'bad-config',
      `"${ensembles[0]!.name}" does not go with \`protocol\` incremental. Leave it out.`,
    );
  }
  const seeds = Array.from({ length: options.seeds ?? 1 }, (_, i) => i + 1);
  const running = { seeds, protocol, backend, ...defined({ epochs, valid, holdout, from }) };
  const metric = isIncremental ? 'ndcg@20' : 'mrr@20';
  const prepare = async () => {
    if (!isIncremental) {
      const files = await parts();
      return { support: files.support, series: seriesOnParts(variants, files, running), windows: 0 };
    }
    const windowed = windowedVariants(variants);
    const how = { seconds, half: 'test' as const, retrains: windowed.map(({ retrain }) => retrain) };
    const windows = await writeWindows(data, join(out, 'windows'), read, how, observer);
    const series = seriesOnWindows(windowed, windows, running);
    return { support: windows.support, series, windows: windows.steps.length };
  };
  const { support, series, windows } = await prepare();
  const resumable = (cause: unknown): never => {
    if (!isAborted(cause)) throw cause;
    const rest = `${join(out, CELLS)} holds everything: the same command goes on from there.`;
    throw new RecommenderError('aborted', `${cause.message} ${rest}`, { cause });
  };
  const single = await computeSeries(out, series, metric, options).catch(resumable);
  const together = await computeEnsembles(out, ensembles, single.runs, metric, options).catch(resumable);

  const rows = rowsOf([...single.runs, ...together.runs], support, metric);
  const report: Report = {
    train: data,
    test: test ?? testedOf(options),
    protocol,
    metric,
    windows,
    seeds,
    rows,
    failures: [...single.failures, ...together.failures],
    version: VERSION,
    command: compareCommand(options),
  };
  await writeReport(out, report);
  if (atLeast === undefined) return report;
  const names = report.rows.map(({ name }) => name);
  const gate = await gateOf(atLeast, single.runs, names, await parts(), metric, out, observer).catch(resumable);
  const gated = { ...report, gate };
  await writeReport(out, gated);
  return gated;
}

const REPORTS = ['report.json', 'report.md', 'report.html'];

const writeReport = (out: string, report: Report): Promise<void> =>
  replaceFiles(out, {
    'report.json': `${JSON.stringify(report, null, 2)}\n`,
    'report.md': markdownReport(report),
    'report.html': htmlReport(report),
  });

/**
 * The rows of the report. Rows that read features get a copy of the catalogue, with the ids under their usual name.
 *
 * @throws RecommenderError `bad-input` for a catalogue that is none; `bad-config`.
 */
async function rowsToBe(options: CompareOptions, facts: () => Promise<LogFacts>): Promise<Planned> {
  const { models, preset, variants, from, catalogue, read, out } = options;
  const shop =
    catalogue === undefined ? undefined : await readCatalogueFile(catalogue, read?.columns?.item, observerOf(options));
  const copy = join(out, CELLS, CATALOGUE);
  const start = from === undefined ? undefined : (await readArtifactFolder(from)).info;
  const chosen = defined({ models, preset, variants, start, catalogue: shop && copy });
  const planned = await variantsOf({ ...chosen, facts });
  for (const { name, auto } of planned.variants) if (auto) informOfAuto(name, auto, options);
  if (shop && planned.variants.some((variant) => variant.catalogue !== undefined)) {
    await replaceFile(copy, `${JSON.stringify(publishedOf(shop, planned.features))}\n`);
  } else if (shop) {
    warn(
      options,
      `no row reads what ${catalogue} says of items. A variant does whose config has "features", such as ` +
        '{ "name": "with prices", "model": "transformers4rec", "config": { "features": "category,price:soft" } }.',
    );
  }
  return planned;
}

function testedOf({ holdout, protocol }: CompareOptions): string {
  if (protocol === 'incremental') return 'the last event of half of the sessions of each window after the first';
  return holdout === undefined ? 'the last tenth of its sessions' : 'the last event of its sessions';
}

/** Refuses an artifact to train on from, and warns of other options, that a comparison of counting models alone does not use. */
function checkCounting({ from, epochs, valid, seeds = 1, backend, ...observer }: CompareOptions): void {
  if (from !== undefined)
    badConfig('`from` is for networks, and no row is one. Leave it out, or name a network in `models`.');
  const given = {
    epochs,
    valid,
    seeds: seeds > 1 ? seeds : undefined,
    backend: backend === 'webgpu' ? backend : undefined,
  };
  for (const [option, value] of Object.entries(given)) {
    if (value !== undefined) warn(observer, `\`${option}\` is for networks, and no row is one: it changes nothing.`);
  }
}

/** Refuses options that contradict the protocol or each other. */
function refuseMixed({
  protocol = 'events',
  test,
  window,
  epochs,
  valid,
  holdout,
  preset,
  from,
  atLeast,
}: CompareOptions): void {
  const refuseWith = (option: string, why: string): never =>
    badConfig(`\`${option}\` does not go with \`protocol\` ${protocol}: ${why}. Leave it out.`);
  if (protocol === 'incremental' && test !== undefined) refuseWith('test', 'each window is tested by the one before');
  if (protocol !== 'events' && atLeast !== undefined)
    refuseWith('atLeast', 'the predictions of every event that both artifacts know are compared');
  if (protocol === 'incremental' && valid !== undefined) refuseWith('valid', 'each window has its own epochs');
  if (protocol === 'incremental' && from !== undefined) refuseWith('from', 'each window says what it goes on from');
  if (preset !== undefined && from !== undefined)
    badConfig(`\`from\` goes on with the settings of ${from}, so \`preset\` has no place. Leave one out.`);
  const isOneTarget = protocol === 'leave-one-out' || protocol === 'last-item';
  if (holdout !== undefined && !isOneTarget) refuseWith('holdout', 'it predicts more than the last event');
  if (holdout !== undefined && holdout !== 2)
    badConfig(
      `\`holdout\`: expected 2, an event that chooses the epochs and the last one for the test, got ${holdout}.`,
    );
  if (holdout !== undefined && test !== undefined) {
    badConfig('`holdout` tests on `data` itself, so `test` has no place. Leave one out.');
  }
  if (holdout !== undefined && valid !== undefined) {
    badConfig('`holdout` chooses the epochs itself, so `valid` has no place. Leave one out.');
  }
  if (epochs !== undefined && valid !== undefined) {
    badConfig('`epochs` says how long to train, so `valid` has nothing to choose. Leave one out.');
  }
  if (protocol !== 'incremental' && window !== undefined) {
    refuseWith('window', 'it has one training and one test part');
  }
}
