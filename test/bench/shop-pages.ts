/**
 * What the built embed finds on every page of the corpus of shop pages, in Chromium:
 *
 *     node test/run.mjs test/bench/shop-pages.ts
 *
 * Results go to `results/shop-pages.md`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { launchChromium } from '../chromium';
import { corpus } from '../shop-pages/corpus';
import { type PageResult, readPages, summaryOf } from '../shop-pages/read-pages';

export async function main(): Promise<void> {
  const browser = await launchChromium();
  const results = await readPages(browser, corpus());
  await browser.close();
  writeFileSync(join(import.meta.dirname, 'results/shop-pages.md'), tableOf(results));
}

function tableOf(results: readonly PageResult[]): string {
  const all = summaryOf(results);
  const rules = [...new Set(results.map(({ page }) => page.rule))];
  const rows = rules.map((rule) => row(rule, summaryOf(results.filter(({ page }) => page.rule === rule))));
  return `# Products and events on constructed shop pages

    node test/run.mjs test/bench/shop-pages.ts

The pages of \`test/shop-pages/corpus.ts\`, made by rule from the public documentation of each format, with the built embed and a
model whose items are the page's. "Found": the known product of a page that shows one. "Wrong": a page with an event that is not
expected. "Complete": all events of the page, in order, and no other.

| rule | pages | with a known product | found | wrong | complete |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
${row('**all**', all)}

Pages that are not as expected:${all.misses.length === 0 ? ' none.' : `\n\n${all.misses.map((line) => `* ${line}`).join('\n')}`}
`;
}

const row = (name: string, { pages, withView, found, wrong, complete }: ReturnType<typeof summaryOf>): string =>
  `| ${name} | ${pages} | ${withView} | ${found} | ${wrong} | ${complete} |`;
