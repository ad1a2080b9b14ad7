/** What is wrong with a page for those who do not see or click it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

export const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** An entry for each element at fault, of the page or of the parts of a selector. */
export async function faults(page: Page, part?: string): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(AXE);
  return page.evaluate(async (part) => {
    type Found = { violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] };
    type Axe = { run(part: Document | string, options: object): Promise<Found> };
    // Without what it would say of all that is right, which takes as long as the rules.
    const options = { resultTypes: ['violations'], selectors: false };
    const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run(part ?? document, options);
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
    );
  }, part);
}

/** By how many pixels a page is wider than its window. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
