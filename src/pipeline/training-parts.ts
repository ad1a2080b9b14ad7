/** The training and validation parts of a log. */
import { RecommenderError } from '../errors';
import { type ClickLog, type EventLog, reindex, selectSessions, sessionCount } from '../session/event-log';
import { holdOut } from '../session/hold-out';
import { joinLogs } from '../session/join';
import { type ReadOptions, withoutMinima } from '../session/options';
import { mix } from '../session/random';
import { type LatePart, splitLog } from '../session/split';
import type { Protocol } from '../train/types';
import { whole } from './format';
import { inform, type Observer, warn } from './observer';
import { type LogReader, warnOfColumns, warnOfShared } from './read-events';

/** What validates where nothing else is named. */
export const DEFAULT_RULE = 'last:10%';

export interface TrainingParts {
  /** The log as it was read. */
  readonly whole: EventLog;
  /** What is trained on. */
  readonly log: EventLog;
  /** In the item indices of `log`. */
  readonly valid?: ClickLog;
  /** Of each event of `valid`: 1 where the click before it was left out, because the training part does not know its item. */
  readonly unknownBefore?: Uint8Array;
  /** The training part together with the validation part. */
  readonly everything?: () => EventLog;
  /** What of it is predicted: every event, or the last of every session. */
  readonly validProtocol?: Extract<Protocol, 'events' | 'leave-one-out'>;
}

export type Splits = Omit<TrainingParts, 'whole' | 'everything'>;

export interface PartsOptions {
  readonly readLog: LogReader;
  readonly read: ReadOptions;
  /** Number of last events of every session that are left out. */
  readonly holdout: number;
  /** Selects the sessions that count at all. Default: all of the log. */
  readonly select?: (log: EventLog) => EventLog;
  /** Items of the model that the training continues. They keep their indices; new items follow. */
  readonly knownIds?: readonly string[];
  /** `none`, `last:…`, `held-out` or the path of a file. Default `last:10%`, or none of a log that is too small for it. */
  readonly valid?: string;
}

/**
 * The last part of a log, as it is written: `last:7d`, `last:12h` or `last:10%`.
 *
 * @throws RecommenderError `bad-config` for another text.
 */
export function latePart(text: string): Exclude<LatePart, { from: number }> {
  const match = /^last:(\d+(?:\.\d+)?)(d|h|%)$/.exec(text);
  const amount = Number(match?.[1]);
  if (match?.[2] === '%' && amount > 0 && amount < 100) return { share: amount / 100 };
  if (match && match[2] !== '%' && amount > 0) return { seconds: amount * (match[2] === 'd' ? 86400 : 3600) };
  throw new RecommenderError('bad-config', 'Expected last:DAYSd or last:PERCENT%, such as last:7d or last:10%.');
}

/** Whether what validates is a file of its own. */
export const isFile = (valid: string): boolean => !/^(none|held-out)$|^last:/.test(valid);

/**
 * Reads the log and cuts off the validation part.
 *
 * @throws RecommenderError `bad-input` if an explicit part would be empty, or `holdout` leaves nothing; `aborted`.
 */
export async function trainingParts(path: string, options: PartsOptions, observer: Observer): Promise<TrainingParts> {
  const { readLog, read, holdout, select, knownIds, valid = DEFAULT_RULE } = options;
  // A model that continues knows items already, so the log may have a single one.
  const original = await readLog(path, knownIds ? { ...read, minItems: 1 } : read, observer);
  const all = select ? select(original) : original;
  const log = holdout > 0 ? holdOut(all, holdout) : all;
  if (log.sessions.items.length === 0 && holdout > 0) {
    throw new RecommenderError(
      'bad-input',
      `No session of ${path} has more than ${holdout} events, so \`holdout\` ${holdout} leaves nothing to learn from. ` +
        'Leave out fewer, or check the session column.',
    );
  }
  const trainingPart = (part: EventLog): EventLog => (knownIds ? withKnown(part, knownIds) : part);
  const withValid = (part: EventLog, validation: EventLog, everything: () => EventLog): TrainingParts => {
    const trained = trainingPart(part);
    if (trained.itemIds.length < 2) throw new RecommenderError('bad-input', 'One item would be left to learn from.');
    const validating = knownPart(validation, trained.itemIds, valid, observer);
    return { whole: all, log: trained, ...validating, everything: () => trainingPart(everything()) };
  };
  if (valid === 'none') return { whole: all, log: trainingPart(log) };
  if (valid === 'held-out') {
    if (holdout < 2) {
      throw new RecommenderError(
        'bad-config',
        '`valid` held-out predicts the first event that `holdout` leaves out, and keeps the later ones for the test, ' +
          `got \`holdout\` ${holdout}. Add \`holdout\` 2, as leave-one-out has it.`,
      );
    }
    const withFirst = holdOut(all, holdout - 1);
    return { ...withValid(log, withFirst, () => withFirst), validProtocol: 'leave-one-out' };
  }
  if (isFile(valid)) {
    const file = await readLog(valid, { ...withoutMinima(read), minItems: 1 }, observer);
    warnOfColumns(file, valid, [...(log.features?.keys() ?? [])], observer);
    const unlearnt = warnOfShared({ log: all, name: path }, { log: file, name: valid }, observer);
    const further = selectSessions(file, unlearnt);
    return withValid(log, file, () => joinLogs(log, select && unlearnt.length > 0 ? select(further) : further));
  }
  try {
    const { train, test } = splitLog(log, { test: latePart(valid) }, 'validation');
    return withValid(train, test, () => log);
  } catch (error) {
    // Without an explicit validation part, a log that is too small for one is used whole.
    if (options.valid !== undefined || !(error instanceof RecommenderError && error.code === 'bad-input')) throw error;
    warn(observer, `training goes on without validation and early stopping. ${error.message}`);
    return { whole: all, log: trainingPart(log) };
  }
}

