/** `<aisle-privacy>` in a real browser: what it says in every state, and what a visitor can do with it. */
import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import type { PrivacyExport } from '../../src/index';
import { faults, overflow } from '../axe';
import { contentOf } from '../chromium';
import { takeShifts, watchShifts } from '../layout-shifts';
import { NOTHING, storedIn } from '../privacy/stored';
import { isSoak, slice } from '../soak-slice';
import { CATALOGUE, embedPages, type OpenOptions, push, reserving, SETTLED, SLOT } from './embed-window';

vi.setConfig({ testTimeout: 180_000 });

const PATIENCE = { timeout: 60_000 };
const PANEL = '<aisle-privacy></aisle-privacy>';
const RESERVED = reserving('aisle-privacy');
const BY_SHOP = 'Allowed, as this shop says';
const notices = (consent: string) => SETTLED.replace('data-', `data-consent="${consent}" data-`);

type Product = (typeof CATALOGUE)[number] & { readonly category: readonly string[]; readonly brand: string };
/** Three products of one category, and one of another. */
const [SHELF, OTHER] = (() => {
  const products = CATALOGUE as readonly Product[];
  const leaf = ({ category }: Product) => category.at(-1);
  const first = products[0]!;
  const shelf = products.filter((product) => leaf(product) === leaf(first)).slice(0, 3);
  return [shelf, products.find((product) => leaf(product) !== leaf(first))!] as const;
})();

const pages = embedPages();

const open = (head: string, options: OpenOptions = {}, body = PANEL) =>
  pages.open(body, { head: RESERVED + head, ...options });

const state = (page: Page, name: string) => page.locator(`aisle-privacy[data-aisle-state=${name}]`).waitFor(PATIENCE);
const part = (page: Page, name: string) => page.locator(`aisle-privacy [part=${name}]`);
const facts = async (page: Page) => (await part(page, 'facts').locator('dd').allTextContents()).join(' | ');
const says = (page: Page, text: string | RegExp) => expect.poll(() => facts(page), PATIENCE).toMatch(text);
const message = (page: Page) => part(page, 'message').textContent();

async function clicks(page: Page): Promise<void> {
  for (const { id } of [...SHELF, OTHER]) await push(page, 'track', id);
}

/** As the page does by itself once it has suggested something and is idle. */
const learn = (page: Page) => page.evaluate(async () => (await window.aisle!.ready)!.fineTune());

