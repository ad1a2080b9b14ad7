/**
 * Erasing while eight tabs of a real Chromium are writing: what is left is what a profile has in which nobody ever shopped,
 * byte for byte, in every storage area.
 */
import { expect, test } from 'vitest';
import type { Recommender } from '../../src/index';
import { random } from '../../src/session/random';
import { openShopPage, type ShopPage, STORING, shopVisit } from '../engine/shop-page';
import { originOf } from '../server';
import { isSoak } from '../soak-slice';
import { tried } from '../tries';
import { NOTHING, storedIn } from './stored';

/** In `npm test` a small part of what `npm run soak` does. */
const ROUNDS = isSoak ? 100 : 6;
const TABS = 8;
const HOW = ['erases', 'erases, in two tabs at once', 'says no, and yes again'] as const;

const visit = shopVisit();

interface Scope {
  readonly recommender: Recommender;
  readonly rehearsal: BroadcastChannel;
  /** What the tab tracks at once when another one is about to erase, so that it is being written meanwhile. */
  burst: readonly string[];
  /** Resolves when every other tab has tracked its burst. */
  curtain(): Promise<void>;
}

/** A tab that tracks a burst when it is told to, and tells whoever waits for it. */
async function openTab(): Promise<ShopPage> {
  const tab = await openShopPage(visit.context, visit.server, { recommender: { ...STORING, modelUrl: '/none/' } });
  await tab.page.evaluate((others) => {
    const scope = globalThis as unknown as Scope;
    const rehearsal = new BroadcastChannel('rehearsal');
    let tracked = () => {};
    const track = () => {
      for (const id of scope.burst) scope.recommender.track(id);
    };
    rehearsal.onmessage = ({ data }) => {
      if (data === 'tracked') return tracked();
      track();
      rehearsal.postMessage('tracked');
    };
    const curtain = () =>
      new Promise<void>((resolve) => {
        let waiting = others;
        tracked = () => {
          waiting--;
          if (waiting === 0) resolve();
        };
        track();
        rehearsal.postMessage('track');
      });
    Object.assign(scope, { rehearsal, curtain, burst: [] });
  }, TABS - 1);
  return tab;
}

const asked = (tab: ShopPage, how: (typeof HOW)[number]): Promise<void> =>
  tab.page.evaluate(async (answer) => {
    const { recommender, curtain } = globalThis as unknown as Scope;
    await curtain();
    if (answer) await recommender.privacy.consent('denied');
    else await recommender.privacy.erase();
  }, how === HOW[2]);

test(`nothing is left where a visitor erases while ${TABS} tabs write, ${ROUNDS} times`, async () => {
  const witness = await visit.context.newPage();
  await witness.goto(`${originOf(visit.server)}/shop.js`);
  expect(await storedIn(witness)).toEqual(NOTHING);
  const tabs = await Promise.all(Array.from({ length: TABS }, () => openTab()));

  for (let round = 0; round < ROUNDS; round++) {
    const { integer } = random(11, 'erasures', round);
    const how = HOW[round % HOW.length]!;
    const where = `seed 11, round ${round}: a visitor ${how}`;
    await Promise.all(
      tabs.map(({ page }, tab) =>
        page.evaluate(
          (ids) => Object.assign(globalThis, { burst: ids }),
          Array.from({ length: integer(40) }, (_, k) => `${round}/${tab}/${k}`),
        ),
      ),
    );
    const first = integer(TABS);
    await tabs[first]!.track(`${round}/before`);
    if (integer(2) === 0) await tabs[first]!.known(); // it is on the device, or about to be
    await Promise.all([
      asked(tabs[first]!, how),
      ...(how === HOW[1]
        ? [tabs[(first + 1) % TABS]!.page.evaluate(() => (globalThis as unknown as Scope).recommender.privacy.erase())]
        : []),
    ]);
    await Promise.all(tabs.map((tab) => tab.known())); // which waits for what is being written
    await expect.poll(() => storedIn(witness), { message: where }).toEqual(NOTHING);
    const known = await Promise.all(tabs.map((tab) => tab.known()));
    if (how !== HOW[2]) expect(known.flat(), where).toEqual([]);
    if (how === HOW[2]) {
      // What is in the memory of each page was never the device's, or is forgotten; with the next yes all starts over.
      await Promise.all(
        tabs.map(({ page }) =>
          page.evaluate(async () => {
            const { recommender } = globalThis as unknown as Scope;
            await recommender.privacy.erase();
            await recommender.privacy.consent('granted');
          }),
        ),
      );
    }
    for (const tab of tabs) expect(await tab.thrown(), where).toEqual([]);
    tried(1);
  }
}, 600_000);
