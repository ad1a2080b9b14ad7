/** Models side by side on the same held-out sessions. */
import { run } from '../compute/executor';
import { benchmark, loadComputing, readyModel } from '../engine/ready-model';
import { rankOf } from '../ranking/rank';
import { topK } from '../ranking/top-k';
import { earlierSessions } from '../session/earlier';
import { mrrAt, recallAt } from '../train/metrics';
import { predictionsOf, prefixOf } from '../train/predictions';
import type { TrainedModel } from '../train/train-from-log';
import { yieldToEventLoop } from '../train/yield-to-event-loop';
import type { WholeArtifact } from './artifact-summary';
import { type Difference, meanGain, pairedDifference, type SessionScores, sessionScores } from './compare/statistics';
import { type Observer, startTask } from './observer';
import { pageBackend, startInPage } from './page-backend';
import { type ValidatedParts, withScorer } from './validation';

const CUT = 20;
const METRICS = {
  recall: (rank: number) => recallAt(rank, CUT),
  mrr: (rank: number) => mrrAt(rank, CUT),
};
type MetricName = keyof typeof METRICS;

/** What a model reaches, and how much more than a rival on the same predictions; 95 % intervals over sessions. */
export type Standing = Readonly<Record<MetricName, { readonly mean: Difference; readonly gain?: Difference }>>;

/**
 * @param sessions Session of each prediction.
 * @param rival Ranks of the same predictions by another model. Default: no comparison.
 */
export function standingOf(sessions: ArrayLike<number>, ranks: Int32Array, rival?: Int32Array): Standing {
  const of = (gain: (rank: number) => number) => {
    const scores = (all: Int32Array): SessionScores => sessionScores(sessions, (p) => gain(all[p]!));
    const own = scores(ranks);
    return { mean: meanGain(own), ...(rival && { gain: pairedDifference(own, scores(rival)) }) };
  };
  return { recall: of(METRICS.recall), mrr: of(METRICS.mrr) };
}

/** Runs work on the first backend that starts in a page. @throws RecommenderError `no-backend`, and what the work throws. */
export const onDevice = <T>(observer: Observer, work: () => Promise<T>): Promise<T> =>
  run(async (slice) => {
    await startInPage(slice, 'auto', observer);
    return work();
  });

/** The session of each prediction of the validation part. */
export const predictedSessions = ({ valid, validProtocol = 'events' }: ValidatedParts): Int32Array =>
  predictionsOf(valid.sessions, validProtocol, 'test').sessions;

/** What a model suggests before a click, and the rank of what was clicked. */
export interface Answer {
  readonly items: readonly string[];
  readonly rank: number;
}

/** One click of a session, and what each model answers after it. */
export interface Step {
  readonly item: string;
  /** What was clicked next, and the answers of the models in their order; absent after the last click. */
  readonly next?: string;
  readonly answers?: readonly Answer[];
}

/** In each answer of a replayed session. */
const SUGGESTIONS = 10;

/**
 * A session of the validation part, click by click. A backend must be running.
 *
 * @param session Its number in the validation part.
 * @param observer Follows it: in a large log each model takes seconds to get ready.
 */
export async function replaySession(
  models: readonly TrainedModel[],
  parts: ValidatedParts,
  session: number,
  observer: Observer = {},
): Promise<Step[]> {
  const { itemIds } = parts.log;
  const { items, offsets } = parts.valid.sessions;
  const idOf = (item: number): string => itemIds[item - 1]!;
  const clicks = items.subarray(offsets[session]!, offsets[session + 1]!);
  const predictions = predictionsOf(parts.valid.sessions, 'events', 'test');
  const first = predictions.starts[session]!;
  const answers: Answer[][] = Array.from({ length: clicks.length - 1 }, () => []);
  const task = startTask(observer, { label: 'Asking the models', total: models.length, unit: 'models' });
  try {
    for (const [m, model] of models.entries()) {
      await withScorer(model, parts, async ({ scorer, sessions, past }) => {
        const earlierOf = earlierSessions(sessions, scorer.earlier ?? 0, past);
        for (const [p, all] of answers.entries()) {
          const scores = await scorer.score([prefixOf(sessions, predictions, first + p, earlierOf)]);
          const best = topK(scores, SUGGESTIONS).map(({ index }) => idOf(index));
          all.push({ items: best, rank: rankOf(scores, clicks[p + 1]!).conservative });
        }
      });
      task.update(m + 1);
      await yieldToEventLoop();
    }
  } finally {
    task.finish();
  }
  return Array.from(clicks, (item, p) => ({
    item: idOf(item),
    ...(p + 1 < clicks.length && { next: idOf(clicks[p + 1]!), answers: answers[p]! }),
  }));
}

/** How long the model of an artifact takes to answer here. */
export interface AnswerTime {
  readonly milliseconds: number;
  /** `plan` where the artifact has a compiled plan, as on a shop's page. */
  readonly backend: string;
}

/** Measures it on the artifact's golden session, which it must answer right. @throws RecommenderError as `readyModel`. */
export async function answerTime({ artifact }: WholeArtifact): Promise<AnswerTime> {
  const name = artifact.hasPlan ? 'plan' : 'wasm';
  await loadComputing(artifact, name);
  return run(async (slice) => {
    const device = await slice.start(name, pageBackend);
    const model = await readyModel(artifact, device, 'measured', artifact.hasPlan);
    try {
      return { milliseconds: await benchmark(model, () => performance.now()), backend: name };
    } finally {
      model.dispose();
    }
  });
}
