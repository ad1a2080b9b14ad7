/** What the embed stores on the pages of the corpus: all of them in `npm run soak`. */
import { expect, onTestFinished, test } from 'vitest';
import { openBrowser } from '../shared-chromium';
import { slice } from '../soak-slice';
import { corpus } from './corpus';
import { readPages, summaryOf } from './read-pages';

/** Of so many pages, `npm test` opens one: of all kinds and most platforms, since this is no multiple of how many a rule makes. */
const EVERY = 19;

test('the product of a shop page is found, no other one, and its events are complete', async () => {
  const pages = slice([...corpus().entries()], ([k]) => k % EVERY === 3).map(([, page]) => page);
  const browser = await openBrowser();
  onTestFinished(() => browser.close());
  const { withView, found, wrong, complete, misses, errors } = summaryOf(await readPages(browser, pages));
  const notices = misses.join('\n');
  expect(errors).toEqual([]);
  expect(wrong, notices).toBe(0);
  expect(found / withView, notices).toBeGreaterThanOrEqual(0.95);
  expect(complete / pages.length, notices).toBeGreaterThanOrEqual(0.95);
}, 1_200_000);
