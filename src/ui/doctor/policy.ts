/** What the page's security policy has blocked: https://www.w3.org/TR/CSP3/#reporting */
import type { Violation } from './types';

interface Blocked {
  readonly effectiveDirective?: unknown;
  readonly blockedURI?: unknown;
  readonly blockedURL?: unknown;
  readonly sourceFile?: unknown;
  readonly disposition?: unknown;
}

type Observer = new (
  callback: (reports: readonly { readonly body: unknown }[]) => void,
  options: { readonly types: readonly string[]; readonly buffered: boolean },
) => { observe(): void };

/**
 * Gathers violations from now on, and earlier ones where the browser keeps them: Chromium and Safari do.
 *
 * @param isOurs Whether an address is of Aisle or of the model.
 * @returns Those so far, each once, and inline styles that were refused.
 */
export function watchPolicy(isOurs: (url: string) => boolean): () => readonly Violation[] {
  const found = new Map<string, Violation>();
  const note = (directive: string, blocked: string) => found.set(`${directive} ${blocked}`, { directive, blocked });
  function add(body: Blocked): void {
    const { effectiveDirective: directive, blockedURI, blockedURL = blockedURI, sourceFile, disposition } = body;
    if (disposition === 'report') return;
    const blocked = String(blockedURL || 'inline');
    if (!isOurs(blocked) && !isOurs(String(sourceFile ?? ''))) return;
    note(String(directive), blocked);
  }
  document.addEventListener('securitypolicyviolation', add);
  const { ReportingObserver: Reports } = globalThis as unknown as { ReportingObserver?: Observer };
  if (Reports !== undefined) {
    const options = { types: ['csp-violation'], buffered: true };
    new Reports((reports) => {
      for (const { body } of reports) add(body as Blocked);
    }, options).observe();
  }
  return () => {
    if (isSheetRefused()) note('style-src-elem', 'inline');
    if (isAttributeRefused()) note('style-src-attr', 'inline');
    return [...found.values()];
  };
}

const ELEMENTS = ':is(aisle-recommendations,aisle-privacy)';

/** Whether a style element about our elements has no sheet: the page's own, of which no report says whom it is about. */
const isSheetRefused = (): boolean =>
  [...document.querySelectorAll('style')].some(
    ({ textContent, sheet, type }) => sheet === null && /^(text\/css)?$/i.test(type) && /aisle-/.test(textContent),
  );

/** Whether a style attribute of our elements, or inside them, has no effect although the browser knows what it says. */
const isAttributeRefused = (): boolean =>
  [...document.querySelectorAll<HTMLElement>(`${ELEMENTS}[style],${ELEMENTS} [style]`)].some(
    (element) =>
      element.style.length === 0 &&
      element
        .getAttribute('style')!
        .split(';')
        .some((declaration) => CSS.supports(`(${declaration})`)),
  );
