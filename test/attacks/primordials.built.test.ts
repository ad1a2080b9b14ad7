/**
 * A page that replaces a function of its own realm after Aisle has started: nothing is thrown into it, no stored event is lost or
 * changed, and once the function is back, all works. `npm test` replaces the most common ones, `npm run soak` every one.
 */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { isSoak, slice } from '../soak-slice';
import { tried } from '../tries';
import { embedPages, ready, SETTLED, SLOT } from '../ui/embed-window';
import { type Attacks, type Mode, type Outcome, prepareAttacks, REALM } from './primordials-page';

declare global {
  var attacks: Attacks;
}

const pages = embedPages();
const STORING = SETTLED.replace('data-', 'data-consent="granted" data-');

/** What is not captured: while one of these is replaced, faults like this reach the page. */
const LEAVES: Readonly<Record<string, RegExp>> = {
  'Promise.prototype.then': /^a rejection left over/,
  'Promise.prototype.catch': /^a rejection left over/,
  'Promise[Symbol.species]': /^a rejection left over/,
  'globalThis.Promise': /^a rejection left over/,
  'IDBRequest.prototype.result': /^thrown into the page/,
};
/** Where these are replaced, an event that is tracked meanwhile is not recorded, and the console says so. */
const LOSES =
  /^(Object|Array|String|RegExp|Map|Set|Array iterator|Set iterator|AbortController|Element|Document|IDBKeyRange|IDBRequest|Promise)[.[]|^Promise|^globalThis\.(Object|Array|String|Number|Promise|Map|Set|URL|setTimeout|AbortController)$/;
/** What `npm test` replaces, and how. */
const FEW =
  /^((JSON\.(parse|stringify)|Array\.isArray|Array\.prototype\.(map|push|find|splice)|Array\.prototype\[Symbol\.iterator\]|Promise\.(all|race)|Promise\.prototype\.then|Map\.prototype\.(get|delete)|Set\.prototype\.has|String\.prototype\.charCodeAt|Math\.min|Worker\.prototype\.postMessage|EventTarget\.prototype\.removeEventListener|globalThis\.(setTimeout|fetch)) throws|Map iterator\.next throws|Array\.prototype\.map lies|IDBTransaction\.prototype\.objectStore lies|Array\.prototype\.splice idle|globalThis\.AbortController idle)$/;
const MODES: readonly Mode[] = ['throws', 'lies', 'idle'];
/** Milliseconds after which a page hangs: longer than it waits for everything to be sound. */
const HANGS = 90_000;
/** Functions after which another page is taken: two events each are fewer than a page may record in a minute, or store. */
const OF_ONE_PAGE = 300;

test('a function of the page’s realm that is replaced costs at most what happens meanwhile', {
  timeout: 3_600_000,
}, async () => {
  let page = await prepared();
  const targets = await page.evaluate(() => attacks.targets);
  const all = MODES.flatMap((mode) => targets.map((target) => [target, mode] as const));
  const few = slice(all, (call) => FEW.test(call.join(' ')));
  const faults: string[] = [];
  const losing = new Set<string>();
  let sound = 0;
  for (const [target, mode] of few) {
    const outcome = await attack(page, target, mode);
    const wrong = outcome.faults.filter((fault) => !LEAVES[target]?.test(fault));
    faults.push(...wrong.map((fault) => `${target} ${mode}: ${fault}`));
    if (!outcome.isStored) losing.add(target);
    if (wrong.length === 0 && ++sound % OF_ONE_PAGE > 0) continue;
    // What is wrong would stay so, and be waited for with each function that follows.
    await page.context().close();
    page = await prepared();
  }
  tried(few.length);
  expect(faults).toEqual([]);
  expect([...losing].filter((target) => !LOSES.test(target))).toEqual([]);
  expect(few.length).toBeGreaterThan(isSoak ? 3000 : 18);
});

/** A page that shows suggestions and can be attacked. */
async function prepared(): Promise<Page> {
  const { page } = await pages.open(SLOT, {
    head: STORING,
    prepare: (opened) => opened.addInitScript(prepareAttacks, REALM),
  });
  await ready(page);
  await page.evaluate(() => attacks.begin());
  return page;
}

async function attack(page: Page, target: string, mode: Mode): Promise<Outcome> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const hangs = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => resolve({ faults: ['the page hangs'], isStored: false }), HANGS);
  });
  const call = [target, mode] as const;
  const outcome = page.evaluate(([target, mode]) => attacks.attack(target, mode), call);
  return Promise.race([outcome, hangs]).finally(() => clearTimeout(timer));
}
