/** The logs of the tables of quality: how each is cut, what is predicted, and what others have reported on it. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Rank } from '../../../src/pipeline/files/ranks';
import { sharedPath } from '../../shared';

export const LOG_NAMES = [
  'diginetica',
  'yoochoose-100k',
  'eshop',
  'amazon-beauty',
  'online-retail',
  'diginetica-quarter',
] as const;
export type LogName = (typeof LOG_NAMES)[number];

export interface QualityLog {
  readonly title: string;
  /** The preset that was chosen on it, or `auto` where none was. */
  readonly preset: string;
  /** Folder of `../shared/data`. */
  readonly folder: string;
  readonly protocol: 'events' | 'leave-one-out';
  /** What chooses the number of epochs, cut from the training part. Absent where every user holds out events for it. */
  readonly valid?: string;
  readonly holdout?: number;
  /** The one architecture that has rows; all where it is absent. docs/claims.md tells of those logs only that have all. */
  readonly only?: string;
  /** Pairs of Transformers4Rec, and faithful forms, that have rows; all where it is absent. */
  readonly pairs?: readonly string[];
  readonly faithful?: readonly string[];
  /** Settings of faithful forms that would take many hours otherwise. */
  readonly shorter?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Rows that learn from all of the training part at once, for the epochs of their settings: a validation would cost hours. */
  readonly given?: readonly string[];
  /** Of the neighbours in mixtures with those rows: chosen before, on the validation part. */
  readonly share?: number;
  /** What is trained on and what is tested, as `aisle split` flags or what writes the files. */
  readonly cut: readonly string[] | 'given' | OwnCut;
  /** Sentences about cut and candidates. */
  readonly about: string;
  /** Metrics of the table, the one that orders rows first. */
  readonly shown: readonly string[];
  readonly inPercent: boolean;
  /** Parts of the predictions that are reported apart. */
  readonly groups?: (folder: string) => (rank: Rank) => string;
  /** Figures that were read in their sources, by the names of our metrics. */
  readonly published?: readonly Published[];
}

interface OwnCut {
  /** Changes with what is written: files and rows of another name are made again. */
  readonly name: string;
  /** Names of the files that are written, which may be one. */
  readonly train: string;
  readonly test: string;
  /** @param folder The log as it came. */
  readonly write: (folder: string, out: string) => void;
}

export interface Published {
  readonly name: string;
  readonly metrics: Readonly<Record<string, number>>;
  readonly source: string;
}

const EVENTS = 'events.tsv.gz';

const BY_CLICK =
  'Every event after the first of every test session is a prediction, all items of the training part are candidates, items ' +
  'of the session stay in.';

/** Pairs of Transformers4Rec, the best of its paper first. */
export const PAIRS = [
  'xlnet-mlm',
  'xlnet-rtd',
  'xlnet-plm',
  'xlnet-clm',
  'bert-mlm',
  'electra-rtd',
  'gpt2-clm',
  'transformer-xl-clm',
  'gru-clm',
];

