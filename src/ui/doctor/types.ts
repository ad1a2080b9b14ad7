/** What the doctor finds. Types only. */
import type { ModelInfo } from '../../engine/types';
import type { Consent, ConsentWords } from '../../recommender/privacy-types';
import type { Degradation, IdCounts, Status } from '../../recommender/types';
import type { StorageState } from '../../store/event-store';
import type { Candidate } from '../../types';

/** `error`: no suggestions, or wrong ones. `warning`: suggestions with less, later or stale. `ok`: as it should be, or something to know. */
export type Severity = 'error' | 'warning' | 'ok';

export interface Finding {
  /** Stable. */
  readonly code: string;
  readonly severity: Severity;
  /** What is so: a fixed sentence, in which numbers alone are of the page. */
  readonly what: string;
  /** What to do: fixed likewise. Absent where nothing is. */
  readonly todo?: string;
  /** More of it, in the words of the page: may have ids and addresses. */
  readonly detail?: string;
}

/** A candidate, and the item of the model that it names by itself. */
export interface FoundCandidate extends Candidate {
  readonly item: string | null;
}

export interface SlotFacts {
  /** As `data-aisle-state` of the slot has it. */
  readonly state: string;
  /** As it is written. */
  readonly strategy: string;
  /** What the visitor’s variant asks instead; `none` shows nothing. */
  readonly variant?: string;
  /** Its attribute `item`, if it has one. */
  readonly item?: string;
  /** How many products it asks for, and how many it shows. */
  readonly asked: number;
  readonly shown: number;
}

/** The first 10,000 products of the catalogue, and how many of them a slot may not show, for the first of these reasons. */
export interface CatalogueFacts {
  readonly products: number;
  /** Not available. */
  readonly soldOut: number;
  /** Left out by the page's function `product`. */
  readonly leftOut: number;
  /** Without an address, or with one that is not allowed. */
  readonly withoutLink: number;
  /** Of those that may be shown: with a link that leads to the page of another product, but for a place inside it. */
  readonly sameLink: number;
  /** Without a picture that `data-images` lets pass. */
  readonly withoutPicture: number;
}

/** Something of Aisle that the page's security policy has blocked. */
export interface Violation {
  readonly directive: string;
  /** An address, or a word such as `wasm-eval`. */
  readonly blocked: string;
}

/** The object under `aisle.doctor`. It is about this page, and stays in it. */
export interface Examination {
  /** Of Aisle. */
  readonly version: string;
  /** The worst first. */
  readonly findings: readonly Finding[];
  readonly product: {
    /** What the page calls its product, best first. */
    readonly candidates: readonly FoundCandidate[];
    /** The item of the model that they name together; null if the model knows none of them. */
    readonly item: string | null;
    /** If the model knows none: an id of the model that is spelt like the first. */
    readonly nearest: string | undefined;
  };
  /** What the data layer says of products, and how many other entries it has. */
  readonly dataLayer: {
    readonly events: readonly { readonly event: string; readonly ids: readonly string[] }[];
    readonly others: number;
  };
  readonly ids: IdCounts;
  readonly consent: {
    readonly answer: Consent;
    readonly by: ConsentWords;
    /** Types of Consent Mode that the page sets. */
    readonly types: Readonly<Record<string, ConsentType>>;
  };
  readonly engine: Status['engine'];
  readonly model: ModelInfo | undefined;
  /** Absent without a model. */
  readonly catalogue: CatalogueFacts | undefined;
  readonly slots: readonly SlotFacts[];
  readonly storage: StorageState;
  readonly violations: readonly Violation[];
  /** Files of Aisle and of the model that this page has loaded. */
  readonly files: {
    readonly count: number;
    /** Over the wire, and after decompression. Files in the browser's cache count 0. */
    readonly bytes: number;
    readonly decodedBytes: number;
    /** Addresses that answered with an error. */
    readonly failed: readonly string[];
  };
  readonly degraded: readonly Degradation[];
  /** What was reported on the console. */
  readonly console: readonly string[];
  /** The same as a text to pass on: without ids of products or visitors, and without addresses. */
  readonly report: string;
}

export interface ConsentType {
  readonly update?: 'granted' | 'denied';
  readonly default?: 'granted' | 'denied';
}
