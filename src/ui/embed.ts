/**
 * `embed.js`: the script of a tag, which loads the rest when a slot is near or the page is idle.
 *
 *     <script type="module" src="/aisle/embed.js" data-model-url="/models/shop/"></script>
 *     <aisle-recommendations limit="8" strategy="for-you"></aisle-recommendations>
 */
import { startLazily } from './lazy-start';
import { guard, open } from './loader';

export type { Aisle, AisleCommand, Commands, EmbedOptions, SlotAttributes, SlotState } from './types';

// A page is rendered on a server too, where there is nothing to do.
if (typeof document !== 'undefined') guard('The start', () => open(import.meta.url, startLazily));