export const LOGS: Readonly<Record<LogName, QualityLog>> = {
  diginetica: {
    title: 'Diginetica',
    preset: 'diginetica',
    folder: 'diginetica',
    // The others cost hours here; they are compared on the other logs.
    pairs: ['gpt2-clm'],
    faithful: ['srgnn, official'],
    // Three epochs, and the first at the tenth of the rate that follows.
    shorter: { 'srgnn, official': { epoch: 4 } },
    given: ['cl4srec', 'srgnn, official'],
    // The best on the validation part for SASRec while it had a quarter of the draws.
    share: 0.2,
    protocol: 'events',
    valid: 'last:10%',
    cut: 'given',
    about: `Anonymous sessions of a shop with 43,097 items, as SR-GNN cut them. ${BY_CLICK} Validation: the last tenth of train.`,
    shown: ['mrr@20', 'recall@20', 'recall@10', 'recall@5', 'mrr@10', 'ndcg@20'],
    inPercent: true,
  },
  'yoochoose-100k': {
    title: 'yoochoose-100k',
    preset: 'yoochoose-100k',
    folder: 'yoochoose-100k',
    protocol: 'events',
    valid: 'last:1d',
    cut: 'given',
    about: `The first week of the RecSys Challenge 2015, tested on its last day. ${BY_CLICK} Validation: the day before.`,
    shown: ['mrr@20', 'recall@20', 'recall@10', 'recall@5', 'mrr@10', 'ndcg@20'],
    inPercent: false,
  },
  eshop: {
    title: 'eshop-clothing-2008',
    preset: 'eshop',
    folder: 'eshop-clothing-2008',
    protocol: 'events',
    valid: 'last:7d',
    cut: ['--by', 'start', '--test-from', '2008-07-25'],
    about: `A small shop of 217 products, tested on 25 to 31 July 2008. ${BY_CLICK} Validation: the week before.`,
    shown: ['mrr@10', 'recall@10', 'recall@5', 'recall@20', 'mrr@20', 'ndcg@10'],
    inPercent: false,
  },
  'amazon-beauty': {
    title: 'Amazon Beauty',
    preset: 'beauty',
    folder: 'amazon-beauty',
    // As on Diginetica; of the faithful forms those that the published rows here are of.
    pairs: ['gpt2-clm'],
    faithful: ['sasrec, official', 'cl4srec, paper', 'sasrec, as in cl4srec'],
    protocol: 'leave-one-out',
    holdout: 2,
    cut: { name: 'amazon-beauty', train: EVENTS, test: EVENTS, write: writeBeauty },
    about:
      'Amazon reviews of beauty products, 5-core, 12,101 items. The last event of each user is predicted from all before it, the ' +
      'one before the last chooses the number of epochs, neither is learnt from; all items but those of the input are candidates. ' +
      'Days are known, not times, and inside a day the order is that of the product codes: targets of the same day as the last ' +
      'input, and of a new day, are shown apart.',
    shown: ['ndcg@10', 'recall@10', 'recall@5', 'recall@20', 'ndcg@5', 'ndcg@20'],
    inPercent: false,
    groups: daysOfBeauty,
    published: publishedOnBeauty(),
  },
  'online-retail': {
    title: 'Online Retail',
    preset: 'auto',
    folder: 'online-retail',
    // What `--preset auto` makes of the log is asked here, and of each architecture once.
    pairs: ['gpt2-clm'],
    faithful: [],
    protocol: 'events',
    valid: 'last:30d',
    cut: ['--by', 'start', '--test-from', '2011-10-01'],
    about:
      `Invoices of a gift shop, tested on October 2011; no preset was chosen on this log. ${BY_CLICK} Validation, which chooses ` +
      'the number of epochs, and the settings of what counts: the 30 days before. The rules of `auto` have changed twice since its first rows here: for ' +
      'long sessions, which made the batches of SASRec and CL4SRec smaller, and, after their validation had fallen by 0.005 and ' +
      'three others were still rising in their last epoch, back for batches that are small already, with more epochs where an item ' +
      'has few events. So the log is held back from the presets, no longer from those two rules. ' +
      "That SR-GNN's graphs end at 20 clicks comes from eshop, and from their cost.",
    shown: ['mrr@20', 'recall@20', 'recall@10', 'recall@5', 'mrr@10', 'ndcg@20'],
    inPercent: false,
  },
  'diginetica-quarter': {
    title: 'The latest quarter of Diginetica',
    preset: 'diginetica',
    folder: 'diginetica',
    only: 'transformers4rec',
    given: PAIRS,
    protocol: 'events',
    valid: 'last:10%',
    cut: { name: 'latest 46,668 sessions', train: 'train.tsv.gz', test: 'test.tsv.gz', write: writeQuarter },
    about:
      "The last 46,668 of the 186,670 training sessions, and the test part of Diginetica as SR-GNN cut it, for Transformers4Rec's " +
      `objectives. ${BY_CLICK} Validation: the last tenth of what is trained on.`,
    shown: ['ndcg@20', 'recall@20', 'mrr@20', 'recall@10', 'recall@5', 'mrr@10'],
    inPercent: true,
  },
};

/** What keys of a log's results follow from; a cut of our own goes by its name. */
export function splitOf(name: LogName) {
  const { cut, valid, holdout, protocol } = LOGS[name];
  return { cut: cut === 'given' ? name : 'write' in cut ? cut.name : cut, valid, holdout, protocol };
}

/** Folder of a log's files; undefined where it is not here. */
export const folderOf = ({ folder }: QualityLog): string | undefined => sharedPath('data', folder);

