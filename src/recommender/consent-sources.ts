/** The page's consent platform, read: loaded where a page has one. It may come late, and be exchanged by the page. */
import { createConsentMode } from './consent-mode';
import { createShopify } from './consent-shopify';
import { createTcf } from './consent-tcf';
import { watchLayer } from './data-layer';
import type { ConsentReport } from './parts';

export { commandOf } from './consent-mode';
export { privacyOf } from './consent-shopify';
export { PURPOSES } from './consent-tcf';

export interface ConsentReader {
  /** Looks at what the page has by now: a platform that came, or was exchanged for another. */
  look(): void;
  /** Takes back what was registered. */
  stop(): void;
}

/**
 * Reads Consent Mode, the TCF and Shopify: what is pushed as it is, the rest with each look. Nothing that the page has put there
 * makes it throw.
 *
 * @param dataLayer Name of the global that holds the data layer.
 * @param ignored Called with a sentence about types of Consent Mode that are granted, do not count, and leave the answer open.
 */
export function readConsent(
  { dataLayer, consentMap }: { readonly dataLayer: string; readonly consentMap?: string | undefined },
  report: ConsentReport,
  ignored: (message: string) => void,
): ConsentReader {
  const mode = createConsentMode(consentMap, (word, isNew) => report('consent-mode', word, isNew), ignored);
  const shopify = createShopify((word, isNew) => report('shopify', word, isNew));
  const tcf = createTcf((word, isNew) => report('tcf', word, isNew));
  const seen = new WeakSet<object>();
  let layer: unknown;
  let unwatch = (): void => {};

  function read(entry: unknown): void {
    try {
      if (typeof entry !== 'object' || entry === null || seen.has(entry)) return;
      seen.add(entry);
      mode.read(entry);
    } catch {
      // An entry that throws when it is read is no command.
    }
  }

  function look(): void {
    try {
      // First: a platform that has to be waited for counts before a consent in the data layer.
      tcf.look();
      shopify.look();
      const found = (globalThis as unknown as Record<string, unknown>)[dataLayer];
      if (!Array.isArray(found)) return;
      if (found === layer)
        found.forEach(read); // what went past our `push`
      else {
        unwatch();
        layer = found;
        unwatch = watchLayer(found, read);
      }
    } catch {
      // A page that forbids to look has nothing to say.
    }
  }

  return {
    look,
    stop() {
      unwatch();
      mode.stop();
      shopify.stop();
      tcf.stop();
    },
  };
}
