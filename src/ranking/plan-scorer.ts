/** Scores and best items by a compiled plan, without a tensor. */
import type { RunningPlan } from '../compute/plan/runtime';
import type { SessionModel } from '../models/model';
import { lagsOf } from '../session/lags';
import type { Catalogue, ItemIndex, Scorer, SessionInput } from '../types';
import type { SessionScorer } from './session-scorer';
import type { ScoredItem } from './top-k';

/** The input that is one click, and what names of the parts of a state begin with, where a network goes on click by click. */
export const CLICK = 'click';
export const STATE = 'state.';
/** The longest session that a plan answers; of a longer one, it is asked the newest clicks. */
export const MOST_CLICKS = 1000;

/** A running session that also ranks: one pass over the items, in which no score but those of the best is written. */
export interface PlanSession extends SessionScorer {
  /** The k best items, best first; equal ones by ascending index. @param exclude Items never to answer with. */
  topK(session: SessionInput, k: number, exclude?: Iterable<ItemIndex>): ScoredItem[];
}

export interface PlanScorer extends Scorer {
  openSession(): PlanSession;
}

/** @param config As `configure` returns it. */
export function planScorer<C>(
  running: RunningPlan,
  model: Pick<SessionModel<C>, 'prepare' | 'earlier'>,
  config: C,
  catalogue: Catalogue,
): PlanScorer {
  const { items: n } = catalogue;
  const parts = Object.entries(running.plan.programs[0]!.inputs).filter(([name]) => name.startsWith(STATE));

  function openSession(): PlanSession {
    let seen: number[] = [];
    let state: readonly Float32Array[] = [];
    const forget = (): void => {
      seen = [];
      state = parts.map(([, { length }]) => new Float32Array(length));
    };
    forget();

    /** Computes the session's vector. @returns What is added to scores, by column. */
    function run(session: SessionInput): Map<number, number> {
      const { items } = session;
      if (items.length === 0) throw new RangeError('score: a session has no click; pass at least one.');
      if (parts.length === 0) running.run(model.prepare([newest(session)], config, catalogue));
      else goOn(Array.from(items));
      const { repeats } = running;
      const added = new Map<number, number>();
      if (repeats) for (const [item, lag] of lagsOf(items, repeats.length)) added.set(item - 1, repeats[lag]!);
      return added;
    }
    /** Goes on from the session before where this one continues it, and has more clicks. */
    function goOn(items: readonly number[]): void {
      if (seen.length >= items.length || seen.some((item, t) => item !== items[t])) forget();
      for (const item of items.slice(seen.length)) {
        const before = state.map((data, i) => [parts[i]![0], { data, shape: [1, data.length] }] as const);
        const click = { data: Int32Array.of(item), shape: [1] };
        const [, ...after] = running.run({ ...Object.fromEntries(before), [CLICK]: click });
        state = after.map((part) => part.slice());
        seen.push(item);
      }
    }
    return {
      items: n,
      score: async (session) => running.scores(run(session)).slice(),
      topK(session, k, exclude = []) {
        const added = run(session);
        for (const item of exclude) added.set(item - 1, Number.NEGATIVE_INFINITY);
        const { columns, scores } = running.top(k, added);
        return Array.from(columns, (column, i) => ({ index: column + 1, score: scores[i]! }));
      },
      forget,
      dispose: forget,
    };
  }

  return {
    items: n,
    earlier: model.earlier?.(config) ?? 0,
    openSession,
    async score(sessions) {
      const session = openSession();
      const scores = new Float32Array(sessions.length * n);
      for (const [b, one] of sessions.entries()) scores.set(await session.score(one), b * n);
      return scores;
    },
    dispose() {},
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
