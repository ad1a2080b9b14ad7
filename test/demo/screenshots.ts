/**
 * Pictures of every view of the demo shop, and of every state of the studio, on a desktop and a phone, light and dark, for a person to
 * look at:
 *
 *     node test/run.mjs test/demo/screenshots.ts --out DIR [--only PART]
 *
 * `--only` takes the pictures whose name has the part: `phone-dark-cart-full`. Those of the studio begin with `studio-`.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { BrowserContext, Page } from 'playwright-core';
import { launchChromium } from '../chromium';
import { closeServer, originOf } from '../server';
import { eachState, inventShop } from '../studio/states';
import { openShopWindow, serveShop } from './shop-window';
import { VIEWS } from './views';

const WINDOWS = {
  desktop: { viewport: { width: 1280, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
} as const;

/** The window alone, and the page as far down as `LONGEST`. */
const LONGEST = 2600;

/** Every state of the studio, in one visit. */
async function shootStudio(
  context: BrowserContext,
  origin: string,
  shop: string,
  fileOf: (state: string) => string | undefined,
) {
  const page = await context.newPage();
  page.on('pageerror', ({ message }) => console.error(`studio: ${message}`));
  page.on('dialog', (dialog) => dialog.accept());
  await page.goto(`${origin}/studio/`);
  await eachState(page, shop, async (state, part) => {
    const path = fileOf(state);
    if (path !== undefined) await page.locator(part).screenshot({ path });
  });
  await context.close();
}

async function shoot(page: Page, file: string): Promise<void> {
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  const size = page.viewportSize()!;
  await page.screenshot({ path: `${file}.png` });
  if (height <= size.height || (await page.locator('dialog[open]').count()) > 0) return;
  await page.setViewportSize({ width: size.width, height: Math.min(height, LONGEST) });
  await page.screenshot({ path: `${file}-long.png` });
  await page.setViewportSize(size);
}

export async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...argv], options: { out: { type: 'string' }, only: { type: 'string' } } });
  const { only = '' } = values;
  if (values.out === undefined) throw new Error('Name a folder for the pictures: --out DIR.');
  const out = resolve(values.out);
  mkdirSync(out, { recursive: true });
  const shop = mkdtempSync(join(tmpdir(), 'aisle-studio-'));
  await inventShop(shop);
  const [browser, server] = await Promise.all([launchChromium(), serveShop()]);
  try {
    for (const [device, window] of Object.entries(WINDOWS)) {
      for (const colorScheme of ['light', 'dark'] as const) {
        const prefix = `studio-${device}-${colorScheme}`;
        if (prefix.startsWith(only) || only.startsWith(prefix)) {
          const context = await browser.newContext({ ...window, colorScheme, reducedMotion: 'reduce' });
          await shootStudio(context, originOf(server), shop, (state) => {
            const name = `${prefix}-${state}`;
            return name.includes(only) ? join(out, `${name}.png`) : undefined;
          });
        }
        for (const [view, open] of Object.entries(VIEWS)) {
          const name = `${device}-${colorScheme}-${view}`;
          if (!name.includes(only)) continue;
          const { page, errors } = await openShopWindow(browser, server, {
            context: { ...window, colorScheme, reducedMotion: 'reduce' },
          });
          await open(page);
          await shoot(page, join(out, name));
          if (errors.length > 0) console.error(`${name}: ${errors.join('; ')}`);
          await page.context().close();
        }
      }
    }
  } finally {
    await browser.close();
    closeServer(server);
    rmSync(shop, { recursive: true, force: true });
  }
}
