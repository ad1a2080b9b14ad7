/** Shows recommendations in each slot, or why there are none. */
import { CapturedAbortController, stringify } from '../captured';
import { RecommenderError } from '../errors';
import { planSlots } from '../page/plan-slots';
import { showCards } from './cards';
import { ask, nextTask, requestOf, type Source, suggestionsOf } from './suggestions';
import type { Host, Slot, SlotState, Suggestion } from './types';

/** Windows in which rows have arrows. */
const WIDE = '(min-width: 48em)';

/** Why a slot is updated: the page requested it, or the answer has merely improved. */
export type Urgency = 'asked' | 'better';

export interface View {
  /** Applies the changed attributes of a slot, and requests suggestions again. */
  changed(slot: Slot): void;
  /** Requests suggestions again for every slot, once for many calls in a row. */
  refreshSoon(urgency: Urgency): void;
  /** There is nothing to ask, and why; until there is. */
  failAll(code: string): void;
}

/** @param source What to ask; undefined while there is nothing to ask. */
export function createView(host: Host, source: () => Source | undefined): View {
  let planned: Urgency | undefined;
  let failure: string | undefined;
  /** Ends the running plan. */
  let abort = new CapturedAbortController();

  /** Plans all slots together, in the order of the document. */
  async function plan(urgency: Urgency): Promise<void> {
    // 2: the other one precedes.
    const slots = [...host.slots].sort((a, b) => (a.element.compareDocumentPosition(b.element) & 2) - 1);
    const from = source();
    if (!from) {
      if (failure) failAll(failure);
      return;
    }
    if (slots.length === 0) return;
    abort = new CapturedAbortController();
    const { signal } = abort;
    const isCurrent = (slot: Slot) => !signal.aborted && host.slots.has(slot);
    // Cards do not change while the visitor uses them.
    const isUsed = (slot: Slot) => (urgency === 'better' || !slot.shown) && slot.element.matches(':focus-within');
    const failed = (slot: Slot, error: unknown) => {
      const code = error instanceof RecommenderError ? error.code : 'engine-lost';
      if (!isCurrent(slot) || code === 'aborted' || code === 'disposed') return;
      host.warn('there are no suggestions.', error);
      show(slot, `error-${code}`, []);
    };
    const filled: [slot: Slot, strategy: string][] = [];
    try {
      const { recommender } = from;
      const kept: string[] = [];
      for (const slot of slots) {
        const isKept = isUsed(slot);
        slot.frame.section.setAttribute('aria-busy', String(!isKept));
        if (isKept) {
          kept.push(...slot.suggestions.map(({ id }) => id));
          slot.element.addEventListener('focusout', () => refreshSoon('better'), { once: true });
          continue;
        }
        // Before anything waits for the model: a variant whose model fails reports its exposure, too, and `none` stays empty.
        const strategy = from.strategyFor(slot.strategy);
        if (strategy === 'none') {
          show(slot, 'empty', []);
          host.guard('A slot', async () => (await import('./variants')).leaveEmpty(slot));
        } else filled.push([slot, strategy]);
      }
      const item = await from.pageItem();
      const { cart, bought } = await recommender.basket();
      const filling = { ...from, host, rules: await recommender.rules(), pageItem: item, signal };
      const requests = await Promise.all(
        filled.map(async ([slot, name]) => {
          try {
            return await requestOf(slot, name, filling);
          } catch (error) {
            failed(slot, error);
            return [];
          }
        }),
      );
      await planSlots(
        requests.flat(),
        { basket: [...cart, ...bought], onShow: [item ?? [], kept].flat() },
        (request, strategy, exclude) => ask(request, strategy, exclude, filling),
        async (request, items) => {
          const { slot, served } = request;
          try {
            const suggestions = await suggestionsOf(await items, request, filling);
            await nextTask(); // yield to the page between the answer and the cards
            if (!isCurrent(slot)) return;
            if (isUsed(slot)) return refreshSoon('better'); // from now on: the next plan keeps it
            show(slot, suggestions.length > 0 ? 'ready' : 'empty', suggestions, served?.showInPlace ?? showCards);
            if (!slot.element.hasAttribute('reasons')) return;
            host.guard('The reasons', async () =>
              (await import('./reasons')).giveReasons(slot, recommender, suggestions, () => isCurrent(slot)),
            );
          } catch (error) {
            failed(slot, error);
          }
        },
      );
    } catch (error) {
      for (const [slot] of filled) failed(slot, error);
    }
  }

  /** Shows the suggestions, or why there are none, and reports a change to the page. */
  function show(slot: Slot, now: SlotState, suggestions: readonly Suggestion[], put?: typeof showCards): void {
    host.setState(slot, now); // first: what follows may fail in a page that has replaced globals
    const { element } = slot;
    if (element.getAttribute('empty') === 'collapse') {
      host.guard('A slot', async () => (await import('./collapse')).collapse(slot));
    }
    const answer = stringify([now, suggestions.map(({ score, ...suggestion }) => suggestion)]);
    if (slot.shown === answer) return;
    slot.shown = answer;
    if (put) {
      put(host, slot, suggestions);
      slot.suggestions = suggestions;
      host.onShown?.(slot);
    }
    host.dispatchUpdate(slot, now, suggestions);
    if (put !== showCards) return;
    host.guard('Arrows', async () => matchMedia(WIDE).matches && (await import('./arrows')).showArrows(host, slot));
  }

  function refreshSoon(urgency: Urgency): void {
    abort.abort(); // what is planned now is out of date
    if (planned !== 'asked') planned = urgency;
    // With each call: the page may have replaced the function when an earlier one was made.
    setTimeout(() => {
      if (!planned) return;
      const chosen = planned;
      planned = undefined;
      host.guard('The slots', () => plan(chosen));
    }, 0);
  }

  function failAll(code: string): void {
    failure = code;
    abort.abort();
    for (const slot of host.slots) host.guard('A slot', () => show(slot, `error-${code}`, []));
  }

  return {
    changed(slot) {
      host.redraw(slot);
      refreshSoon('asked');
    },
    refreshSoon,
    failAll,
  };
}
