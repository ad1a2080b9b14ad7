/**
 * Shopify's Customer Privacy API, `Shopify.customerPrivacy`, where the page has loaded it.
 *
 * The category `preferences` counts: customer preferences, which personalise the shop. The visitor's `yes` means `granted`, `no`
 * means `denied`. Before an answer, Shopify's own word counts: `granted` where the shop's settings say that the visitor's
 * region needs no consent, else the answer is awaited.
 *
 * @see https://shopify.dev/docs/api/customer-privacy
 */
import type { ConsentWord } from './privacy-types';

/** An event of the document. */
const ANSWERED = 'visitorConsentCollected';

export interface CustomerPrivacy {
  currentVisitorConsent(): { readonly preferences?: unknown };
  preferencesProcessingAllowed(): unknown;
}

/** @param report Called with each other answer. */
export function createShopify(report: (word: ConsentWord, isNew: boolean) => void) {
  const { document } = globalThis as { document?: EventTarget };
  let word: ConsentWord | undefined;
  let isListening = false;

  function read(isNew: boolean): void {
    const next = wordOf(privacyOf());
    if (next === undefined || (next === word && !isNew)) return;
    word = next;
    report(next, isNew);
  }
  const answered = () => read(true);

  return {
    look(): void {
      if (privacyOf() === undefined) return;
      if (!isListening) document?.addEventListener(ANSWERED, answered);
      isListening = true;
      read(false);
    },
    stop: (): void => document?.removeEventListener(ANSWERED, answered),
  };

  function wordOf(api: CustomerPrivacy | undefined): ConsentWord | undefined {
    try {
      const { preferences } = api!.currentVisitorConsent();
      if (preferences === 'yes') return 'granted';
      if (preferences === 'no') return 'denied';
      return api!.preferencesProcessingAllowed() === true ? 'granted' : 'waiting';
    } catch {
      return word === 'denied' ? word : 'waiting'; // an unreliable answer does not revoke a denial
    }
  }
}

/** The page's API; undefined while it is not loaded. */
export function privacyOf(): CustomerPrivacy | undefined {
  const api = (globalThis as { Shopify?: { customerPrivacy?: Partial<CustomerPrivacy> } }).Shopify?.customerPrivacy;
  return typeof api?.currentVisitorConsent === 'function' ? (api as CustomerPrivacy) : undefined;
}
