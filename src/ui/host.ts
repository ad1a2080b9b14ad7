/** What the loader hands to the rest of the embed. Types only: the two parts share no module, so that each is one file. */
import type { Recommender } from '../recommender';
import type { Suggestion } from './suggestions';
import type { Texts } from './texts';

/**
 * `window.aisle`: an array of commands, before and after the script is there.
 *
 *     (window.aisle ||= []).push(['track', 'sku-42']);
 */
export interface Aisle extends Array<unknown> {
  /**
   * Resolves when the model is ready; also when it cannot be, with a recommender whose `status` says why, or with
   * undefined where none could be made or it was stopped before. It never rejects. A start after that makes another one.
   */
  ready: Promise<Recommender | undefined>;
  /** The page's recommender, as soon as there is one. */
  recommender?: Recommender | undefined;
}

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
  /** Whether cards have a place for a picture. */
  pictures: boolean;
  /** Settles `aisle.ready`. */
  readonly settle: (recommender: Recommender | undefined) => void;
  /** One line on the console for each problem, once. */
  warn(problem: string, error?: unknown): void;
  /** Runs what touches the page; what it throws is a warning. */
  guard(what: string, work: () => unknown): void;
  /** Says why a slot shows what it shows: in `data-aisle-state`, by `aria-busy`, and in words where it shows nothing. */
  setState(slot: Slot, state: SlotState): void;
  /** Sends the page the event `aisle-recommendations`: what the slot shows now. */
  tell(slot: Slot, state: SlotState, suggestions: readonly Suggestion[]): void;
  /** Reads the attributes of a slot again, and draws what shows them at once: the heading, the placeholders. */
  redraw(slot: Slot): void;
  /** Makes an element; `part` names it to the shop's style sheets. */
  node(tag: string, attributes: Readonly<Record<string, string>>, ...children: Node[]): HTMLElement;
  /** Makes what stands in the place of a card. */
  placeholder(): HTMLElement;
  /** Gives a shadow tree its looks. */
  dress(root: ShadowRoot, css: string): void;
  /** Set by what was loaded: a slot came, has changed, or went. */
  onSlot?: (slot: Slot, change: 'came' | 'changed' | 'went') => void;
}
