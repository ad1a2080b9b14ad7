/** Shows recommendations in each slot, or why there are none. */
import { RecommenderError } from '../errors';
import type { Recommender } from '../recommender/types';
import { showCards } from './cards';
import { nextTask, suggestionsFor } from './suggestions';
import type { Host, PageOptions, Slot, SlotState, Suggestion } from './types';

export interface Source {
  readonly recommender: Recommender;
  readonly options: PageOptions;
  pageItem(): Promise<string | undefined>;
  /** What a slot of this strategy is asked for, by the visitor's variant; `none` shows nothing. */
  strategyFor(strategy: string): string;
}

interface Shown {
  turn: number;
  abort: AbortController | undefined;
  /** The shown answer: the slot is not changed if the next one is the same. */
  answer: string | undefined;
}

/** Why a slot is updated: the page requested it, or the answer has merely improved. */
export type Urgency = 'asked' | 'better';

export interface View {
  /** Requests suggestions again for one slot. */
  refresh(slot: Slot, urgency: Urgency): void;
  /** Applies the changed attributes of a slot, and requests suggestions again. */
  changed(slot: Slot): void;
  /** Requests suggestions again for every slot, once for many calls in a row. */
  refreshSoon(urgency: Urgency): void;
  /** Ends what a slot waits for. */
  stop(slot: Slot): void;
  /** There is nothing to ask, and why; until there is. */
  failAll(code: string): void;
}

/** @param source What to ask; undefined while there is nothing to ask. */
export function createView(host: Host, source: () => Source | undefined): View {
  const shown = new WeakMap<Slot, Shown>();
  let planned: Urgency | undefined;
  let failure: string | undefined;

  function stateOf(slot: Slot): Shown {
    const state = shown.get(slot) ?? { turn: 0, abort: undefined, answer: undefined };
    shown.set(slot, state);
    return state;
  }

  async function fill(slot: Slot, urgency: Urgency): Promise<void> {
    const from = source();
    if (from === undefined) {
      if (failure !== undefined) show(slot, `error-${failure}`, []);
      return;
    }
    const state = stateOf(slot);
    const turn = ++state.turn;
    const isCurrent = () => state.turn === turn && host.slots.has(slot);
    try {
      state.abort?.abort();
      state.abort = new AbortController();
      slot.frame.section.setAttribute('aria-busy', 'true');
      const { signal } = state.abort;
      const strategy = from.strategyFor(slot.strategy);
      if (strategy === 'none') {
        show(slot, 'empty', []);
        slot.frame.message?.replaceChildren();
        return;
      }
      const served = slot.frame.list ? undefined : await import('./server-rendered');
      const context = { host, signal, served, strategy };
      const item = await from.pageItem();
      const suggestions = await suggestionsFor(slot, from.recommender, item, from.options, context);
      await nextTask(); // yield to the page between the answer and the cards
      if (urgency === 'better') await untilLeft(slot.element, isCurrent);
      if (!isCurrent()) return;
      show(slot, suggestions.length > 0 ? 'ready' : 'empty', suggestions, served?.showInPlace ?? showCards);
      if (!slot.element.hasAttribute('reasons')) return;
      host.guard('The reasons', async () =>
        (await import('./reasons')).giveReasons(slot, from.recommender, suggestions, isCurrent),
      );
    } catch (error) {
      const code = error instanceof RecommenderError ? error.code : 'engine-lost';
      if (!isCurrent() || code === 'aborted' || code === 'disposed') return;
      host.warn('there are no suggestions.', error);
      show(slot, `error-${code}`, []);
    }
  }

  /** Shows the suggestions, or why there are none, and reports a change to the page. */
  function show(slot: Slot, now: SlotState, suggestions: readonly Suggestion[], put?: typeof showCards): void {
    host.setState(slot, now); // first: what follows may fail in a page that has replaced globals
    const state = stateOf(slot);
    const answer = JSON.stringify([now, suggestions.map(({ score, ...suggestion }) => suggestion)]);
    if (state.answer === answer) return;
    state.answer = answer;
    if (put !== undefined) {
      put(host, slot, suggestions);
      slot.suggestions = suggestions;
      host.onShown?.(slot);
    }
    host.dispatchUpdate(slot, now, suggestions);
  }

  function stop(slot: Slot): void {
    const state = stateOf(slot);
    state.turn++;
    state.abort?.abort();
  }

  function refresh(slot: Slot, urgency: Urgency): void {
    host.guard('A slot', () => fill(slot, urgency));
  }

  return {
    refresh,
    changed(slot) {
      host.redraw(slot);
      refresh(slot, 'asked');
    },
    refreshSoon(urgency) {
      const isPlanned = planned !== undefined;
      if (planned !== 'asked') planned = urgency;
      if (isPlanned) return;
      setTimeout(() => {
        const chosen = planned ?? urgency;
        planned = undefined;
        for (const slot of host.slots) refresh(slot, chosen);
      }, 0);
    },
    stop,
    failAll(code) {
      failure = code;
      for (const slot of host.slots) {
        host.guard('A slot', () => {
          stop(slot);
          show(slot, `error-${code}`, []);
        });
      }
    },
  };
}

/** Waits while the focus is inside, so that cards do not change while the visitor uses them. */
async function untilLeft(element: HTMLElement, isCurrent: () => boolean): Promise<void> {
  while (isCurrent() && element.matches(':focus-within')) {
    await new Promise((left) => element.addEventListener('focusout', left, { once: true }));
    await nextTask(); // the focus may only have moved to the next card
  }
}
