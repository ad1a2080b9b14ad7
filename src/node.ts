/**
 * `aisle/node`: what the command line does, as functions that print nothing. Each takes the options of its command, and an
 * `Observer`; it returns what `--json` prints, or holds it, and throws a `RecommenderError`: `bad-config` for an option that is
 * unknown or wrong.
 *
 *     import { evaluate, train } from 'aisle/node';
 *     const { artifact } = await train({ data: 'train.tsv.gz', model: 'gru4rec', out: 'my-model' });
 *     const { evaluation } = await evaluate({ artifacts: [artifact], data: 'test.tsv.gz' });
 */
import { catalogue as catalogueOf } from './pipeline/catalogue/catalogue';
import { checked, checkedPath, OBSERVER, READ, TABLES } from './pipeline/check-arguments';
import { compare as compareModels } from './pipeline/compare/compare';
import { evaluate as evaluateArtifacts } from './pipeline/evaluate';
import { readEventsFile } from './pipeline/files/events-file';
import { importWeights as importFrom } from './pipeline/import-weights';
import { inspect as inspectPath } from './pipeline/inspect';
import { pack as packArtifact } from './pipeline/pack';
import { search as searchSettings } from './pipeline/search/search';
import { split as splitLog } from './pipeline/split';
import { train as trainModel } from './pipeline/train';

export { type ErrorCode, RecommenderError } from './errors';
export type { ArtifactSummary } from './pipeline/artifact-summary';
export type { CatalogueOptions, CatalogueReport } from './pipeline/catalogue/catalogue';
export type { Report } from './pipeline/compare/markdown';
export type { Evaluation } from './pipeline/evaluate';
export type { ImportResult } from './pipeline/import-weights';
export type { Message, Observer, Progress } from './pipeline/observer';
export type {
  CompareOptions,
  EvaluateOptions,
  ImportOptions,
  PackOptions,
  SearchOptions,
  SplitOptions,
  TrainOptions,
} from './pipeline/options';
export type { PackResult } from './pipeline/pack';
export type { FileSummary } from './pipeline/read-events';
export type { SearchReport } from './pipeline/search/report';
export type { TrainResult } from './pipeline/train';
export type { EventLog } from './session/event-log';
export type { ReadOptions } from './session/options';
export type { SplitCounts } from './session/split';
export type { Exposure } from './train/evaluate';

// As functions, the reference takes over what each of them says at its own place.
/** @function */
export const catalogue: typeof catalogueOf = checked('catalogue', catalogueOf);
/** @function */
export const compare: typeof compareModels = checked('compare', compareModels);
/** @function */
export const evaluate: typeof evaluateArtifacts = checked('evaluate', evaluateArtifacts);
/** @function */
export const importWeights: typeof importFrom = checked('importWeights', importFrom);
/** @function */
export const inspect: typeof inspectPath = checkedPath('inspect', inspectPath, TABLES.inspect);
/** @function */
export const pack: typeof packArtifact = checked('pack', packArtifact);
/** @function */
export const readEvents: typeof readEventsFile = checkedPath('readEvents', readEventsFile, READ, OBSERVER);
/** @function */
export const search: typeof searchSettings = checked('search', searchSettings);
/** @function */
export const split: typeof splitLog = checked('split', splitLog);
/** @function */
export const train: typeof trainModel = checked('train', trainModel);
