/**
 * What the loader hands to the rest of the embed, its options, and what slots show. Types only: the two parts share no module,
 * so that each is one file.
 */

import type { CatalogueItem } from '../checkpoint/artifact';
import type { Reason } from '../engine/types';
import type { EarlyPage } from '../page/page-product';
import type { LearnChoice } from '../recommender/learning-types';
import type { ConsentAnswer } from '../recommender/privacy-types';
import type { Recommender, RecommenderEvents, RecommenderOptions, TrackedEvent } from '../recommender/types';
import type { Examination } from './doctor/types';
import type { Texts } from './texts';

declare global {
  interface Window {
    aisle?: Aisle;
  }
  /** There as soon as a script of the page has run `window.aisle ||= []`. */
  var aisle: Aisle;
}

/** One product, ready to be shown. */
export interface Suggestion {
  readonly id: string;
  readonly href: string;
  readonly title: string;
  readonly brand: string | undefined;
  readonly price: string | undefined;
  readonly image: string | undefined;
  /** A delayed delivery, in words. */
  readonly note: string | undefined;
  readonly reason: Reason;
  readonly score: number;
}

/** The attributes of `<aisle-recommendations>`, besides those of any element. A word that is not known is named once on the console. */
export interface SlotAttributes {
  /** `for-you`, `related`, `popular`, `recent`, `bought-together` or `trending`. Default `for-you`. */
  readonly strategy?: string;
  /** Further strategies, which fill up what is missing, in this order: `popular recent`. Default: none. */
  readonly fallback?: string;
  /** How many products, 1 to 100. Default 8. */
  readonly limit?: number | string;
  /** With fewer products the slot is empty. Default 0. */
  readonly min?: number | string;
  /** Of an empty slot: `keep` keeps its place, `collapse` gives it back while it is below the window. Default `keep`. */
  readonly empty?: 'keep' | 'collapse';
  /** Shows only products that meet every condition: `category:Shoes price:..50 tag:new`. Default: all. */
  readonly filter?: string;
  /** At most so many products of a `brand`, `category` or `group`: `brand:2 category:3`. Default: any number. */
  readonly diversity?: string;
  /** `none`: products in the cart and bought ones are shown, too. Default: both are hidden. */
  readonly hide?: 'none';
  /** Id of the product that `related` relates to; it is not shown. Default: the product on show. */
  readonly item?: string;
  /** Ids never to show: `a,b` or a JSON list. Default: none. */
  readonly exclude?: string;
  /** The title; empty: none. Default: by strategy. */
  readonly heading?: string;
  /** Level of the title, 1 to 6. Default 2. */
  readonly 'heading-level'?: number | string;
  /** A line in each card: the click that made the product at least a quarter likelier. Default: off. */
  readonly reasons?: boolean | '';
  /** `row` scrolls sideways, `grid` wraps. Default `row`. */
  readonly layout?: 'row' | 'grid';
  /** Language of the texts, English or Korean, and of prices, any. Default: the nearest element's `lang`. */
  readonly lang?: string;
}

/** `data-model-url` on the script's tag is `modelUrl` here, and so on. */
export interface EmbedOptions extends RecommenderOptions {
  /** `auto`: tracks what the page's markup and data layer report (`src/page/`). `manual`: only commands. Default `auto`. */
  readonly track?: 'auto' | 'manual';
  /** `auto`: the model learns from the visitor when the page is idle. `manual`: by `fineTune`. Default `auto`. */
  readonly learn?: LearnChoice;
  /** The product that the page shows. What the page's markup and data layer call it counts only if the model does not know this. */
  readonly item?: string;
  /** Hosts that links may lead to, besides the page's own origin; `*.shop.example` allows every host below it. */
  readonly allowHosts?: string | readonly string[];
  /** Address of a product that has none in the catalogue: `/product/{id}`. */
  readonly itemUrl?: string;
  /**
   * What the page itself knows of a product, in place of what the artifact's catalogue says; undefined leaves it out. By
   * `start` alone: a tag cannot carry it. Default: the catalogue's word.
   */
  readonly product?: (product: CatalogueItem) => CatalogueItem | undefined;
  /** `ga4`: the page's data layer receives which suggestions were seen and chosen. Default: it receives nothing. */
  readonly analytics?: 'ga4';
  /**
   * Variants for an A/B test, `NAME:SHARE` or `NAME:SHARE:CHANGE`, such as `a:50 b:50:popular`. Default: no test.
   *
   * @see docs/ab-test.md
   */
  readonly variants?: string;
}

/** The options of a page, and those of its recommender. */
export interface PageOptions {
  readonly recommender: RecommenderOptions;
  readonly track: 'auto' | 'manual';
  readonly item: string | undefined;
  readonly dataLayer: string;
  readonly allowHosts: readonly string[];
  readonly itemUrl: string | undefined;
  readonly product: (product: CatalogueItem) => CatalogueItem | undefined;
  readonly analytics: 'ga4' | undefined;
  readonly variants: string | undefined;
}

/**
 * `window.aisle`: an array of commands, before and after the script is there.
 *
 * ```ts
 * (window.aisle ||= []).push(['track', 'sku-42']);
 * ```
 */
