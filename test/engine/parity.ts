/** What Node and a page must agree on: sessions, Node's answers to them, and what Node learns. Runs in both. */
import type { Artifact } from '../../src/checkpoint/artifact';
import type { BackendOptions } from '../../src/compute/backends/options';
import type { BackendName } from '../../src/compute/types';
import type { EngineEvent, RankedItem } from '../../src/engine/types';
import { models } from '../../src/models/index';
import type { Progress } from '../../src/train/trainer';
import { type SessionsTraining, trainSessions } from './train-sessions';

export const PARITY_MODELS: readonly string[] = Object.keys(models);
/** Backends that train in Node, whose answers a page must equal, and those of the page. */
export const NODE_BACKENDS = ['cpu', 'wasm'] as const satisfies readonly BackendName[];
export const PAGE_BACKENDS = ['cpu', 'wasm', 'webgl', 'webgpu'] as const satisfies readonly BackendName[];
/** Those that answer in Node. */
export const ANSWERING = [...NODE_BACKENDS, 'plan'] as const satisfies readonly BackendName[];
export type NodeBackend = (typeof NODE_BACKENDS)[number];
export const K = 20;
/** Sessions of the real shop. */
export const ASKED = 50;
/** Seconds since 1970: the end of the first session. */
const START = 1_700_000_000;
/** Seconds from one session's end to the next one's, longer than any of them: each starts over. */
const APART = 86_400;

/**
 * Configurations of seconds instead of minutes; a model that is not here has its defaults. GRU4Rec's gates have more than
 * 128 numbers: for fewer, TensorFlow.js sums on WebGPU with 256 threads each, which a GPU in software is slow at.
 */
export const SMALL: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  gru4rec: { layers: '48', batchSize: 64, nSample: 64, learningRate: 0.1 },
  srgnn: { hiddenSize: 32, maxlen: 20 },
  sasrec: { hiddenUnits: 32, maxlen: 20, numBlocks: 1, batchSize: 128 },
  caser: { d: 16, L: 4, nh: 4, nv: 2 },
  cl4srec: { hiddenUnits: 16, maxlen: 20, numBlocks: 1, repeatLags: 5 },
  transformers4rec: { dModel: 16, itemEmbeddingDim: 16, nHead: 2, nLayer: 1, totalSeqLength: 20 },
};

type Answers = Readonly<Record<string, readonly RankedItem[]>>;

/** What came of one training. */
export interface Learnt {
  /** The loss of each step. */
  readonly losses: readonly number[];
  /** What the model that was learnt answers, by session. */
  readonly answers: Answers;
}

export interface Parity {
  /** Where the sessions come from, in words. */
  readonly source: string;
  /** Item ids, oldest first, by the session's name. */
  readonly sessions: Readonly<Record<string, readonly string[]>>;
  /** Node's answers by model, backend and session. */
  readonly answers: Readonly<Record<string, Record<(typeof ANSWERING)[number], Answers>>>;
  readonly learnt: Readonly<Record<string, Record<NodeBackend, Learnt>>>;
}

/** The n-th session as events a minute apart, and the time at which somebody asks what comes next. */
export function timed(ids: readonly string[], n: number): { readonly session: EngineEvent[]; readonly now: number } {
  const now = START + n * APART;
  return { session: ids.map((itemId, t) => ({ itemId, time: now - 90 * (ids.length - t) })), now };
}

/** Clicks of each session that a training sees. */
const PAIR = 2;
const SEEN = 8;

/** Steps of which each loss is compared. */
export const STEPS = 20;

/**
 * Trains twice, with dropout off: 20 steps on one batch, the last two clicks of every session, which tell the loss of each
 * step; and three epochs on more of them, which make a model to ask.
 */
export async function learnBoth(
  ...given: Parameters<typeof learnings>
): Promise<{ readonly losses: readonly number[]; readonly artifact: Artifact }> {
  const learn = await learnings(...given);
  const losses = await learn.losses(STEPS);
  return { losses, artifact: await learn.artifact() };
}

/** The two trainings apart. */
export async function learnings(
  model: string,
  backend: BackendName,
  sessions: Parity['sessions'],
  options: BackendOptions,
) {
  const network = await models[model]!.network();
  const dropout = Object.keys(network.options).filter((key) => /drop/i.test(key));
  const config = { ...SMALL[model], ...Object.fromEntries(dropout.map((key) => [key, 0])) };
  const training = (clicks: number, epochs: number): SessionsTraining => ({
    model,
    backend,
    seed: 11,
    sessions: Object.values(sessions)
      .slice(0, ASKED)
      .flatMap((ids, n) => (ids.length < 2 ? [] : [timed(ids.slice(-clicks), n).session])),
    config: { ...config, batchSize: clicks === PAIR ? ASKED : 16 },
    epochs,
  });
  return {
    /** The loss of each of the first so many steps on the one batch, of a training of `STEPS`: step sizes may fall to its end. */
    async losses(count: number): Promise<readonly number[]> {
      const losses: number[] = [];
      const steps = new Set<number>();
      const enough = new AbortController();
      const onProgress = (progress: Progress): void => {
        steps.add(progress.steps);
        losses[progress.epoch - 1] = progress.loss;
        if (losses.length === count && count < STEPS) enough.abort();
      };
      await trainSessions({ ...training(PAIR, STEPS), onProgress, signal: enough.signal }, options).catch((error) => {
        if (!enough.signal.aborted) throw error;
      });
      if ([...steps].join() !== '1') throw new Error(`An epoch on one batch had ${[...steps].join()} steps.`);
      return losses.slice(0, count);
    },
    artifact: async (): Promise<Artifact> => (await trainSessions(training(SEEN, 3), options)).artifact,
  };
}

/** Differences that are none: backends sum in different orders. */
export interface Tolerance {
  readonly score: number;
  /** Scores that differ by less than this may change places. */
  readonly tie: number;
}
const ROUNDING: Tolerance = { score: 1e-4, tie: 2e-5 };

/** What a GPU, or steps of training, may add up to: a thousandth of the highest score. */
export const THOUSANDTH = 1e-3;
/** What numbers of 16 bits, eleven of them digits, add up to over a model. */
export const HALVES = 2 ** -8;

/** A share of the highest score. */
export function within(share: number, expected: readonly RankedItem[]): Tolerance {
  const limit = share * Math.max(...expected.map(({ score }) => Math.abs(score)));
  return { score: limit, tie: limit };
}

/**
 * In which way two answers differ by more than rounding: other scores, other items, another order.
 *
 * @returns Empty where they agree.
 */
export function differences(
  expected: readonly RankedItem[],
  got: readonly RankedItem[],
  { score: limit, tie }: Tolerance = ROUNDING,
): string[] {
  if (expected.length !== got.length) return [`${expected.length} items became ${got.length}`];
  const scores = new Map(expected.map(({ itemId, score }) => [itemId, score]));
  const last = expected.at(-1)?.score ?? 0;
  return got.flatMap(({ itemId, score, reason }, i) => {
    const there = expected[i]!;
    if (reason !== there.reason) return [`reason of place ${i + 1}: ${there.reason} became ${reason}`];
    if (!(Math.abs(score - there.score) < limit)) return [`score of place ${i + 1}: ${there.score} became ${score}`];
    // Another item stands here only where its score is the same, or at the end where it displaced an equal one.
    const own = scores.get(itemId) ?? last;
    const isTied = Math.abs(own - there.score) < tie;
    return itemId === there.itemId || isTied ? [] : [`place ${i + 1}: ${there.itemId} became ${itemId}`];
  });
}
