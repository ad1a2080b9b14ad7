/**
 * `aisle/element`: what `embed.js` does, for a page that a bundler builds. Importing it defines `<aisle-recommendations>`; `start`
 * loads the rest, and with it `<aisle-privacy>`. On a server neither does anything.
 *
 *     import { start } from 'aisle/element';
 *     start({ modelUrl: '/models/shop/' });
 */
import type { Recommender } from '../recommender/types';
import { guard, open } from './loader';
import type { Aisle, EmbedOptions } from './types';

export type { Recommender } from '../recommender/types';
export type { Aisle, AisleCommand, EmbedOptions, SlotAttributes } from './types';

const isPage = typeof document !== 'undefined';
let queue: Aisle | undefined;
let load = () => {};

if (isPage) {
  guard('The start', () => {
    queue = open(import.meta.url, (_, loadRest) => {
      load = loadRest;
      return () => {};
    });
  });
}

/**
 * Starts the recommender of the page, or starts it again with other options, as the command `start` of `window.aisle` does.
 *
 * @returns `aisle.ready`: the recommender once its model is loaded; undefined if that fails, which the slots and the console
 *   report, and on a server.
 */
export function start(options: EmbedOptions): Promise<Recommender | undefined> {
  if (!isPage) return Promise.resolve(undefined);
  guard('The start', () => {
    queue ??= aisle; // of `embed.js`, which came first
    queue.push(['start', options]);
  });
  load();
  load = () => {};
  return Promise.resolve(queue?.ready);
}
