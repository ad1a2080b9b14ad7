/**
 * Variants of a page for the shop's own A/B test: which of them a visitor sees, kept on the device. Loaded with `data-variants`.
 *
 *     a:50 b:50:popular c:10:none
 */

import { STRATEGIES } from '../recommender/arguments';
import { hasPrivacyControl } from '../recommender/consent';
import { VARIANT } from '../recommender/device-record';
import type { Recommender, RecommenderOptions } from '../recommender/types';
import { openSharedNote } from '../store/shared-note';
import { pushEvent } from './push-event';
import type { Host, Slot } from './types';

export interface Variant {
  readonly name: string;
  /** Its part of the visitors; the parts need not sum to 100. */
  readonly share: number;
  /** Folder of its model. Default: the page's. */
  readonly modelUrl?: string;
  /** What replaces a slot's strategy, by that strategy; `none` shows nothing. Under `*`: for every slot. */
  readonly strategies: Readonly<Record<string, string>>;
}

/** A running test. */
export interface Experiment {
  /** The model of the visitor's variant; absent where that has none of its own. */
  readonly model: { readonly modelUrl?: string };
  /** What a slot of this strategy is asked for. The first slot reports the variant to the data layer. */
  strategyFor(strategy: string): string;
  /** Draws a variant, once the device has stored an event, for the next page. @returns Stops. */
  attach(recommender: Recommender): () => void;
}

const NAME = /^[\w.-]{1,40}$/;

/**
 * Variants, separated by white space, each `NAME:SHARE`, and after another colon what it changes: a model's folder, which has a `/`,
 * `none`, a strategy in place of `for-you`, or `related=popular`.
 *
 * @throws RangeError for anything else.
 */
export function variantsOf(text: string): readonly Variant[] {
  const variants = text.trim().split(/\s+/).map(variantOf);
  const names = new Set(variants.map(({ name }) => name));
  if (variants.length < 2 || names.size < variants.length) {
    throw new RangeError(`variants: expected two or more of different names, got "${text}".`);
  }
  return variants;
}

function variantOf(text: string): Variant {
  const [, name = '', part = '', change = ''] = /^([^:]*):([^:]*)(?::(.*))?$/.exec(text) ?? [];
  const share = Number(part);
  const wrong = (expected: string) => new RangeError(`variants: expected ${expected}, got "${text}".`);
  if (!NAME.test(name) || !(share > 0 && share < Number.POSITIVE_INFINITY)) {
    throw wrong('NAME:SHARE or NAME:SHARE:CHANGE, the share a number above 0, such as b:50:popular');
  }
  if (change === '') return { name, share, strategies: {} };
  if (change.includes('/')) return { name, share, modelUrl: change, strategies: {} };
  if (change === 'none') return { name, share, strategies: { '*': 'none' } };
  const [to, from = 'for-you'] = change.split('=').reverse() as [string, string?];
  const all: readonly string[] = STRATEGIES;
  if (!all.includes(from) || !(to === 'none' || all.includes(to))) {
    throw wrong(`a change that is none, a folder with a /, or one of ${all.join(', ')}`);
  }
  return { name, share, strategies: { [from]: to } };
}

/** @param random From 0 to below 1. */
export function drawn(variants: readonly Variant[], random: number): Variant {
  let left = random * variants.reduce((sum, { share }) => sum + share, 0);
  return variants.find(({ share }) => {
    left -= share;
    return left < 0;
  })!;
}

/** An empty slot looks as if there were none; its place stays. */
export function leaveEmpty({ frame: { message, section } }: Slot): void {
  message?.replaceChildren();
  section.querySelector<HTMLElement>('#heading')?.style.setProperty('visibility', 'hidden');
}

/**
 * The variant is read before the page's sources of consent have answered, because it decides which model is loaded. It is
 * there only if the visitor has agreed before, and a denial erases it. Where the visitor is known to deny, it is not read.
 *
 * @throws RangeError for a wrong `text`.
 */
export async function openExperiment(
  text: string,
  { guard }: Host,
  dataLayer: string,
  consent: RecommenderOptions['consent'],
): Promise<Experiment> {
  const variants = variantsOf(text);
  /** Visitors are drawn again for a test with other names. */
  const test = variants.map(({ name }) => name).join(' ');
  const note = openSharedNote(VARIANT);
  const isDenied = consent === 'denied' || hasPrivacyControl();
  const variantIn = (stored: unknown): Variant | undefined => {
    const { test: of, variant } = Object(stored) as { readonly test?: unknown; readonly variant?: unknown };
    return of === test ? variants.find(({ name }) => name === variant) : undefined;
  };
  // What cannot be read is not drawn again.
  const own = isDenied ? undefined : variantIn(await note.read().catch(() => undefined));
  let isDrawn = own !== undefined;
  let isReported = false;
  return {
    model: own?.modelUrl === undefined ? {} : { modelUrl: own.modelUrl },
    strategyFor(strategy) {
      if (own === undefined) return strategy;
      if (!isReported) {
        isReported = true;
        const exp_variant_string = `AISLE-${test.replaceAll(' ', '_')}-${own.name}`;
        guard('The data layer', () => pushEvent(dataLayer, 'experience_impression', { exp_variant_string }));
      }
      return own.strategies['*'] ?? own.strategies[strategy] ?? strategy;
    },
    attach(recommender) {
      const stops = [
        recommender.on('stored', () => {
          if (isDrawn) return;
          isDrawn = true;
          const [random] = crypto.getRandomValues(new Uint32Array(1));
          const variant = drawn(variants, random! / 2 ** 32).name;
          note
            .draw((stored) => variantIn(stored) !== undefined, { test, variant })
            .catch(() => {
              isDrawn = false; // the next event tries again
            });
        }),
        recommender.on('erased', () => {
          isDrawn = false;
        }),
      ];
      return () => {
        for (const stop of stops) stop();
        note.close();
      };
    },
  };
}
