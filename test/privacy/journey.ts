/** The whole journey of a visitor through a shop with the built library, and the evidence of what it sent. */
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import type { BrowserContext } from 'playwright-core';
import { expect } from 'vitest';
import type { TuneMethod } from '../../src/checkpoint/delta';
import type { BackendName } from '../../src/compute/types';
import type { Recommender } from '../../src/index';
import { built } from '../build/built';
import { IDS } from '../engine/fixture';
import { openShopPage, STORING, serveShopPage } from '../engine/shop-page';
import { closeServer, originOf } from '../server';
import { NOTHING, storedIn } from './stored';
import { type Evidence, receivedBy, type Shop, watchPage } from './watch';

export interface Visitor {
  readonly user: string;
  readonly items: readonly string[];
}
export const ANNA: Visitor = {
  user: 'visitor-anna-4711',
  items: ['item-9', 'item-12', 'item-13', 'item-9', 'item-40'],
};
export const BEN: Visitor = {
  user: 'visitor-ben-0815',
  items: ['item-50', '🧦', 'a,b', 'item-31', 'item-32', 'item-33'],
};

export const isFile = (path: string): boolean =>
  /^\/(favicon\.ico|shop\.js)?$/.test(path) ||
  /^\/model\/(manifest\.json|items\.json|weights\.safetensors|plan\.bin|catalogue\.json)$/.test(path) ||
  /^\/lib\/[\w.-]+\.(js|wasm)$/.test(path);

/** Asked for by the browser, when it likes. */
const isOfPage = (path: string): boolean => path !== '/favicon.ico';

export interface Journey extends Evidence {
  /** Paths that the server was asked for in each step, in the order of their names: how files race is not the visitor's doing. */
  readonly steps: readonly (readonly string[])[];
  readonly backend: string | undefined;
  readonly shown: readonly string[];
  readonly thrown: readonly string[];
  readonly shop: Shop;
}

export interface JourneyOptions {
  readonly backend: BackendName;
  readonly csp?: string;
  readonly plants?: Plants;
  /** How it is learnt: asked for, or once the page is idle. Default `adapter`. */
  readonly learning?: TuneMethod | 'auto';
}

/** Text that stands behind a built script of the library, by its name. */
export type Plants = Readonly<Record<string, string>>;

/** Serves the shop with a copy of the library to which something was added. */
export async function servePlanted(plants: Plants, csp?: string): Promise<Server> {
  const library = built('lib');
  return serveShopPage({
    csp,
    answer(path) {
      const name = path.replace(/^\/lib\//, '');
      if (!(name in plants)) return undefined;
      return { body: `${readFileSync(join(library, name), 'utf8')}\n${plants[name]}`, type: 'text/javascript' };
    },
  });
}

/** Settles when nothing more is requested: what a page loads without waiting for it belongs to the step that opened it. */
export async function quiet(received: readonly unknown[]): Promise<void> {
  for (let seen = -1; seen < received.length; await new Promise((resolve) => setTimeout(resolve, 500))) {
    seen = received.length;
  }
}

/** Everything that a visitor can do, on two pages of a shop. */
export async function journey(
  context: BrowserContext,
  visitor: Visitor,
  { backend, csp, plants = {}, learning = 'adapter' }: JourneyOptions,
): Promise<Journey> {
  const server = await servePlanted(plants, csp);
  const received = receivedBy(server);
  const shop: Shop = { origin: originOf(server), isFile, secrets: [...IDS, visitor.user] };
  const steps: string[][] = [];
  let counted = 0;
  const endStep = (): void => {
    steps.push(
      received
        .slice(counted)
        .map(({ method, url }) => `${method} ${url}`)
        .filter((line) => isOfPage(line.slice(4)))
        .sort(),
    );
    counted = received.length;
  };
  const watches: Awaited<ReturnType<typeof watchPage>>[] = [];
  const openPage = () =>
    openShopPage(context, server, {
      recommender: {
        ...STORING,
        backend,
        user: visitor.user,
        history: 'all',
        learn: learning === 'auto' ? 'auto' : 'manual',
      },
      prepare: async (page) => void watches.push(await watchPage(page)),
    });
  const half = Math.ceil(visitor.items.length / 2);

  const first = await openPage();
  await first.track(...visitor.items.slice(0, half));
  await first.ask();
  await quiet(received);
  endStep();
  const second = await openPage();
  await second.track(...visitor.items.slice(half));
  const answer = await second.ask();
  await quiet(received);
  endStep();
  await second.page.evaluate(async () => {
    const { recommender } = globalThis as unknown as { recommender: Recommender };
    const ids = (items: readonly { itemId: string }[]) => items.map(({ itemId }) => itemId);
    const related = await recommender.recommend({ strategy: 'related', k: 5 });
    await recommender.recommend({ strategy: 'recent', k: 5 });
    await recommender.recommend({ strategy: 'popular', k: 5, exclude: ids(related), filter: () => true });
    await recommender.products(ids(related));
    await recommender.catalogue();
  });
  endStep();
  if (learning === 'auto') {
    const learnt = async () => (await second.status()).learning?.events;
    await expect.poll(learnt, { timeout: 30_000 }).toBe(visitor.items.length);
  }
  const { events, method } = await second.page.evaluate(async (method) => {
    const { recommender } = globalThis as unknown as { recommender: Recommender };
    const learnt = method === 'auto' ? recommender.status.learning! : await recommender.fineTune({ method });
    const [best] = await recommender.recommend({ k: 1 });
    await recommender.explain(best!.itemId);
    const file = await recommender.taste.export('correct horse battery staple');
    await recommender.taste.import(file, 'correct horse battery staple');
    return learnt;
  }, learning);
  expect({ events, method }, 'learnt').toEqual({
    events: visitor.items.length,
    method: learning === 'full' ? 'full' : 'adapter',
  });
  endStep();
  await second.page.evaluate(async () => {
    const { recommender } = globalThis as unknown as { recommender: Recommender };
    await recommender.privacy.pause();
    await recommender.privacy.resume();
    await recommender.privacy.export();
  });
  endStep();
  const timed = (await Promise.all(watches.map((watch) => watch.timed()))).flat();
  const stored = await storedIn(second.page);
  const status = await second.status();
  await second.page.evaluate(() => (globalThis as unknown as { recommender: Recommender }).recommender.privacy.erase());
  expect(await storedIn(second.page), 'after it was erased').toEqual(NOTHING);
  endStep();
  const thrown = [...(await first.thrown()), ...(await second.thrown())];
  await first.page.close();
  await second.page.close();
  endStep();
  closeServer(server);
  return {
    received,
    seen: watches.flatMap(({ seen }) => seen),
    timed,
    reported: watches.flatMap(({ reported }) => reported),
    stored,
    steps,
    backend: status.engine?.backend,
    shown: Array.isArray(answer) ? answer.map(({ itemId }) => itemId) : [JSON.stringify(answer)],
    thrown,
    shop,
  };
}
