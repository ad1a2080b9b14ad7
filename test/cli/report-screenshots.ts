/**
 * Pictures of a report of `aisle compare`, on a desktop and a phone, light and dark, for a person to look at:
 *
 *     node test/run.mjs test/cli/report-screenshots.ts --report report/report.html --out DIR
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { launchChromium } from '../chromium';
import { REPORT_WINDOWS } from './report-windows';

export async function main(argv: readonly string[]): Promise<void> {
  const options = { report: { type: 'string' }, out: { type: 'string' } } as const;
  const { values } = parseArgs({ args: [...argv], options });
  if (values.report === undefined || values.out === undefined) {
    throw new Error('Name a report and a folder for the pictures: --report FILE --out DIR.');
  }
  const out = resolve(values.out);
  mkdirSync(out, { recursive: true });
  const browser = await launchChromium();
  try {
    for (const [name, window] of Object.entries(REPORT_WINDOWS)) {
      const page = await browser.newPage(window);
      await page.goto(pathToFileURL(resolve(values.report)).href);
      await page.screenshot({ path: join(out, `${name}.png`), fullPage: true });
      await page.close();
    }
  } finally {
    await browser.close();
  }
}
