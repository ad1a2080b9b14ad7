/** Scores and best items by a compiled plan, without a tensor. */
import type { Artifact } from '../checkpoint/artifact';
import { type Device, deviceFailed } from '../compute/backend-fault';
import type { PlanRunner } from '../compute/backends/plan';
import { damaged, type Plan } from '../compute/plan/plan';
import { type PlanItems, type RunningPlan, startPlan } from '../compute/plan/runtime';
import { lagsOf } from '../session/lags';
import type { Scorer, SessionInput, Sessions } from '../types';
import type { LoadedScorer, Network } from './architecture';
import type { ReadPlan, SessionReader } from './session-reader';
import type { SessionScorer } from './session-scorer';
import { topK } from './top-k';

export { loadModule } from '../compute/backends/plan';

interface PlanSession extends Required<SessionScorer> {
  /** The session's vector: a view that the next call overwrites. */
  encode(session: SessionInput): Float32Array;
}

type Visit = Parameters<NonNullable<Scorer['scoreSequences']>>[1];
export type PlanScorer = Omit<LoadedScorer, 'openSession'> & { openSession(): PlanSession };

/** The input that is one click, and what names of the parts of a state begin with, where a network goes on click by click. */
export const CLICK = 'click';
export const STATE = 'state.';
/** The longest session that a plan answers, longer than any of a page; of a longer one, it is asked the newest clicks. */
export const MOST_CLICKS = 1000;
/**
 * Excluded items, and items asked for, up to which one pass is not slower than all scores: there, each excluded one is a bias, and the
 * best are a sorted list.
 */
const FEW = 1000;

/**
 * The scorer of an artifact that has a plan.
 *
 * @param device Of the backend `plan`.
 * @throws BackendFault where the plan is damaged.
 */
export function loadPlanScorer(
  { info, tensors }: Artifact,
  { plan, reader, start = startPlan }: ReadPlan,
  device: Device,
): PlanScorer {
  const { module, memories } = device.instance as PlanRunner;
  const onDevice = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw deviceFailed(device, error);
    }
  };
  const running = onDevice(() => start(module, plan, (name) => tensors[name]));
  const { items, programs } = plan;
  const results = 1 + stateOf(plan).length;
  if (items.n !== info.items || programs.some((program) => program.results.length !== results))
    throw deviceFailed(device, damaged('it is of another model'));
  memories.add(running.memory);
  const guardedItems = (items: PlanItems): PlanItems => ({
    ...items,
    scores: (...request) => onDevice(() => items.scores(...request)),
    top: (...request) => onDevice(() => items.top(...request)),
  });
  const guarded: RunningPlan = {
    ...running,
    items: guardedItems(running.items),
    run: (inputs) => onDevice(() => running.run(inputs)),
    withItems: (...given) => guardedItems(onDevice(() => running.withItems(...given))),
  };
  return {
    ...planScorer(guarded, reader),
    dispose: () => void memories.delete(running.memory),
  };
}

/** The parts of a state, where a network goes on click by click. */
const stateOf = ({ programs }: Plan) => Object.entries(programs[0]!.inputs).filter(([name]) => name.startsWith(STATE));

