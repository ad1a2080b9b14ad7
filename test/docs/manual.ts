/** What the Markdown pages of the repository hold. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');
/** Every page for readers, by its address in the repository. */
export const PAGES = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.md'))
  .map((file) => `docs/${file}`)
  .concat('README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md')
  .sort();

export const textOf = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

/** Everything between fences, with the fences. */
export const FENCED = /^```.*?^```/gms;

export interface Block {
  readonly page: string;
  /** Empty where the fence has none. */
  readonly language: string;
  readonly code: string;
}

export const blocksOf = (page: string): Block[] =>
  [...textOf(page).matchAll(/^```([^\n]*)\n(.*?)^```$/gms)].map(([, language, code]) => ({
    page,
    language: language!,
    code: code!,
  }));

/** The lines of a page's blocks of a shell, as they stand. */
export const shellLinesOf = (page: string): string[] =>
  blocksOf(page)
    .flatMap(({ language, code }) => (language === 'sh' ? code.replaceAll('\\\n', ' ').split('\n') : []))
    .filter((line) => line !== '');

/** The lines of a shell that a page tells a reader to type, without their comments. */
export function commandsOf(page: string): string[] {
  const inText = [
    ...textOf(page)
      .replace(FENCED, '')
      .matchAll(/`((?:npx )?aisle \w[^`]*|npm run [^`]*)`/g),
  ];
  return [...shellLinesOf(page), ...inText.map(([, line]) => line!.replaceAll('\n', ' '))]
    .map((line) => line.replace(/\s+#\s.*/, '').trim())
    .filter((line) => line !== '');
}