export interface Aisle extends Array<AisleCommand> {
  /**
   * Resolves when the model is ready; also when it cannot be, with a recommender whose `status` says why, or with
   * undefined where none could be made or it was stopped before. It never rejects. A start after that makes another one.
   * Absent until the script is there.
   */
  ready?: Promise<Recommender | undefined>;
  /** By itself for `on`, so that a listener's argument has the type of its event. */
  push<E extends keyof RecommenderEvents>(
    command: readonly ['on', event: E, listener: (detail: RecommenderEvents[E]) => void],
  ): number;
  push(...commands: AisleCommand[]): number;
  /** The page's recommender, as soon as there is one. */
  recommender?: Recommender | undefined;
  /** What the last `['doctor']` has found: `await aisle.doctor`. */
  doctor?: Promise<Examination>;
}

/** What each command is given. */
export interface Commands {
  /** Starts with these options, in place of the running ones. */
  start: [options: EmbedOptions];
  /** An event of the visitor: an item that was viewed, by its id, or anything else that `TrackedEvent` says. */
  track: [event: string | TrackedEvent];
  /** What the visitor has answered about storing. */
  consent: [answer: ConsentAnswer];
  /** Erases everything that is known of the visitor, in every tab. */
  erase: [];
  /** Records and learns nothing more until `resume`, in every tab. */
  pause: [];
  /** Ends a pause. */
  resume: [];
  /** Calls the listener at each event of the library, from now on. */
  on: {
    [E in keyof RecommenderEvents]: [event: E, listener: (detail: RecommenderEvents[E]) => void];
  }[keyof RecommenderEvents];
  /** Reads again which product the page shows. */
  page: [];
  /** What the page itself knows of products, such as their prices. */
  catalogue: [products: readonly CatalogueItem[]];
  /** Requests suggestions again for every slot. */
  refresh: [];
  /** Opens a panel that says what works, what does not, and what to do. `aisle.doctor` resolves with the same as an object. */
  doctor: [];
  /** Disposes of the recommender; shown suggestions stay. */
  stop: [];
}

/** A command in the array, such as `['track', 'sku-42']`. */
export type AisleCommand = { [C in keyof Commands]: readonly [command: C, ...args: Commands[C]] }[keyof Commands];

/** Elements inside a slot's shadow tree. */
export interface Frame {
  /** Around everything; `aria-busy` while the slot waits. */
  readonly section: HTMLElement;
  /** Absent where the shop's own cards are shown in place. */
  readonly list?: HTMLElement;
  readonly message?: HTMLElement;
}

/** One `<aisle-recommendations>` of the page. */
export interface Slot extends Drawn {
  readonly element: HTMLElement;
  /** What it shows. */
  suggestions: readonly Suggestion[];
  /** The answer that it shows, as text: it is not changed if the next one is the same. Absent before the first, and once that is gone. */
  shown?: string | undefined;
}

/** What a slot's attributes ask for, and the frame that was drawn for it. */
export interface Drawn {
  frame: Frame;
  texts: Texts;
  /** As the nearest `lang` says. */
  language: string;
  /** How many products: at least 1. */
  limit: number;
  /** As it is written; it may be no strategy at all. */
  strategy: string;
}

/** Why a slot shows what it shows, in `data-aisle-state`. The values are stable; after `error-` comes an `ErrorCode`. */
export type SlotState = 'loading' | 'ready' | 'empty' | 'error-script' | 'error-options' | `error-${string}`;

export interface Host {
  readonly aisle: Aisle;
  /** The `<script>` that carries the options; absent where the page starts the embed by a command. */
  readonly script: HTMLElement | undefined;
  readonly slots: ReadonlySet<Slot>;
  /** The page when `embed.js` ran: an application may show another one before the rest is loaded. */
  readonly early: EarlyPage;
  /** Whether cards have a place for a picture. */
  pictures: boolean;
  /** Settles `aisle.ready`. */
  readonly settle: (recommender: Recommender | undefined) => void;
  /** What was reported, by the problem. */
  readonly problems: ReadonlyMap<string, string>;
  /**
   * Loads a script of ours; after a failure, again when the network is back, like the model.
   *
   * @param onFailure Default: the slots say that the scripts cannot be loaded.
   */
  load<T>(script: () => Promise<T>, onFailure?: (error: unknown) => void): Promise<T>;
  /** One line on the console for each problem, once. */
  warn(problem: string, error?: unknown, level?: 'warn' | 'info'): void;
  /** Runs what touches the page; what it throws is a warning. */
  guard(what: string, work: () => unknown): void;
  /** Says why a slot shows what it shows: in `data-aisle-state`, by `aria-busy`, and in words where it shows nothing. */
  setState(slot: Slot, state: SlotState): void;
  /** Sends the page the event `aisle-recommendations` with what the slot shows. */
  dispatchUpdate(slot: Slot, state: SlotState, suggestions: readonly Suggestion[]): void;
  /** Reads the attributes of a slot again, and draws what shows them at once: the heading, the placeholders. */
  redraw(slot: Slot): void;
  /** Makes an element; `part` names it to the shop's style sheets. */
  node(tag: string, attributes: Readonly<Record<string, string>>, ...children: Node[]): HTMLElement;
  /** Makes the placeholder of a card. */
  placeholder(): HTMLElement;
  /** Applies styles to a shadow tree. */
  applyStyles(root: ShadowRoot, css: string): void;
  /** Set by what was loaded: a slot came, has changed, or went. */
  onSlot?: (slot: Slot, change: 'came' | 'changed' | 'went') => void;
  /** Set by what was loaded: a slot shows other suggestions. */
  onShown?: (slot: Slot) => void;
}
