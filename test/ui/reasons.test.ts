/** Reasons on cards: what `explain` says, in words, where there is something to say. */
import { expect, test, vi } from 'vitest';
import { takeShifts, watchShifts } from '../layout-shifts';
import { CATALOGUE, embedPages, push, ready, STOCK } from './embed-window';

vi.setConfig({ testTimeout: 180_000 });

const PATIENCE = { timeout: 60_000 };

const pages = embedPages();

const [FIRST, SECOND] = STOCK as [(typeof STOCK)[0], (typeof STOCK)[0]];
const titleOf = (id: string) => CATALOGUE.find((product) => product.id === id)!.title;

test.each([
  ['en', (title: string) => `Because you looked at ${title}`, 'Because you looked at it before'],
  ['ko', (title: string) => `‘${title}’ 상품을 보셨기 때문에`, '전에 보신 상품입니다'],
])(
  'names, in %s, the click that moved a product up, where it did by a quarter; and nothing moves',
  async (lang, because, itself) => {
    const body = `<aisle-recommendations reasons lang="${lang}"></aisle-recommendations><p>Below</p>`;
    const { page, warnings } = await pages.open(body, {
      prepare: watchShifts,
      head: `<style>aisle-recommendations { display: block; min-height: 24em }</style>
      <script type="module" src="/aisle/embed.js" data-model-url="/models/demo/" data-backend="wasm" data-learn="manual"></script>`,
    });
    for (const { id } of [FIRST, SECOND]) await push(page, 'track', id);
    await ready(page);
    const reasons = () =>
      page.locator('aisle-recommendations a').evaluateAll((cards) =>
        cards.map((card) => ({
          id: card.getAttribute('data-item-id')!,
          text: card.querySelector('[part=because]')!.textContent,
        })),
      );
    await expect.poll(async () => (await reasons()).some(({ text }) => text !== ''), PATIENCE).toBe(true);
    for (const { id, text } of await reasons()) {
      const explanation = await page.evaluate(async (item) => (await window.aisle!.ready)!.explain(item), id);
      const [strongest] = [...explanation!.clicks].sort((a, b) => b.effect - a.effect);
      const said = strongest!.itemId === id ? itself : because(titleOf(strongest!.itemId));
      expect(text, id).toBe(strongest!.effect < Math.log(1.25) ? '' : said);
    }
    expect((await takeShifts(page)).filter(({ hadRecentInput }) => !hadRecentInput)).toEqual([]);
    expect(warnings).toEqual([]);
  },
);

test('says nothing of what is merely popular, and is not loaded where no slot asks', async () => {
  const { page, requests } = await pages.open('<aisle-recommendations></aisle-recommendations>');
  const loaded = () => requests.filter(({ url }) => url.includes('reasons-')).length;
  await ready(page);
  expect(loaded()).toBe(0);
  await page.evaluate(() => document.querySelector('aisle-recommendations')!.setAttribute('reasons', ''));
  await push(page, 'refresh');
  await expect.poll(loaded, PATIENCE).toBe(1);
  const texts = await page.locator('aisle-recommendations [part=because]').allTextContents();
  expect(new Set(texts)).toEqual(new Set(['']));
});