/** A scorer by a plan that runs, and by its items or others. */
export function planScorer(running: RunningPlan, reader: SessionReader, items = running.items): PlanScorer {
  const { n } = running.plan.items;
  const parts = stateOf(running.plan);
  const { repeats } = running;

  function openSession(): PlanSession {
    let seen: number[] = [];
    let state: readonly Float32Array[] = [];
    /** Before the newest click. */
    let former = state;
    const forget = (): void => {
      seen = [];
      state = parts.map(([, { length }]) => new Float32Array(length));
    };
    forget();

    /** The session's vector, which the plan goes on to score by. */
    function encode(session: SessionInput): Float32Array {
      if (session.items.length === 0) throw new RangeError('score: a session has no click; pass at least one.');
      if (parts.length === 0) return running.run(reader.prepare(newest(session)))[0]!;
      return goOn(Array.from(session.items));
    }
    /** Goes on from the session before where this one continues it, or differs in the newest click at most. */
    function goOn(clicks: readonly number[]): Float32Array {
      if (seen.length === clicks.length) {
        seen.pop();
        state = former;
      }
      if (seen.length >= clicks.length || seen.some((item, t) => item !== clicks[t])) forget();
      let vector = new Float32Array();
      for (const item of clicks.slice(seen.length)) {
        const before = state.map((data, i) => [parts[i]![0], { data, shape: [1, data.length] }] as const);
        const click = { data: Int32Array.of(item), shape: [1] };
        const [found, ...after] = running.run({ ...Object.fromEntries(before), [CLICK]: click });
        vector = found as typeof vector;
        former = state;
        state = after.map((part) => part.slice());
        seen.push(item);
      }
      return vector;
    }
    /** What is added to scores, by column. */
    function repeated({ items }: SessionInput): Map<number, number> {
      const added = new Map<number, number>();
      if (repeats) for (const [item, lag] of lagsOf(items, repeats.length)) added.set(item - 1, repeats[lag]!);
      return added;
    }
    function score(session: SessionInput): Float32Array {
      encode(session);
      return items.scores(repeated(session)).slice();
    }
    return {
      items: n,
      encode,
      score: async (session) => score(session),
      async topK(session, k, exclude = new Set()) {
        encode(session);
        if (exclude.size <= FEW && k <= FEW) {
          const added = repeated(session);
          for (const item of exclude) added.set(item - 1, Number.NEGATIVE_INFINITY);
          const { columns, scores } = items.top(k, added);
          // A score beyond all numbers is first, or is left out: then all are computed, and refused.
          if (columns.length === Math.min(k, n - exclude.size) && scores[0] !== Number.POSITIVE_INFINITY)
            return Array.from(columns, (column, i) => ({ index: column + 1, score: scores[i]! }));
        }
        return topK(items.scores(repeated(session)), k, exclude);
      },
      forget,
      dispose: forget,
    };
  }

  async function scoreSequences({ items: clicks, offsets }: Sessions, visit: Visit): Promise<void> {
    const alone = openSession();
    for (let session = 0; session + 1 < offsets.length; session++) {
      const own = clicks.subarray(offsets[session]!, offsets[session + 1]!);
      for (let end = 1; end < own.length; end++)
        await visit(await alone.score({ items: own.subarray(0, end) }), [{ session, position: end - 1 }]);
    }
  }
  const { scale, earlier } = reader;
  const network: Network = {
    ...(scale !== undefined && { scale }),
    async encode(sessions) {
      const { d } = running.plan.items;
      const vectors = new Float32Array(sessions.length * d);
      const alone = openSession();
      for (const [b, session] of sessions.entries()) vectors.set(alone.encode(session).subarray(0, d), b * d);
      return vectors;
    },
    itemSide: async () => ({ ...items.read(), ...(repeats && { repeats }) }),
    withItems: ({ table, bias }) => planScorer(running, reader, running.withItems(table, bias)),
  };
  return {
    items: n,
    earlier,
    network,
    openSession,
    async score(sessions) {
      const scores = new Float32Array(sessions.length * n);
      const alone = openSession();
      for (const [b, session] of sessions.entries()) scores.set(await alone.score(session), b * n);
      return scores;
    },
    ...(parts.length > 0 && { scoreSequences }),
    dispose: items.free,
  };
}

/** The session without its oldest clicks, where it has too many. */
function newest(session: SessionInput): SessionInput {
  const { items, times, features } = session;
  const from = items.length - MOST_CLICKS;
  if (from <= 0) return session;
  const cut = (list: ArrayLike<number>) => Array.prototype.slice.call(list, from) as number[];
  return {
    ...session,
    items: cut(items),
    ...(times && { times: cut(times) }),
    ...(features && {
      features: Object.fromEntries(Object.entries(features).map(([name, list]) => [name, cut(list)])),
    }),
  };
}
