/** What the address asks for: `?backend=…&model=…&lang=…&pages=many&without=…`. */
import type { BackendChoice } from '../index';
import { isPolicy, type PolicyName } from './policy';
import { isLanguage, type Language } from './texts';

const BACKENDS: readonly BackendChoice[] = ['auto', 'plan', 'webgpu', 'webgl', 'wasm', 'cpu'];

export interface Settings {
  readonly backend: BackendChoice;
  /** What was asked for and is no backend. */
  readonly unknownBackend?: string;
  /** A model by its name in `demo.json`, or by the address of its folder. */
  readonly model?: string;
  readonly language: Language;
  /** Whether each page of the shop is a document of its own, as in most shops. */
  readonly hasDocuments: boolean;
  /** A policy that the page is to obey. */
  readonly without?: PolicyName;
}

/**
 * @param search The query of the page's address, with or without `?`.
 * @param languages The visitor's, best first: the first one that the shop has, if the address names none.
 */
export function readSettings(search: string, languages: readonly string[] = []): Settings {
  const query = new URLSearchParams(search);
  const backend = query.get('backend') ?? 'auto';
  const model = query.get('model') ?? '';
  const without = query.get('without') ?? '';
  const known = BACKENDS.find((name) => name === backend);
  return {
    backend: known ?? 'auto',
    ...(known === undefined && { unknownBackend: backend }),
    ...(model !== '' && { model }),
    language: [query.get('lang') ?? '', ...languages.map((name) => name.slice(0, 2))].find(isLanguage) ?? 'en',
    hasDocuments: query.get('pages') === 'many',
    ...(isPolicy(without) && { without }),
  };
}

/** The backends, and the one that a wrong name may mean. */
export function nearestBackend(name: string): { readonly near: string | undefined; readonly known: readonly string[] } {
  const near = name.length > 1 ? BACKENDS.find((known) => holds(known, name) || holds(name, known)) : undefined;
  return { near, known: BACKENDS };
}

/** Whether a text holds all letters of a part, in their order. */
function holds(text: string, part: string): boolean {
  let found = 0;
  for (const letter of text.toLowerCase()) if (letter === part[found]?.toLowerCase()) found++;
  return found === part.length;
}

/** What a setting is where the address does not name it. */
const DEFAULTS = { backend: 'auto', model: undefined, lang: undefined, pages: 'one', without: '' } as const;

/** The address with another setting, and with everything else as it is. */
export function withSetting(address: string, name: keyof typeof DEFAULTS, value: string): string {
  const url = new URL(address);
  if (value === DEFAULTS[name]) url.searchParams.delete(name);
  else url.searchParams.set(name, value);
  return url.href;
}

/** The shop's front page with its pages as one document, or one each. */
export function withPages(address: string, pages: 'one' | 'many'): string {
  const url = new URL(withSetting(address, 'pages', pages));
  url.searchParams.delete('at');
  url.hash = '';
  return url.href;
}
