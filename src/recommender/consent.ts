/** Whether events may be stored on the device. Recommending from memory needs nobody's leave; writing to the device does. */

/**
 * `granted` and `denied`: the page knows. `manual`: it will tell by `privacy.consent`. `auto`: the browser's signals and
 * `privacy.consent`; without either, nothing is stored.
 */
export type ConsentOption = 'auto' | 'granted' | 'denied' | 'manual';

export type ConsentAnswer = 'granted' | 'denied';

/**
 * `unknown`: nobody has said anything yet; or, where the browser's tabs cannot tell each other anything, what was stored is
 * gone and nobody has said why. Only `granted` stores.
 */
export type Consent = ConsentAnswer | 'unknown';

/** What an answer comes to. Global Privacy Control is the visitor's own word, and outweighs the page's. */
export function consentOf(answer: ConsentOption): Consent {
  if (hasPrivacyControl()) return 'denied';
  return answer === 'granted' || answer === 'denied' ? answer : 'unknown';
}

/** https://www.w3.org/TR/gpc/#javascript-property-to-detect-preference */
function hasPrivacyControl(): boolean {
  try {
    return (globalThis.navigator as { globalPrivacyControl?: unknown } | undefined)?.globalPrivacyControl === true;
  } catch {
    return false;
  }
}
