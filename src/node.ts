/**
 * `aisle/node`: what the command line does, as functions that print nothing. Each takes the options of its command, and an
 * `Observer`; it returns what `--json` prints, or holds it, and throws a `RecommenderError`.
 *
 *     import { evaluate, train } from 'aisle/node';
 *     const { artifact } = await train({ data: 'train.tsv.gz', model: 'gru4rec', out: 'my-model' });
 *     const { evaluation } = await evaluate({ artifacts: [artifact], data: 'test.tsv.gz' });
 */
export { type ErrorCode, RecommenderError } from './errors';
export type { ArtifactSummary } from './pipeline/artifact-summary';
export { type CatalogueOptions, type CatalogueReport, catalogue } from './pipeline/catalogue/catalogue';
export { compare } from './pipeline/compare/compare';
export type { Report } from './pipeline/compare/markdown';
export { type Evaluation, evaluate } from './pipeline/evaluate';
export { readEventsFile as readEvents } from './pipeline/files/events-file';
export { type ImportResult, importWeights } from './pipeline/import-weights';
export { inspect } from './pipeline/inspect';
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
export { type PackResult, pack } from './pipeline/pack';
export type { FileSummary } from './pipeline/read-events';
export type { SearchReport } from './pipeline/search/report';
export { search } from './pipeline/search/search';
export { split } from './pipeline/split';
export { type TrainResult, train } from './pipeline/train';
export type { EventLog } from './session/event-log';
export type { ReadOptions } from './session/options';
export type { SplitCounts } from './session/split';
export type { Exposure } from './train/evaluate';
