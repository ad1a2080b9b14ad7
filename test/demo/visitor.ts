/**
 * Chooses the visitor whose visits the demo's panel plays, among those of the simulator that the demo's models have not met:
 *
 *     node test/run.mjs test/demo/visitor.ts
 *
 * Every visitor who comes often enough is followed by the library itself, on the demo's default model, and the gate decides by its own rule.
 * `public/visitor.json` has the visits of the one for whom it opens with the most clicks of the last visit to come, and for how many it
 * opens at all.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { DemoFile } from '../../src/demo/shop';
import { createRecommender } from '../../src/index';
import { simulate } from '../../src/pipeline/simulate/simulate';
import { EVENT_NAMES } from '../../src/pipeline/simulate/visit';
import { closeServer, originOf } from '../server';
import { serveShop } from './shop-window';

const site = resolve(import.meta.dirname, '../../public');
/** The demo's shop, with more visitors: those after the first 9,000 are in no log that a demo model was trained on. */
const SIMULATION = { items: 610, sessions: 60_000, visitors: 13_500, seed: 1 };
const MET = 9000;
/** A visit that is played takes about a second a click. */
const EVENTS = { least: 30, most: 60 };
const LAST_VISIT = { least: 6, most: 14 };
/** Clicks of the last visit before the gate opens: fewer would show nothing of it. */
const BEFORE = 3;
/** Visits after which a taste can show at all. */
const VISITS = 4;

interface ScriptedEvent {
  readonly itemId: string;
  readonly event: string;
  /** Seconds since the first event. */
  readonly time: number;
}
type Session = readonly ScriptedEvent[];

export async function main(): Promise<void> {
  const known = new Set(JSON.parse(readFileSync(join(site, 'models/demo/items.json'), 'utf8')) as string[]);
  const candidates = visitors().filter((visits) => visits.flat().every(({ itemId }) => known.has(itemId)));
  const server = await serveShop();
  const { models } = (await (await fetch(`${originOf(server)}/demo.json`)).json()) as DemoFile;
  const followed = [];
  for (const visits of candidates) {
    followed.push({ visits, openedAt: await follow(`${originOf(server)}/${models[0]!.modelUrl}`, visits) });
  }
  closeServer(server);
  const opened = followed.filter(({ openedAt }) => openedAt >= 0);
  const left = ({ visits, openedAt }: (typeof opened)[number]): number => visits.at(-1)!.length - openedAt;
  const [shown] = opened.filter(({ openedAt }) => openedAt >= BEFORE).sort((a, b) => left(b) - left(a));
  if (shown === undefined) throw new Error('The gate opens for none of them during the last visit.');
  const start = shown.visits[0]![0]!.time;
  const visits = shown.visits.map((visit) =>
    visit.map((event) => ({ ...event, time: Math.round(event.time - start) })),
  );
  writeFileSync(
    join(site, 'visitor.json'),
    `${JSON.stringify({ visitors: followed.length, opened: opened.length, visits })}\n`,
  );
  console.log(`The gate opens for ${opened.length} of ${followed.length} visitors.`);
}

/** The visits of those who come back often enough, and whose last visit is long enough to be watched. */
function visitors(): Session[][] {
  const { shop, offsets, visitors: whose, items, times, events } = simulate(SIMULATION);
  const visits = new Map<number, Session[]>();
  whose.forEach((visitor, s) => {
    if (visitor < MET) return;
    const own = visits.get(visitor) ?? [];
    visits.set(visitor, own);
    const span = Array.from({ length: offsets[s + 1]! - offsets[s]! }, (_, i) => offsets[s]! + i);
    own.push(
      span.map((e) => ({
        itemId: shop.products[items[e]!]!.id,
        event: EVENT_NAMES[events[e]!]!,
        time: times[e]!,
      })),
    );
  });
  return [...visits.values()].filter((own) => {
    const count = own.flat().length;
    const last = own.at(-1)!.length;
    return (
      own.length >= VISITS &&
      count >= EVENTS.least &&
      count <= EVENTS.most &&
      last >= LAST_VISIT.least &&
      last <= LAST_VISIT.most
    );
  });
}

/** @returns Number of the event of the last visit, from 1, after which the gate was open; 0: from the start; −1: it never was. */
async function follow(modelUrl: string, visits: readonly Session[]): Promise<number> {
  let now = 0;
  const recommender = await createRecommender({ modelUrl, backend: 'cpu', consent: 'manual', now: () => now });
  const track = ({ itemId, event, time }: ScriptedEvent): void => {
    now = 1000 * time + 1000; // an event of just now may have to wait for those of other tabs
    recommender.track({ itemId, event, time: 1000 * time });
  };
  for (const event of visits.slice(0, -1).flat()) track(event);
  const isOpen = async (): Promise<boolean> => (await recommender.fineTune()).gate.isOpen;
  let openedAt = (await isOpen()) ? 0 : -1;
  for (const [i, event] of visits.at(-1)!.entries()) {
    track(event);
    if ((await isOpen()) && openedAt < 0) openedAt = i + 1;
  }
  await recommender.dispose();
  return openedAt;
}
