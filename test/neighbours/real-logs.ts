/**
 * The real logs beside the checkout, split as their READMEs say, and the counting rows that those READMEs state.
 * The logs stay where they are; nothing of them is part of the repository.
 */
import { createReadStream, readFileSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { configure } from '../../src/models/configuration';
import { type Baseline, baselines } from '../../src/neighbours/index';
import { type EventLog, reindex, selectSessions } from '../../src/session/event-log';
import { type EvaluateResult, evaluate, type RankRow } from '../../src/train/evaluate';
import { readText } from '../session/helpers';
import { sharedPath } from '../shared';

export type LogName = 'yoochoose-100k' | 'eshop-clothing-2008' | 'online-retail' | 'diginetica';

export interface SplitLog {
  readonly train: EventLog;
  readonly test: EventLog;
}

/** A split by the start of the session, or the files of a ready-made split. */
const SPLITS: Readonly<Record<LogName, { readonly from: string } | 'files'>> = {
  'yoochoose-100k': 'files',
  'eshop-clothing-2008': { from: '2008-07-25' },
  'online-retail': { from: '2011-10-01' },
  diginetica: 'files',
};

/** Figures of the READMEs, as fractions. */
export const STATED: Readonly<Record<LogName, Readonly<Record<string, Readonly<Record<string, number>>>>>> = {
  'yoochoose-100k': {
    pop: { 'recall@5': 0.0486, 'recall@10': 0.0739, 'recall@20': 0.0894, 'mrr@20': 0.0264, 'ndcg@20': 0.0403 },
    's-pop': { 'recall@5': 0.3424, 'recall@10': 0.3689, 'recall@20': 0.3813, 'mrr@20': 0.2655, 'ndcg@20': 0.2933 },
    'item-knn': { 'recall@5': 0.2728, 'recall@10': 0.3365, 'recall@20': 0.3865, 'mrr@20': 0.1791, 'ndcg@20': 0.2266 },
    markov: { 'recall@5': 0.4802, 'recall@10': 0.5365, 'recall@20': 0.5807, 'mrr@20': 0.346, 'ndcg@20': 0.4011 },
    sr: { 'recall@5': 0.4894, 'recall@10': 0.565, 'recall@20': 0.6183, 'mrr@20': 0.348, 'ndcg@20': 0.411 },
  },
  'eshop-clothing-2008': {
    pop: { 'recall@5': 0.0801, 'recall@10': 0.1424, 'mrr@10': 0.0465, 'ndcg@10': 0.0687, 'recall@20': 0.237 },
    's-pop': { 'recall@5': 0.0936, 'recall@10': 0.1649, 'mrr@10': 0.0542, 'ndcg@10': 0.0796, 'recall@20': 0.2748 },
    'item-knn': { 'recall@5': 0.2863, 'recall@10': 0.4493, 'mrr@10': 0.1786, 'ndcg@10': 0.2414, 'recall@20': 0.6209 },
    markov: { 'recall@5': 0.3574, 'recall@10': 0.5166, 'mrr@10': 0.2287, 'ndcg@10': 0.296, 'recall@20': 0.6899 },
    sr: { 'recall@5': 0.3602, 'recall@10': 0.5194, 'mrr@10': 0.2259, 'ndcg@10': 0.2944, 'recall@20': 0.6908 },
  },
  'online-retail': {
    pop: { 'recall@10': 0.0247, 'mrr@10': 0.0078, 'ndcg@10': 0.0116, 'recall@20': 0.0442, 'mrr@20': 0.0091 },
    'item-knn': { 'recall@10': 0.3057, 'mrr@10': 0.1699, 'ndcg@10': 0.2024, 'recall@20': 0.3573, 'mrr@20': 0.1735 },
    markov: { 'recall@10': 0.2997, 'mrr@10': 0.1701, 'ndcg@10': 0.2012, 'recall@20': 0.3392, 'mrr@20': 0.1728 },
    sr: { 'recall@10': 0.3146, 'mrr@10': 0.1751, 'ndcg@10': 0.2085, 'recall@20': 0.3657, 'mrr@20': 0.1787 },
  },
  diginetica: {
    pop: { 'recall@10': 0.0058, 'mrr@10': 0.0019, 'recall@20': 0.0093, 'mrr@20': 0.0021, 'ndcg@20': 0.0036 },
    's-pop': { 'recall@10': 0.2068, 'mrr@10': 0.1366, 'recall@20': 0.2108, 'mrr@20': 0.1369, 'ndcg@20': 0.1549 },
    'item-knn': { 'recall@10': 0.2539, 'mrr@10': 0.1033, 'recall@20': 0.3506, 'mrr@20': 0.11, 'ndcg@20': 0.1629 },
    markov: { 'recall@10': 0.2725, 'mrr@10': 0.1232, 'recall@20': 0.3361, 'mrr@20': 0.1277, 'ndcg@20': 0.1745 },
    sr: { 'recall@10': 0.3094, 'mrr@10': 0.1346, 'recall@20': 0.4035, 'mrr@20': 0.1412, 'ndcg@20': 0.1994 },
  },
};

/** Baselines whose definition leaves nothing open: these must reach the stated figures. Item-kNN has two definitions. */
export const EXACT = ['pop', 's-pop', 'markov', 'sr'];

/** Predictions that the READMEs count. */
export const STATED_PREDICTIONS: Readonly<Record<LogName, number>> = {
  'yoochoose-100k': 10_152,
  'eshop-clothing-2008': 6_452,
  'online-retail': 45_917,
  diginetica: 60_858,
};

/** Reads and splits a log; undefined where the reference material is missing. */
export async function realLog(name: LogName): Promise<SplitLog | undefined> {
  const split = SPLITS[name];
  if (split === 'files') {
    const [train, test] = [sharedPath('data', name, 'train.tsv.gz'), sharedPath('data', name, 'test.tsv.gz')];
    return train && test ? { train: await read(train), test: await read(test) } : undefined;
  }
  const file = sharedPath('data', name, 'sessions.tsv.gz');
  if (!file) return undefined;
  const log = await read(file);
  const { offsets, times } = log.sessions;
  const starts = Array.from(offsets.subarray(0, -1), (offset) => times[offset]!);
  const boundary = Date.parse(split.from) / 1000;
  const where = (is: (start: number) => boolean) => starts.flatMap((start, s) => (is(start) ? [s] : []));
  return {
    train: selectSessions(
      log,
      where((start) => start < boundary),
    ),
    test: selectSessions(
      log,
      where((start) => start >= boundary),
    ),
  };
}

const read = (path: string): Promise<EventLog> => readText(createReadStream(path).pipe(createGunzip()), path);

/** Ranks by session-rec's own code, and ours, of the predictions of `peer-ranks.tsv`; 51 stands for "not in the first 50". */
export async function peerRanks({ train, test }: SplitLog, name: 'sr' | 'ar', given: object) {
  const [header, ...lines] = readFileSync(sharedPath('data', 'yoochoose-100k', 'peer-ranks.tsv')!, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
  const column = header!.indexOf(`rank_${name}`);
  const stated = new Map(lines.map((cells) => [cells.slice(0, 3).join(' '), Number(cells[column]) || 51]));
  const model = baselines[name] as Baseline<unknown>;
  const config = configure(model, given as Record<string, unknown>);
  const catalogue = { items: train.itemIds.length, support: train.support };
  const scorer = model.scorer(model.fit(train.sessions, catalogue, config), catalogue, config);
  const { sessions, sessionIds, itemIds } = reindex(test, train.itemIds).log;
  const ours: number[] = [];
  const theirs: number[] = [];
  const onRank = ({ session, position, target, rank }: RankRow) => {
    const peer = stated.get(`${sessionIds[session]} ${position} ${itemIds[target - 1]}`);
    if (peer === undefined) return;
    theirs.push(peer);
    ours.push(Math.min(rank, 51));
  };
  await evaluate(scorer, sessions, { protocol: 'events', support: train.support, onRank });
  return { ours, theirs };
}

/**
 * Trains a baseline and evaluates every event of the test part.
 *
 * @param unknown What becomes of test items that were never sold before: `drop` leaves those events out, as the command
 *   line does; `miss` keeps them, as the READMEs do: they cannot be hit, and nothing is known after one.
 */
export async function run({ train, test }: SplitLog, name: string, given: object, unknown: 'drop' | 'miss') {
  const known = new Set(train.itemIds);
  const novel = unknown === 'miss' ? test.itemIds.filter((id) => !known.has(id)) : [];
  const itemIds = [...train.itemIds, ...novel];
  const log = reindex(train, itemIds).log;
  const catalogue = { items: itemIds.length, support: log.support };
  const model = baselines[name] as Baseline<unknown>;
  const config = configure(model, given as Record<string, unknown>);
  const started = performance.now();
  const arrays = model.fit(log.sessions, catalogue, config);
  const fitSeconds = (performance.now() - started) / 1000;
  const scorer = model.scorer(arrays, catalogue, config);
  const { sessions } = reindex(test, itemIds).log;
  const result: EvaluateResult = await evaluate(scorer, sessions, { protocol: 'events', support: log.support });
  return { result, fitSeconds };
}