/** The log with the items of a model first, then its new ones. */
function withKnown(log: EventLog, knownIds: readonly string[]): EventLog {
  const known = new Set(knownIds);
  return reindex(log, [...knownIds, ...log.itemIds.filter((id) => !known.has(id))], 1).log;
}

/** The sessions of a validation part with at least two items of the training part. */
function knownPart(
  part: EventLog,
  itemIds: readonly string[],
  name: string,
  observer: Observer,
): Required<Pick<TrainingParts, 'valid' | 'unknownBefore'>> {
  const { log, dropped } = reindex(part, itemIds);
  const count = sessionCount(log);
  if (count === 0) {
    throw new RecommenderError(
      'bad-input',
      `The validation part ${name} holds no session of two items that the training part knows, expected at least one. ` +
        'Take a larger one.',
    );
  }
  inform(
    observer,
    `Validation on ${whole(count)} sessions (${name}); events of items new there, left out: ${whole(dropped.events)}`,
  );
  return { valid: log, unknownBefore: unknownBefore(part, itemIds) };
}

/** Of each event that `reindex` keeps: 1 where it left the event before out. */
function unknownBefore({ sessions: { items, offsets }, itemIds }: EventLog, knownIds: readonly string[]): Uint8Array {
  const known = new Set(knownIds);
  const isKnown = itemIds.map((id) => known.has(id));
  const flags: number[] = [];
  for (let s = 0; s + 1 < offsets.length; s++) {
    const start = flags.length;
    let isGap = false;
    for (const item of items.subarray(offsets[s]!, offsets[s + 1]!)) {
      if (isKnown[item - 1]) flags.push(Number(isGap));
      isGap = !isKnown[item - 1];
    }
    if (flags.length - start < 2) flags.length = start;
  }
  return Uint8Array.from(flags);
}

/** What identifies the parts: counts to read, and a checksum. */
export function fingerprints({ log, valid }: Pick<TrainingParts, 'log' | 'valid'>): {
  readonly data: string;
  readonly validation: string;
} {
  return { data: fingerprint(log), validation: valid ? fingerprint(valid) : 'none' };
}

/** Counts to read, and a checksum. */
export function fingerprint({
  sessions: { items, offsets, times },
  itemIds = [],
  userIds = [],
  features = new Map(),
}: ClickLog & Partial<Pick<EventLog, 'itemIds'>>): string {
  let sum = 0;
  const add = (value: number) => {
    sum = mix(sum ^ value);
  };
  const addTexts = (texts: readonly string[]) => {
    for (const text of texts) {
      add(text.length);
      for (let i = 0; i < text.length; i++) add(text.charCodeAt(i));
    }
  };
  for (const values of [offsets, items]) values.forEach(add);
  new Int32Array(Float64Array.from(times).buffer).forEach(add);
  for (const ids of [itemIds, userIds]) addTexts(ids);
  for (const [name, { codes, names }] of features) {
    addTexts([name, ...names]);
    codes.forEach(add);
  }
  return `${whole(items.length)} events in ${whole(offsets.length - 1)} sessions (checksum ${(sum >>> 0).toString(16)})`;
}
