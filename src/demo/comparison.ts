/**
 * What other models would suggest for the same visit: each computes in a worker of its own, which is started when somebody
 * wants to see it and ended when nobody does. Nothing of it is stored.
 */

import type { BackendChoice } from '../compute/types';
import type { EngineEvent, ModelInfo, RankedItem } from '../engine/types';
import { reasonOf } from '../errors';
import { VisitorHistory } from '../session/visitor-history';
import { startWorkerEngine, type WorkerEngine } from '../worker/client';
import type { Model } from './shop';
import { SESSION_GAP, type Visit } from './visit';

/** So many are asked for, since some may not be on sale. */
export const ASKED = 40;

/** One of the models that are compared, and what it answers. */
export interface Contender {
  readonly model: Model;
  /** Known once it is loaded. */
  readonly info: ModelInfo | undefined;
  /** Undefined until it has answered. */
  readonly items: readonly RankedItem[] | undefined;
  /** Time of the newest inference. */
  readonly milliseconds: number | undefined;
  /** A sentence where it could not be loaded, or failed. */
  readonly failure: string | undefined;
}

export interface Comparison {
  /** In the order in which they were chosen. */
  readonly contenders: readonly Contender[];
  /** Loads those that are new on this backend, one after another, and lets the others go. */
  choose(models: readonly Model[], backend: BackendChoice): void;
  /** Asks each for what follows what the shop's own model reads of the visit, unless it was asked just that. */
  askAbout(visit: Visit): Promise<void>;
}

type Running = { -readonly [K in keyof Contender]: Contender[K] } & {
  readonly backend: BackendChoice;
  readonly engine: WorkerEngine;
  readonly ready: Promise<void>;
  /** The clicks that it was asked about last, as text. */
  asked: string;
};

/** @param changed Called after every change of a contender. */
export function openComparison(workerUrl: string, changed: () => void): Comparison {
  let running: readonly Running[] = [];
  let clicks: readonly EngineEvent[] = [];
  /** Fulfilled when the models before are loaded, or have failed: a device should not load nine at a time. */
  let loading: Promise<unknown> = Promise.resolve();

  const isWanted = (contender: Running): boolean => running.includes(contender);

  function start(model: Model, backend: BackendChoice): Running {
    const engine = startWorkerEngine({ workerUrl });
    const load = async (): Promise<void> => {
      if (!isWanted(contender)) return;
      contender.info = await engine.load({ modelUrl: model.modelUrl, backend });
      changed();
    };
    const ready = loading.then(load);
    const nothing = { info: undefined, items: undefined, milliseconds: undefined, failure: undefined };
    const contender: Running = { ...nothing, model, backend, engine, ready, asked: '' };
    loading = ready.catch((error) => failed(contender, error));
    return contender;
  }

  function failed(contender: Running, error: unknown): void {
    if (!isWanted(contender)) return; // it was let go
    contender.failure = reasonOf(error);
    changed();
  }

  async function askOne(contender: Running): Promise<void> {
    const question = JSON.stringify(clicks.map(({ itemId }) => itemId));
    if (contender.asked === question) return;
    contender.asked = question;
    const session = clicks;
    await contender.ready;
    if (contender.asked !== question || !isWanted(contender)) return; // the visit has gone on
    // A shop does not suggest the product on show.
    const exclude = session.slice(-1).map(({ itemId }) => itemId);
    const now = session.at(-1)?.time ?? 0;
    const answer = await contender.engine.recommend({ session, k: ASKED, exclude, now });
    if (contender.asked !== question || !isWanted(contender)) return;
    contender.items = answer.items;
    contender.milliseconds = answer.milliseconds;
    contender.failure = undefined;
    changed();
  }

  function askAll(): void {
    for (const contender of running) askOne(contender).catch((error) => failed(contender, error));
  }

  return {
    get contenders() {
      return running;
    },
    choose(models, backend) {
      const kept = running.filter((contender) => contender.backend === backend && models.includes(contender.model));
      const gone = running.filter((contender) => !kept.includes(contender));
      running = models.map((model) => kept.find((contender) => contender.model === model) ?? start(model, backend));
      for (const { engine } of gone) void engine.dispose();
      askAll();
    },
    async askAbout(visit) {
      const reader = new VisitorHistory({ gap: 60 * SESSION_GAP, history: visit.options.history });
      const { sessions } = (await visit.known()) ?? { sessions: [] };
      const events = sessions.flat();
      reader.add(events.map(({ itemId, event, time }) => ({ itemId, event, time: Date.parse(time) / 1000 })));
      clicks = reader.at(Date.now() / 1000);
      askAll();
    },
  };
}