describe('says what is known', () => {
  // In `npm test` it is what an erasure leaves.
  if (isSoak)
    test('where nothing was looked at', async () => {
      const { page, warnings } = await open(notices('granted'));
      await state(page, 'ready');
      expect(await facts(page)).toBe(`– | No clicks | Nothing learnt yet | ${BY_SHOP}`);
      expect(await part(page, 'learnt').textContent()).toBe('Nothing yet.');
      expect(warnings).toEqual([]);
    });

  test('on the device: how much, and what was learnt to be looked at most; a single look tells nothing', async () => {
    const { page } = await open(notices('granted'));
    await state(page, 'ready');
    await clicks(page);
    await learn(page);
    await says(
      page,
      `On this device, in this browser | 4 clicks in 1 visit | What was learnt from 4 clicks | ${BY_SHOP}`,
    );
    const [first] = SHELF;
    const text = `You look most at${first!.category.at(-1)}75 %`;
    await expect.poll(() => part(page, 'learnt').textContent(), PATIENCE).toContain(text);
    expect(await part(page, 'learnt').textContent()).not.toContain(OTHER.category.at(-1));
  });

  if (isSoak)
    test('clicks, and that nothing was learnt from them where that is not asked for', async () => {
      const { page } = await open(notices('granted').replace('data-', 'data-learn="manual" data-'));
      await state(page, 'ready');
      await clicks(page);
      await says(page, `On this device, in this browser | 4 clicks in 1 visit | Nothing learnt yet | ${BY_SHOP}`);
      expect(await part(page, 'learnt').textContent()).toBe('Nothing yet.');
    });

  const answers: [string, string, string, RegExp][] = [
    ['not answered', notices('auto'), '', /In this page only, until you leave it \| 4 clicks .*Not answered yet/],
    ['refused', notices('denied'), '', /In this page only, until you leave it \| 4 clicks .*\| Not allowed$/],
    [
      'refused by the browser’s settings',
      notices('granted'),
      `Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })`,
      /In this page only, .*\(Global Privacy Control\)$/,
    ],
    [
      'allowed by a choice in the consent dialogue',
      notices('auto'),
      `globalThis.__tcfapi = (command, version, answer) => {
        const consents = { 1: true, 5: true, 6: true };
        answer({ gdprApplies: true, eventStatus: 'tcloaded', listenerId: 1, purpose: { consents } }, true);
      }`,
      /On this device.*\| Allowed by your choice in the consent dialogue$/,
    ],
    [
      'allowed by the site’s settings',
      notices('auto'),
      `globalThis.dataLayer = [['consent', 'default', { personalization_storage: 'granted' }]]`,
      /On this device.*\| Allowed by this site’s consent settings$/,
    ],
    [
      'allowed, where the browser does not store',
      notices('granted'),
      `IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); }`,
      /In this page only, .*Allowed, but this browser does not store it$/,
    ],
  ];
  const few = ['not answered', 'refused by the browser’s settings', 'allowed by a choice in the consent dialogue'];
  test.each(slice(answers, ([name]) => few.includes(name)))(
    'where keeping it is %s',
    async (_, head, first, expected) => {
      const { page } = await open(head, { prepare: (page) => page.addInitScript(first) });
      await state(page, 'ready');
      await clicks(page);
      await says(page, expected);
    },
  );

  test('clicks that are not stored, also when no event follows them', async () => {
    const { page } = await open(notices('denied').replace('data-', 'data-learn="manual" data-'));
    await page.evaluate(async () => void (await window.aisle!.ready));
    await page.waitForTimeout(500); // the panel has shown what the model's events changed
    await clicks(page);
    await says(page, /In this page only, until you leave it \| 4 clicks .*\| Not allowed$/);
  });

  test('that nothing runs where the embed could not start, and what runs when it does', async () => {
    const { page } = await open('<script type="module" src="/aisle/embed.js"></script>');
    await state(page, 'unavailable');
    expect(await message(page)).toContain('not running');
    expect(await page.locator('aisle-privacy button:disabled').count()).toBe(3);
    await push(page, 'start', { modelUrl: '/models/demo/', backend: 'wasm', consent: 'denied' });
    await state(page, 'ready');
    await says(page, 'Not allowed');
  });
});

