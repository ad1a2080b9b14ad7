/** The language of the demo shop: one table of texts for each, and what follows it. */
import { EN, type Texts } from './texts/en';

const TABLES = { en: async () => EN, ko: async () => (await import('./texts/ko')).KO };
export type Language = keyof typeof TABLES;

/** Each language, as it calls itself. */
export const LANGUAGES: Readonly<Record<Language, string>> = { en: 'English', ko: '한국어' };

export const isLanguage = (name: string): name is Language => Object.hasOwn(TABLES, name);

/** The texts of now. */
export let text: Texts = EN;
export let language: Language = 'en';
/** How numbers, prices and times are written: as the visitor's browser has it for this language. */
export let locale = 'en';

/**
 * Says everything that is drawn from now on in this language; elements of the page follow its `lang`.
 *
 * @throws Error if its texts cannot be loaded; then all stays as it was.
 */
export async function speak(next: Language): Promise<void> {
  text = await TABLES[next]();
  language = next;
  locale = navigator.languages.find((name) => name.startsWith(next)) ?? next;
  document.documentElement.lang = next;
}