/** Users with the days of their events, as lines of both files have them. */
function beautyUsers(folder: string): { readonly user: string; readonly items: string[]; readonly days: number[] }[] {
  const days = gunzipSync(readFileSync(join(folder, 'times.txt.gz')))
    .toString()
    .trim()
    .split('\n');
  const lines = readFileSync(join(folder, 'sequences.txt'), 'utf8').trim().split('\n');
  return lines.map((line, u) => {
    const [user, ...items] = line.split(' ');
    return { user: user!, items, days: days[u]!.split(' ').slice(1).map(Number) };
  });
}

/** One file of events; seconds keep the order inside a day. */
function writeBeauty(folder: string, out: string): void {
  const rows = beautyUsers(folder).flatMap(({ user, items, days }) =>
    items.map((item, e) => `${user}\t${item}\t${days[e]! + e}\t${user}\n`),
  );
  writeFileSync(join(out, EVENTS), gzipSync(`session_id\titem_id\ttimestamp\tuser_id\n${rows.join('')}`));
}

/** Sessions stand in the order of time. */
function writeQuarter(folder: string, out: string): void {
  const [titles, ...lines] = gunzipSync(readFileSync(join(folder, 'train.tsv.gz')))
    .toString()
    .trim()
    .split('\n');
  const session = (line: string) => line.slice(0, line.indexOf('\t'));
  const starts = lines.flatMap((line, i) => (i > 0 && session(line) === session(lines[i - 1]!) ? [] : [i]));
  const latest = lines.slice(starts[Math.floor(0.75 * starts.length)]);
  writeFileSync(join(out, 'train.tsv.gz'), gzipSync(`${[titles, ...latest].join('\n')}\n`));
  copyFileSync(join(folder, 'test.tsv.gz'), join(out, 'test.tsv.gz'));
}

function daysOfBeauty(folder: string): (rank: Rank) => string {
  const sameDay = new Set(beautyUsers(folder).flatMap(({ user, days }) => (days.at(-1) === days.at(-2) ? [user] : [])));
  return ({ session }) => (sameDay.has(session) ? 'same day' : 'new day');
}

/** Full ranking; A: `all_rank.PNG` of aHuiWang/CIKM2020-S3Rec. B: the README of QinHsiu/MCLRec (SIGIR 2023). */
function publishedOnBeauty(): Published[] {
  const names = ['recall@5', 'recall@10', 'recall@20', 'ndcg@5', 'ndcg@10', 'ndcg@20'];
  const row = (source: string, name: string, values: readonly (number | undefined)[]): Published => ({
    name,
    source,
    metrics: Object.fromEntries(names.flatMap((metric, i) => (values[i] === undefined ? [] : [[metric, values[i]!]]))),
  });
  const none = undefined;
  return [
    row('S3-Rec', 'GRU4Rec', [0.0164, 0.0283, 0.0479, 0.0099, 0.0137, 0.0187]),
    row('S3-Rec', 'Caser', [0.0205, 0.0347, 0.0556, 0.0131, 0.0176, 0.0229]),
    row('S3-Rec', 'SASRec', [0.0387, 0.0605, 0.0902, 0.0249, 0.0318, 0.0394]),
    row('S3-Rec', 'S3-Rec', [0.0387, 0.0647, 0.0994, 0.0244, 0.0327, 0.0414]),
    row('MCLRec', 'GRU4Rec', [0.018, none, 0.0427, 0.0116, none, 0.0186]),
    row('MCLRec', 'Caser', [0.0251, none, 0.0643, 0.0145, none, 0.0298]),
    row('MCLRec', 'SASRec', [0.0377, none, 0.0894, 0.0241, none, 0.0386]),
    row('MCLRec', 'CL4SRec', [0.0401, none, 0.0974, 0.0268, none, 0.0428]),
    row('MCLRec', 'ICLRec', [0.05, 0.0744, 0.1058, 0.0326, 0.0403, 0.0483]),
    row('MCLRec', 'DuoRec', [0.0559, none, 0.1193, 0.034, none, 0.0518]),
    row('MCLRec', 'MCLRec', [0.0581, 0.0871, 0.1243, 0.0352, 0.0446, 0.0539]),
  ];
}