describe('lets the visitor', () => {
  test('turn learning off and on, by the keyboard, in every tab', async () => {
    const { page } = await open(notices('granted'));
    await state(page, 'ready');
    const control = page.getByRole('switch', { name: 'Learn from what I look at' });
    await control.focus();
    await page.keyboard.press('Space');
    await expect.poll(() => control.getAttribute('aria-checked'), PATIENCE).toBe('false');
    await expect.poll(() => message(page), PATIENCE).toBe('Learning is off. Nothing more is recorded.');
    expect(await control.textContent()).toContain('Off: nothing more is recorded');
    expect(await page.evaluate(() => window.aisle!.recommender!.status.paused)).toBe(true);
    await page.keyboard.press('Space');
    await expect.poll(() => control.getAttribute('aria-checked'), PATIENCE).toBe('true');
  });

  test('download what is known, as the library exports it', async () => {
    const { page, requests } = await open(notices('granted'));
    await state(page, 'ready');
    await clicks(page);
    await says(page, '4 clicks');
    const before = requests.length;
    const [file] = await Promise.all([page.waitForEvent('download'), part(page, 'download').click()]);
    expect(file.suggestedFilename()).toMatch(/^aisle-\d{4}-\d\d-\d\d\.json$/);
    const known = JSON.parse((await contentOf(file)).toString()) as PrivacyExport;
    expect(known.sessions.flat().map(({ itemId }) => itemId)).toEqual([...SHELF, OTHER].map(({ id }) => id));
    expect(await message(page)).toBe('The download has begun.');
    expect(requests.slice(before).filter(({ from }) => from === 'page')).toEqual([]);
  });

  test('erase everything, when asked once more, and not by Escape or Cancel; the focus stays where it was', async () => {
    const { page } = await open(notices('granted'), {}, PANEL + SLOT);
    await state(page, 'ready');
    await clicks(page);
    await says(page, 'On this device, in this browser | 4 clicks');
    const erase = page.getByRole('button', { name: 'Erase everything' });
    const question = page.getByRole('alertdialog', { name: 'Erase everything?' });
    const focused = () =>
      page.evaluate(() => document.querySelector('aisle-privacy')!.shadowRoot!.activeElement?.textContent);
    for (const leave of [() => page.keyboard.press('Escape'), () => page.keyboard.press('Enter')]) {
      await erase.focus();
      await page.keyboard.press('Enter');
      await question.waitFor();
      expect(await focused()).toBe('Cancel');
      await leave();
      await question.waitFor({ state: 'hidden' });
      expect(await focused()).toBe('Erase everything');
    }
    await says(page, '4 clicks');
    await page.keyboard.press('Enter');
    await question.getByRole('button', { name: 'Erase', exact: true }).click();
    await expect.poll(() => message(page), PATIENCE).toBe('Everything is erased.');
    await says(page, `– | No clicks | Nothing learnt yet | ${BY_SHOP}`);
    expect(await focused()).toBe('Erase everything');
    expect(await storedIn(page)).toEqual(NOTHING);
  });
});

describe('what was learnt', () => {
  test('is described in words, and goes to another browser as a file that only the passphrase opens', async () => {
    const head = notices('granted').replace('data-', 'data-learn="manual" data-');
    const { page } = await open(head);
    await state(page, 'ready');
    await part(page, 'taste').locator('summary').click();
    const passphrase = page.getByLabel('Passphrase');
    const save = page.getByRole('button', { name: 'Save a file' });
    const received = (text: string) => expect.poll(() => message(page), PATIENCE).toBe(text);
    await passphrase.fill('short');
    await save.click();
    await received('The passphrase needs at least 8 characters.');
    await passphrase.fill('correct horse battery');
    await save.click();
    await received('Nothing was learnt yet.');
    await clicks(page);
    await clicks(page);
    await learn(page);
    await says(page, 'On this device');
    await expect.poll(() => part(page, 'learnt').textContent(), PATIENCE).toContain('It is not used yet');
    expect(await part(page, 'learnt').textContent()).toContain('What draws you most');
    await says(page, '| 8 clicks in 1 visit | What was learnt from 8 clicks |');
    const [file] = await Promise.all([page.waitForEvent('download'), save.click()]);
    const taste = {
      name: file.suggestedFilename(),
      mimeType: 'application/octet-stream',
      buffer: await contentOf(file),
    };
    const { page: other } = await open(head);
    await state(other, 'ready');
    await part(other, 'taste').locator('summary').click();
    for (const [word, answer] of [
      ['wrong horse battery', 'This is not the passphrase of that file.'],
      ['correct horse battery', 'What the file has learnt counts here now.'],
    ] as const) {
      await other.getByLabel('Passphrase').fill(word);
      await part(other, 'file').setInputFiles(taste);
      await expect.poll(() => message(other), PATIENCE).toBe(answer);
    }
    await says(other, /^(On|In) this .* \| No clicks \| What was learnt from 8 clicks \|/);
    const words = await part(other, 'learnt').textContent();
    expect(words).toContain(`You look most at${SHELF[0]!.category.at(-1)}75 %`);
    expect(words).toContain('What draws you most');
    await page.evaluate(async () => (await window.aisle!.ready)!.taste.forget());
    await says(page, '| 8 clicks in 1 visit | Nothing learnt yet |');
    expect(await part(page, 'learnt').textContent()).toBe('Nothing yet.');
  });
});

