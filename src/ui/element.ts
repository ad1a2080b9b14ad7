/** `<aisle-recommendations>`: reserves its space at once, and reports every change to the loaded part. */
import { draw } from './frame';
import { beforePaint } from './lazy-start';
import type { Host, Slot, SlotState, Suggestion } from './types';

export const TAG = 'aisle-recommendations';

/** Attributes whose change redraws a slot. */
export const ATTRIBUTES =
  'limit strategy item exclude heading heading-level lang fallback min empty hide diversity filter'.split(' ');

/**
 * Defines the element, which takes in the slots that are in the page already.
 *
 * @param live The slots that are in the page.
 * @param came Called with every slot that enters the page.
 */
export function defineElement(host: Host, live: Set<Slot>, came: (slot: Slot) => void): void {
  if (customElements.get(TAG) !== undefined) {
    host.warn(`<${TAG}> is defined by another script of this page, which is left alone.`);
    return;
  }
  /** A slot that is moved is the same when it comes back. */
  const known = new WeakMap<HTMLElement, Slot>();

  function enter(element: HTMLElement): void {
    let slot = known.get(element);
    if (!element.isConnected || live.has(slot!)) return; // it went, or came twice, before the paint
    if (slot === undefined) {
      slot = { element, suggestions: [], ...draw(element, host.pictures) };
      known.set(element, slot);
      setState(slot, 'loading');
    } else redraw(host, slot); // its attributes may have changed meanwhile
    live.add(slot);
    host.onSlot?.(slot, 'came');
    came(slot);
  }
  function leave(element: HTMLElement): void {
    const slot = known.get(element)!;
    if (live.delete(slot)) host.onSlot?.(slot, 'went');
  }
  function change(element: HTMLElement): void {
    const slot = known.get(element)!;
    if (!live.has(slot)) return;
    if (host.onSlot) host.onSlot(slot, 'changed');
    else redraw(host, slot);
  }

  let isDefined = false;
  customElements.define(
    TAG,
    class extends HTMLElement {
      static readonly observedAttributes = ATTRIBUTES;
      connectedCallback(): void {
        const come = () => host.guard(`<${TAG}>`, () => enter(this));
        if (isDefined) come();
        else beforePaint(come); // a page full of slots would be drawn in the one task that defines them
      }
      disconnectedCallback(): void {
        host.guard(`<${TAG}>`, () => leave(this));
      }
      attributeChangedCallback(_: string, before: string | null, after: string | null): void {
        if (before !== after) host.guard(`<${TAG}>`, () => change(this));
      }
    },
  );
  isDefined = true;
  // What the shop's server has rendered into a slot comes after its start tag, where this script may have run.
  addEventListener('DOMContentLoaded', () => {
    for (const { element } of live) host.guard(`<${TAG}>`, () => change(element));
  });
}

export function redraw(host: Host, slot: Slot): void {
  Object.assign(slot, draw(slot.element, host.pictures, slot));
}

/** Sends the page the event `aisle-recommendations` with what the slot shows. */
export function dispatchUpdate({ element }: Slot, state: SlotState, suggestions: readonly Suggestion[]): void {
  const items = suggestions.map(({ id, score, reason }) => ({ itemId: id, score, reason }));
  element.dispatchEvent(new CustomEvent('aisle-recommendations', { bubbles: true, detail: { state, items } }));
}

export function setState({ element, frame, texts }: Slot, state: SlotState): void {
  const { section, list, message } = frame;
  const isBusy = state === 'loading';
  if (element.getAttribute('data-aisle-state') !== state) element.setAttribute('data-aisle-state', state);
  section.classList.toggle('busy', isBusy);
  section.setAttribute('aria-busy', String(isBusy));
  if (list === undefined) return; // the shop's own products stay
  // The shown suggestions are still good if newer ones fail.
  const isShown = isBusy || state === 'ready' || (state !== 'empty' && list.querySelector('a') !== null);
  // What is hidden keeps the place of what did not come.
  list.classList.toggle('quiet', !isShown);
  message!.textContent = isShown ? '' : state === 'empty' ? texts.empty : texts.failed;
}
