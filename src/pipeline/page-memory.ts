/** What a log and a training take of a page's memory: refused before they begin, since a tab that runs out of it is gone. */
import { RecommenderError } from '../errors';
import { quoted } from '../session/columns';
import { type Layout, SHARDS } from '../train/data-parallel';
import { whole } from './format';

/** What a tab may hold on machines of 4 GB and more; on smaller ones, half of their memory. */
const MOST_BYTES = 1.5e9;
/** An event in the log, in its parts, and while it is sorted into sessions. */
const BYTES_AN_EVENT = 90;
/** A weight with its gradient and two values of the optimiser, the best epoch's, and the checkpoint while it is written. */
const BYTES_A_WEIGHT = 4 * (4 + 1 + 2 * 4);
/** Of each further thread: its copy of the log and its examples; its weights, their gradients and two values of the optimiser. */
const BYTES_AN_EVENT_AND_THREAD = 40;
const BYTES_A_WEIGHT_AND_THREAD = 4 * (1 + 1 + 2);
/** Gradients of a weight that threads share: one for each shard of a batch, and their sum. */
const SHARED_BYTES_A_WEIGHT = 4 * (SHARDS + 1);
/** TensorFlow.js in a further thread, and what the layers of its shards compute. */
const BYTES_A_THREAD = 60e6;
/** The page, TensorFlow.js, and what the layers of a step compute. */
const BYTES_AT_LEAST = 250e6;

/** @param deviceGigabytes As the browser says: at most 8, undefined where it says nothing. */
export const memoryLimit = (deviceGigabytes: number | undefined): number =>
  Math.min(MOST_BYTES, ((deviceGigabytes ?? 8) * 1e9) / 2);

const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);

/**
 * @param events Estimated, before the file is read.
 * @throws RecommenderError `bad-input` for a log that a page cannot hold.
 */
export function refuseLongLog(name: string, events: number, limit: number): void {
  const bytes = BYTES_AT_LEAST + events * BYTES_AN_EVENT;
  if (bytes <= limit) return;
  throw new RecommenderError(
    'bad-input',
    `${name} holds about ${whole(Math.round(events / 1e5) / 10)} million events, which take about ${gigabytes(bytes)} GB, and a page ` +
      `has ${gigabytes(limit)} GB. Train on it with the command line: aisle train --data ${quoted(name)} --model gru4rec --out my-model`,
  );
}

/** @throws RecommenderError `bad-config` for a training that a page cannot hold, with as many bytes `kept` besides. */
export function refuseLargeTraining(
  model: string,
  layout: Layout,
  { events, threads, kept = 0 }: { readonly events: number; readonly threads: number; readonly kept?: number },
  limit: number,
): void {
  const weights = Object.values(layout).reduce((sum, size) => sum + size, 0);
  const aThread = BYTES_A_THREAD + events * BYTES_AN_EVENT_AND_THREAD + weights * BYTES_A_WEIGHT_AND_THREAD;
  const shared = threads > 1 ? weights * SHARED_BYTES_A_WEIGHT + (threads - 1) * aThread : 0;
  const bytes = BYTES_AT_LEAST + events * BYTES_AN_EVENT + weights * BYTES_A_WEIGHT + shared + kept;
  if (bytes <= limit) return;
  const on = threads > 1 ? `, on ${threads} threads` : '';
  throw new RecommenderError(
    'bad-config',
    `${model} would have ${whole(weights)} weights on ${whole(events)} events${on}, which take about ${gigabytes(bytes)} GB, and a page has ` +
      `${gigabytes(limit)} GB. Choose ${threads > 1 ? 'fewer threads, ' : ''}smaller layers or a higher minimum of events for an item, or train with the command line: ` +
      `aisle train --data YOUR-LOG --model ${model} --out my-model`,
  );
}