describe('as a guest in the page', () => {
  const looks = [
    ['en', 'light', 1280],
    ['en', 'light', 390],
    ['ko', 'dark', 360],
  ] as const;
  test.each(slice(looks, ([, , width]) => width === 360))(
    'is in %s, for every eye, on %s at %d pixels: nothing at fault, nothing too wide, nothing moves',
    async (lang, scheme, width) => {
      const { page, errors } = await pages.open(`<div lang="${lang}">${PANEL}</div><p>Below</p>`, {
        head: `${RESERVED}<style>:root { color-scheme: light dark } body { color: CanvasText; background: Canvas }</style>${notices('granted')}`,
        context: { viewport: { width, height: 900 }, colorScheme: scheme },
        prepare: watchShifts,
      });
      await state(page, 'ready');
      await clicks(page);
      await says(page, '4');
      await learn(page);
      await expect.poll(() => part(page, 'list').count(), PATIENCE).toBeGreaterThan(0);
      expect(await takeShifts(page)).toEqual([]);
      expect(await part(page, 'list').first().isVisible()).toBe(false);
      await part(page, 'sub').click();
      expect(await part(page, 'list').first().isVisible()).toBe(true);
      expect(await page.locator('aisle-privacy section > h2').textContent()).toMatch(
        lang === 'ko' ? /추천/ : /suggestions/,
      );
      expect(await faults(page)).toEqual([]);
      expect(await overflow(page)).toBe(0);
      await part(page, 'erase').click();
      await page.getByRole('alertdialog').waitFor();
      expect(await faults(page)).toEqual([]);
      expect(errors).toEqual([]);
    },
  );

  test('is in English, and says so, in a page that is written the other way, whose own words stay as they are', async () => {
    const body = `<div lang="ar" dir="rtl"><aisle-privacy heading="الخصوصية (نسخة ٢)"></aisle-privacy></div>`;
    const { page } = await open(notices('granted'), {}, body);
    await state(page, 'ready');
    const read = (selector: string) =>
      page.locator(`aisle-privacy ${selector}`).evaluate((element) => {
        const { direction } = getComputedStyle(element);
        return [element.closest('[lang]')!.getAttribute('lang'), direction];
      });
    expect(await read('[part=intro]')).toEqual(['en', 'ltr']);
    expect(await read('dialog')).toEqual(['en', 'ltr']);
    expect(await read('section > h2')).toEqual(['ar', 'rtl']);
    expect(await faults(page)).toEqual([]);
  });

  test('is loaded only where there is one, also one that comes later, and that goes and comes back', async () => {
    const { page, requests } = await open(notices('granted'), {}, SLOT);
    const loaded = () => requests.filter(({ url }) => url.includes('panel-')).length;
    await page.locator('aisle-recommendations[data-aisle-state=ready]').waitFor(PATIENCE);
    expect(loaded()).toBe(0);
    await page.evaluate(() => document.body.append(document.createElement('aisle-privacy')));
    await state(page, 'ready');
    expect(loaded()).toBe(1);
    await page.evaluate(() => {
      const panel = document.querySelector('aisle-privacy')!;
      panel.remove();
      for (let times = 0; times < 10; times++) document.querySelector('main')!.append(panel);
    });
    await clicks(page);
    await says(page, '4 clicks');
    expect(await page.locator('aisle-privacy section').count()).toBe(1);
    const looks = await page.evaluate(async () => {
      const { privacy } = window.aisle!.recommender!;
      const { export: known } = privacy;
      let count = 0;
      const counted = () => {
        count++;
        return known();
      };
      Object.assign(privacy, { export: counted });
      window.aisle!.push(['track', 'another']);
      await new Promise((shown) => setTimeout(shown, 1000));
      return count;
    });
    expect(looks).toBeLessThan(5); // of the panel where it is, not of where it was
  });
});
