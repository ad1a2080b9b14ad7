/**
 * What other models would suggest for the same visit: each is a recommender with a worker of its own. It starts when the visitor
 * wants to see it and ends when it is not shown any more. It keeps the visit in memory, because it has no consent to store anything.
 */
import { createRecommender, type RankedItem, type Recommender } from '../index';
import { textOf } from './dom';
import type { Model } from './shop';
import { SESSION_GAP, type Visit, type VisitOptions } from './visit';

/** Items to ask for: more than are shown, since some may not be on sale. */
export const ASKED = 40;

/** One of the models that are compared, and its answer. */
export interface Contender {
  readonly model: Model;
  /** Undefined until it has answered. */
  readonly items: readonly RankedItem[] | undefined;
  /** Time of the newest inference. */
  readonly milliseconds: number | undefined;
  /** A sentence if it could not be loaded, or failed. */
  readonly failure: string | undefined;
}

export interface Comparison {
  /** In the order in which they were chosen. */
  readonly contenders: readonly Contender[];
  /** Loads the new ones with these options, one after another, and ends the others. */
  choose(models: readonly Model[], options: VisitOptions): void;
  /** Asks each for what follows the visit, unless it has answered for the same events. */
  askAbout(visit: Visit): Promise<void>;
}

type Event = { readonly itemId: string; readonly event: string; readonly time: number };

type Running = { -readonly [K in keyof Contender]: Contender[K] } & {
  readonly options: VisitOptions;
  readonly recommender: Promise<Recommender>;
  /** Events that it knows. */
  tracked: readonly Event[];
  /** The visit of the last request, as text. */
  lastVisit: string;
};

/** @param changed Called after every change of a contender. */
export function openComparison(changed: () => void): Comparison {
  let running: readonly Running[] = [];
  let events: readonly Event[] = [];
  let newest: readonly string[] = [];
  /** Settles when the earlier models are loaded or have failed: a device should not load nine at a time. */
  let loading: Promise<unknown> = Promise.resolve();

  const isWanted = (contender: Running): boolean => running.includes(contender);

  function start(model: Model, options: VisitOptions): Running {
    const { modelUrl } = model;
    const create = () => {
      if (!isWanted(contender)) throw new Error('It was let go before it was loaded.');
      return createRecommender({ modelUrl, ...options, consent: 'manual', sessionGap: SESSION_GAP });
    };
    const recommender = loading.then(create);
    const nothing = { items: undefined, milliseconds: undefined, failure: undefined };
    const contender: Running = { ...nothing, model, options, recommender, tracked: [], lastVisit: '' };
    const load = async (created: Recommender): Promise<void> => {
      created.on('recommendations', ({ milliseconds }) => {
        contender.milliseconds = milliseconds;
      });
      await created.retry(); // settles when the model is loaded
    };
    loading = recommender.then(load).catch((error) => failed(contender, error));
    return contender;
  }

  function end(contender: Running): void {
    contender.recommender.then((recommender) => recommender.dispose()).catch(() => {}); // it never started
  }

  function failed(contender: Running, error: unknown): void {
    if (!isWanted(contender)) return;
    contender.failure = textOf(error);
    changed();
  }

  async function askOne(contender: Running): Promise<void> {
    const question = JSON.stringify([events, newest]);
    if (contender.lastVisit === question) return;
    contender.lastVisit = question;
    const recommender = await contender.recommender;
    if (contender.lastVisit !== question || !isWanted(contender)) return; // the visit has gone on
    for (const event of events.slice(contender.tracked.length)) recommender.track(event);
    contender.tracked = events;
    const items = await recommender.recommend({ k: ASKED, exclude: newest });
    if (contender.lastVisit !== question || !isWanted(contender)) return;
    contender.items = items;
    contender.failure = undefined;
    changed();
  }

  function askAll(): void {
    for (const contender of running) askOne(contender).catch((error) => failed(contender, error));
  }

  /** Whether a contender knows nothing but a beginning of these events. What it knows beyond that was erased. */
  const isAhead = ({ tracked }: Running): boolean =>
    JSON.stringify(events.slice(0, tracked.length)) !== JSON.stringify(tracked);

  function replace(next: readonly Running[]): void {
    for (const contender of running) if (!next.includes(contender)) end(contender);
    running = next;
    askAll();
  }

  return {
    get contenders() {
      return running;
    },
    choose(models, options) {
      const isSame = (contender: Running, model: Model) =>
        contender.model === model && JSON.stringify(contender.options) === JSON.stringify(options);
      replace(models.map((model) => running.find((contender) => isSame(contender, model)) ?? start(model, options)));
    },
    async askAbout(visit) {
      const { sessions } = (await visit.known()) ?? { sessions: [] };
      events = sessions.flat().map(({ itemId, event, time }) => ({ itemId, event, time: Date.parse(time) }));
      newest = visit.session.slice(-1); // a shop does not suggest the product on show
      replace(running.map((one) => (isAhead(one) ? start(one.model, one.options) : one)));
    },
  };
}
