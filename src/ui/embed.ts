/**
 * `embed.js`: the small part that a page loads at once. It holds the places of the slots, and loads the rest (`page.ts`)
 * when a slot is near or the page is idle. Nothing that happens here or later throws into the page.
 *
 *     <script type="module" src="/aisle/embed.js" data-model-url="/models/shop/"></script>
 *     <aisle-recommendations limit="8" strategy="for-you"></aisle-recommendations>
 */
import type { Recommender } from '../recommender/types';
import { defineElement, dispatchUpdate, redraw, setState } from './element';
import { placeholder } from './frame';
import { startLazily } from './lazy-start';
import { node } from './node';
import { takeQueue } from './queue';
import { applyStyles } from './sheet';
import type { Aisle, Host, Slot } from './types';
import { warnings } from './warnings';

export type { Aisle, AisleCommand } from './types';

declare global {
  interface Window {
    aisle?: Aisle;
  }
  /** There as soon as a script of the page has run `window.aisle ||= []`. */
  var aisle: Aisle;
}

const { warn, guard } = warnings();

/** A module does not know its own tag: it is the one with this script's address, or that carries the options. */
function ownTag(url: string): HTMLElement | undefined {
  const tags = document.querySelectorAll<HTMLScriptElement>('script[data-model-url]');
  let found: HTMLElement | undefined;
  for (let i = tags.length; i-- > 0; ) if (found === undefined || tags[i]!.src === url) found = tags[i];
  return found;
}

function start(url: string): void {
  const aisle = takeQueue();
  if (aisle === undefined) {
    warn('embed.js is in this page twice; the first one runs.');
    return;
  }
  let settle: Host['settle'] = () => {};
  aisle.ready = new Promise<Recommender | undefined>((resolve) => {
    settle = resolve;
  });
  const slots = new Set<Slot>();
  const script = ownTag(url);
  const host: Host = {
    aisle,
    script,
    slots,
    pictures: script?.getAttribute('data-images') !== 'none',
    settle,
    warn,
    guard,
    setState,
    dispatchUpdate,
    node,
    placeholder,
    applyStyles,
    redraw: (slot) => redraw(host, slot),
  };
  function failed(error: unknown): void {
    warn('embed.js could not load or start what stands beside it.', error);
    host.onSlot = (slot, change) => {
      if (change === 'changed') redraw(host, slot);
      if (change !== 'came') return;
      setState(slot, 'error-script');
      dispatchUpdate(slot, 'error-script', []);
    };
    for (const slot of slots) guard('A slot', () => host.onSlot?.(slot, 'came'));
    settle(undefined);
  }
  const watch = startLazily(guard, () =>
    import('./page').then(({ startPage }) => startPage(host)).then(undefined, failed),
  );
  guard('<aisle-recommendations>', () => defineElement(host, slots, watch));
}

// A page is rendered on a server too, where there is nothing to do.
if (typeof document !== 'undefined') guard('The start', () => start(import.meta.url));
