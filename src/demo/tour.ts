/**
 * A returning shopper, played: a visitor of the simulator whom the model has not met, in a recommender of its own. What is shown is
 * what the library reports; the gate decides by its own rule.
 */
import { createRecommender, type LearningStatus, type RankedItem, type Recommender } from '../index';
import { getJson, type Shop } from './shop';
import type { VisitOptions } from './visit';

/** `visitor.json`, as `test/demo/visitor.ts` writes it. */
export interface VisitorFile {
  /** Visitors of the simulator who come as often, and for how many of them the gate opens before their last visit ends. */
  readonly visitors: number;
  readonly opened: number;
  /** Events of each visit; times in seconds since the first. */
  readonly visits: readonly (readonly ScriptedEvent[])[];
}

interface ScriptedEvent {
  readonly itemId: string;
  readonly event: string;
  readonly time: number;
}

/** One click of the last visit. */
export interface TourStep {
  readonly itemId: string;
  /** Its rank before it was learnt; absent where a page predicts nothing: of a visit's first click, and of a further step with one product. */
  readonly ranks?: { readonly base: number; readonly tuned: number };
  readonly evidence: number;
  readonly isOpen: boolean;
}

export interface Tour {
  readonly file: VisitorFile;
  readonly learning: LearningStatus | undefined;
  /** Clicks of the last visit so far. */
  readonly steps: readonly TourStep[];
  readonly isOver: boolean;
  /** Suggestions for the visitor as things stand, best first. */
  readonly suggested: readonly RankedItem[];
  /** Plays the next click: tracks it, and learns it. */
  next(): Promise<void>;
  /** Forgets what was learnt. */
  undo(): Promise<void>;
  /** Frees the model. */
  end(): void;
}

const SUGGESTED = 20;
/** Milliseconds after the newest event at which it is learnt: one of just now may have to wait for those of other tabs. */
const LATER = 1000;

/**
 * Loads the visitor and the model, and learns the earlier visits.
 *
 * @returns Undefined where the shop's model does not know what the visitor looks at.
 */
export async function openTour(shop: Shop, options: VisitOptions): Promise<Tour | undefined> {
  const file = await getJson<VisitorFile>(new URL('visitor.json', document.baseURI).href);
  if (!file.visits.flat().every(({ itemId }) => shop.known.has(itemId))) return undefined;
  const last = file.visits.at(-1)!;
  const start = Date.now() - 1000 * last.at(-1)!.time - LATER;
  let now = start;
  const recommender = await createRecommender({
    modelUrl: shop.model.modelUrl,
    backend: options.backend,
    consent: 'manual',
    now: () => now,
  });
  try {
    return await played(recommender);
  } catch (error) {
    void recommender.dispose();
    throw error;
  }

  async function played(recommender: Recommender): Promise<Tour> {
    function track({ itemId, event, time }: ScriptedEvent): void {
      const moment = start + 1000 * time;
      now = moment + LATER;
      recommender.track({ itemId, event, time: moment });
    }
    const suggest = async (): Promise<void> => {
      suggested = await recommender.recommend({ k: SUGGESTED });
    };
    const steps: TourStep[] = [];
    let suggested: readonly RankedItem[] = [];
    for (const event of file.visits.slice(0, -1).flat()) track(event);
    await recommender.fineTune();
    return {
      file,
      get learning() {
        return recommender.status.learning;
      },
      steps,
      get isOver() {
        return steps.length === last.length;
      },
      get suggested() {
        return suggested;
      },
      async next() {
        const event = last[steps.length];
        if (event === undefined) return;
        const before = recommender.status.learning?.gate.events ?? 0;
        track(event);
        const { gate, latest } = await recommender.fineTune();
        const predicted = gate.events > before ? latest.at(-1) : undefined;
        steps.push({
          itemId: event.itemId,
          ...(predicted && { ranks: { base: predicted.base.rank, tuned: predicted.tuned.rank } }),
          evidence: gate.evidence,
          isOpen: gate.isOpen,
        });
        await suggest();
      },
      async undo() {
        await recommender.taste.forget();
        await suggest();
      },
      end: () => void recommender.dispose(),
    };
  }
}
