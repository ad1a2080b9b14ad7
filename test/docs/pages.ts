/** Pages that are written from something else: `npm run docs` writes them, tests compare. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** What each page should hold, by its path. */
export type Pages = ReadonlyMap<string, string>;

export const pageNow = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** The text with other content between the marks of a name, `<!-- name -->` and `<!-- /name -->`. */
export function marked(text: string, name: string, content: string): string {
  const found = new RegExp(`<!-- ${name} -->\\n(.*?\\n)?<!-- /${name} -->`, 's');
  if (!found.test(text)) throw new Error(`There are no marks "<!-- ${name} -->".`);
  return text.replace(found, () => `<!-- ${name} -->\n${content}\n<!-- /${name} -->`);
}

export function writePages(pages: Pages): void {
  for (const [path, shouldBe] of pages) if (pageNow(path) !== shouldBe) writeFileSync(path, shouldBe);
}
