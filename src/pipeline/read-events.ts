/** Reads and summarises an events file, whether Node or a page holds it: imports nothing of Node. */
import { RecommenderError } from '../errors';
import { buildLog } from '../session/build';
import type { Collector, LogFile } from '../session/collector';
import { type EventLog, type ReadReport, sessionCount } from '../session/event-log';
import { sessionsNotIn } from '../session/join';
import type { ReadOptions } from '../session/options';
import { readText } from '../session/read-text';
import { type LogSummary, summarise } from '../session/summary';
import type { ClickFeatures } from '../types';
import { defined } from './defined';
import { isAborted } from './errors';
import { whole } from './format';
import { isGzip } from './gzip';
import { inform, type Observer, startTask, warn } from './observer';

export interface EventsSource {
  /** As the user calls it: it starts every message, and a name in `.parquet` or `.pq` says what it holds. */
  readonly name: string;
  /** Columns that the path of the file gives, such as `day` of `day=2024-05-01/`. */
  readonly constants?: Readonly<Record<string, string>>;
  /** In bytes. */
  readonly size: number;
  /** The bytes `start` … `end - 1`, fewer at the end of the file. */
  slice(start: number, end: number): Promise<ArrayBuffer>;
  /**
   * The whole content from its beginning; a piece may be reused once the next one is requested.
   *
   * @param isPacked Whether it is gzip, to be unpacked.
   * @param onBytes Called with the number of bytes of the file that have been read.
   */
  pieces(isPacked: boolean, onBytes: (bytes: number) => void): AsyncIterable<Uint8Array>;
}

/** Reads the log that a path stands for, or, in a page, the name of a file. */
export type LogReader = (path: string, options?: ReadOptions, observer?: Observer) => Promise<EventLog>;

/** The files of a log, in the order in which they are read. */
export interface LogSource {
  /** For messages about the log as a whole. */
  readonly name: string;
  /** Of all parts together, in bytes. */
  readonly size: number;
  readonly parts: Iterable<EventsSource> | AsyncIterable<EventsSource>;
}

/**
 * Reads a log: TSV, CSV or JSON objects, plain or gzip, or Parquet. The first bytes of each part tell its format; all
 * parts have the same columns.
 *
 * @throws RecommenderError `bad-input` if they do not follow the contract; `aborted`.
 */
export async function readLog(
  { name, size, parts }: LogSource,
  options: ReadOptions = {},
  observer: Observer = {},
): Promise<EventLog> {
  const task = startTask(observer, { label: `Reading ${name}`, total: size });
  let rows: Collector | undefined;
  let done = 0;
  try {
    for await (const part of parts) {
      const update = (bytes: number): void => task.update(done + bytes);
      rows = await readPart(part, rows, options, observer.signal, update);
      done += part.size;
    }
  } catch (error) {
    throw isAborted(error) ? new RecommenderError('aborted', `Interrupted while reading ${name}.`) : error;
  } finally {
    task.finish();
  }
  const log = buildLog(rows!, options, name);
  remark(log, name, observer);
  return log;
}

async function readPart(
  source: EventsSource,
  before: Collector | undefined,
  options: ReadOptions,
  signal: AbortSignal | undefined,
  update: (bytes: number) => void,
): Promise<Collector> {
  const { name, size, constants = {} } = source;
  const magic = new Uint8Array(await source.slice(0, 4));
  const isPacked = isGzip(magic);
  const isParquet = /\.(parquet|pq)$/i.test(name) || new TextDecoder('latin1').decode(magic) === 'PAR1';
  const file: LogFile = { name, constants, before };
  if (!isParquet || isPacked || size === 0) return readText(source.pieces(isPacked, update), file, options, signal);
  // Loaded on demand: most logs are text, and the decoders are large.
  const { readParquet } = await import('../session/read-parquet');
  const slice = (start: number, end = size) => source.slice(start, end);
  const onRows = (done: number, total: number): void => update((size * done) / total);
  return readParquet({ byteLength: size, slice }, file, options, signal, onRows);
}

/** Reports the kinds of a log's events, what was left out, and warnings. */
function remark({ report }: EventLog, name: string, observer: Observer): void {
  const { dropped, eventKinds, warnings } = report;
  if (eventKinds.length > 1) {
    inform(observer, `${name}: ${eventKinds.map((kind) => `${whole(kind.events)} ${kind.name}`).join(', ')}`);
  }
  const { otherKinds, repeats, rareItems, shortSessions } = dropped;
  const left = [
    ...(otherKinds > 0 ? [`${whole(otherKinds)} events of other kinds`] : []),
    ...(repeats > 0 ? [`${whole(repeats)} immediate repeats`] : []),
    ...(rareItems.events > 0 ? [`${whole(rareItems.items)} rare items (${whole(rareItems.events)} events)`] : []),
    ...(shortSessions.sessions > 0
      ? [`${whole(shortSessions.sessions)} short sessions (${whole(shortSessions.events)} events)`]
      : []),
  ];
  if (left.length > 0) inform(observer, `${name}: left out ${left.join(', ')}`);
  for (const warning of warnings) warn(observer, warning);
}

/** What `aisle inspect` prints of a log. */
export interface FileSummary
  extends LogSummary,
    Pick<ReadReport, 'rows' | 'badRows' | 'timeUnit' | 'otherColumns' | 'dropped'> {
  /** As it was named. */
  readonly file: string;
}

export function inspectLog(log: EventLog, file: string): FileSummary {
  const { rows, badRows, timeUnit, otherColumns, dropped } = log.report;
  return { file, rows, badRows, ...defined({ timeUnit }), otherColumns, ...summarise(log), dropped };
}

/** Columns of a log that a model with these features reads for each click. */
export const columnsOfClicks = (features: ClickFeatures = {}): string[] =>
  Object.entries(features).flatMap(([name, { kind }]) => (kind === 'age' ? [] : [name]));

/** Warns, once for each, of columns that a model reads and a log lacks. */
export function warnOfColumns(log: EventLog, name: string, columns: readonly string[], observer: Observer): void {
  for (const column of columns) {
    if (log.features?.has(column)) continue;
    warn(observer, `${name} has no column "${column}", which the model reads: it counts as missing.`);
  }
}

/**
 * Warns of sessions that are learnt from and measured on.
 *
 * @returns Indices of the measured sessions that are not learnt from.
 */
export function warnOfShared(
  { log: learnt, name: data }: NamedLog,
  { log: measured, name }: NamedLog,
  observer: Observer,
): number[] {
  const unlearnt = sessionsNotIn(learnt, measured);
  const count = sessionCount(measured);
  if (unlearnt.length < count) {
    warn(
      observer,
      `${whole(count - unlearnt.length)} of the ${whole(count)} sessions of ${name} are in ${data}, too: the figures on them are ` +
        'too good. Leave them out of one of the two.',
    );
  }
  return unlearnt;
}

interface NamedLog {
  readonly log: EventLog;
  /** Of the file. */
  readonly name: string;
}
