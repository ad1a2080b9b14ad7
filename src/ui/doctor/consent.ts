/** Why visits are not stored: the answer of each source of consent, in words. */
import type { CustomerPrivacy } from '../../recommender/consent-shopify';
import type { TcfApi, TcfData } from '../../recommender/consent-tcf';
import type { ConsentOption } from '../../recommender/privacy-types';
import type { Status } from '../../recommender/types';
import type { ConsentType, Finding } from './types';

/** Milliseconds in which a platform of the TCF must answer. */
const PATIENCE = 500;
/** The types of Google's Consent Mode. Others are not named: a page may write anything. */
const CONSENT_TYPES = [
  'ad_storage',
  'ad_user_data',
  'ad_personalization',
  'analytics_storage',
  'functionality_storage',
  'personalization_storage',
  'security_storage',
];

export interface ConsentFacts {
  readonly status: Pick<Status, 'consent' | 'consentBy' | 'degraded'>;
  readonly option: ConsentOption;
  readonly consentMap: string | undefined;
  /** Undefined if the data layer has no command of Consent Mode. */
  readonly types: Readonly<Record<string, ConsentType>> | undefined;
  /** Purposes of the TCF that have no consent; undefined without an answer. `elsewhere`: the GDPR does not apply. */
  readonly tcf: readonly number[] | 'elsewhere' | undefined;
  /** The visitor's `preferences` in Shopify's API; undefined without it. */
  readonly shopify: unknown;
}

/** What the page's platforms say, read again: the recommender keeps only their combined answer. */
export async function readConsentFacts(
  entries: readonly unknown[],
): Promise<Pick<ConsentFacts, 'types' | 'tcf' | 'shopify'>> {
  const { commandOf, privacyOf, PURPOSES } = await import('../../recommender/consent-sources');
  let types: Record<string, ConsentType> | undefined;
  for (const entry of entries) {
    try {
      const command = commandOf(entry as object);
      if (command === undefined) continue;
      types ??= {};
      const { isUpdate, given } = command;
      for (const name of CONSENT_TYPES) {
        const word = given[name];
        if (word !== 'granted' && word !== 'denied') continue;
        types[name] = { ...types[name], [isUpdate ? 'update' : 'default']: word };
      }
    } catch {
      // an entry that throws when it is read is no command
    }
  }
  const data = await tcfData();
  const missing = PURPOSES.filter((number) => data?.purpose?.consents?.[number] !== true);
  return {
    types,
    tcf: data?.gdprApplies === false ? 'elsewhere' : data && missing,
    shopify: preferencesIn(privacyOf()),
  };
}

function preferencesIn(api: CustomerPrivacy | undefined): unknown {
  try {
    return api?.currentVisitorConsent().preferences;
  } catch {
    return undefined;
  }
}

/** The platform's next answer; undefined if the page has none, or it does not answer. */
async function tcfData(): Promise<TcfData | undefined> {
  const { __tcfapi: api } = globalThis as { __tcfapi?: TcfApi };
  if (typeof api !== 'function') return undefined;
  return new Promise((resolve) => {
    setTimeout(resolve, PATIENCE);
    try {
      api('addEventListener', 2, (data, success) => {
        const { listenerId } = (data ?? {}) as TcfData;
        if (listenerId !== undefined) api('removeEventListener', 2, () => {}, listenerId);
        if (success === true) resolve((data ?? undefined) as TcfData | undefined);
      });
    } catch {
      resolve(undefined);
    }
  });
}

/** The sentences that explain a missing yes, one for each source; a single one where all is well. */
export function explainConsent(facts: ConsentFacts): Finding[] {
  const { status, option } = facts;
  const { consent, consentBy } = status;
  const warning = (code: string, what: string, todo?: string): Finding => ({
    code,
    severity: 'warning',
    what,
    ...(todo !== undefined && { todo }),
  });
  if (consent === 'granted') {
    return [{ code: 'consent-granted', severity: 'ok', what: 'Visits may be stored on the device.' }];
  }
  if (consentBy['privacy-control'] !== undefined) {
    const what = 'The browser sends Global Privacy Control: nothing is stored, whatever the page says.';
    return [{ code: 'consent-privacy-control', severity: 'ok', what }];
  }
  const found: Finding[] = [];
  const { page, tcf, shopify } = consentBy;
  if (page === 'denied') {
    found.push(
      option === 'denied'
        ? warning('consent-option', 'The option says consent="denied".', 'Set data-consent="auto", or leave it out.')
        : warning('consent-page', 'The page has pushed ["consent", "denied"].'),
    );
  }
  if (consentBy['other-tab'] !== undefined) {
    found.push(warning('consent-other-tab', 'Consent was withdrawn in another tab.', 'Let the visitor consent again.'));
  }
  if (option === 'manual' && page === undefined) {
    const todo = 'Push ["consent", "granted"] when the visitor agrees, or set data-consent="auto".';
    found.push(warning('consent-manual', 'With consent="manual" only the page’s command counts; none came.', todo));
  }
  if (option === 'auto') {
    if (tcf !== undefined && tcf !== 'granted') found.push(tcfFinding(facts, warning));
    if (facts.tcf === 'elsewhere') {
      const what = 'The TCF platform reports that the GDPR does not apply here, which is not consent.';
      found.push(warning('consent-tcf-elsewhere', what, 'Push ["consent", "granted"] where the law needs no answer.'));
    }
    if (shopify !== undefined && shopify !== 'granted') found.push(shopifyFinding(facts, warning));
    const mode = consentBy['consent-mode'] === 'granted' ? undefined : modeFinding(facts, warning);
    if (mode !== undefined) found.push(mode);
    if (status.degraded.some(({ code }) => code === 'consent-unread')) {
      const todo = 'Copy the whole folder of embed.js; "aisle doctor URL" names the missing file.';
      found.push(
        warning('consent-unread', 'The code that reads the page’s consent platform could not be loaded.', todo),
      );
    }
    if (found.length === 0) {
      found.push(
        warning(
          'consent-none',
          'No consent platform was found: no command of Consent Mode in the data layer, no TCF, no Shopify, no ["consent", …].',
          'Push ["consent", "granted"] when the visitor agrees. What a template of Tag Manager sets by its own interface is ' +
            'not in the data layer. If the data layer has another name, set data-data-layer.',
        ),
      );
    }
  }
  return found;
}

type Warn = (code: string, what: string, todo?: string) => Finding;

function tcfFinding({ status, tcf }: ConsentFacts, warning: Warn): Finding {
  if (status.consentBy.tcf === 'waiting') {
    const todo = 'Answer its dialogue. If it has none, it may report an error, or leave gdprApplies undefined.';
    return warning('consent-tcf-waiting', 'The TCF platform has not answered yet.', todo);
  }
  const missing =
    Array.isArray(tcf) && tcf.length > 0 ? `purposes ${tcf.join(', ')} have none` : 'one of them has none';
  return warning(
    'consent-tcf-denied',
    `The TCF platform must report consent to purposes 1, 5 and 6; ${missing}.`,
    'Legitimate interest does not replace consent. Let the platform ask for these purposes.',
  );
}

function shopifyFinding({ status, shopify }: ConsentFacts, warning: Warn): Finding {
  return shopify === 'no' || status.consentBy.shopify === 'denied'
    ? warning('consent-shopify-denied', 'In Shopify’s customer privacy, the visitor has denied “preferences”.')
    : warning(
        'consent-shopify-waiting',
        'In Shopify’s customer privacy, the visitor has not answered “preferences”.',
        'Let the shop’s cookie banner ask for preferences.',
      );
}

/** Undefined if the page has no Consent Mode. */
function modeFinding({ types, consentMap }: ConsentFacts, warning: Warn): Finding | undefined {
  if (types === undefined) return undefined;
  const wanted = consentMap?.split('|').map((name) => name.trim()) ?? ['personalization_storage'];
  const inPlay = consentMap === undefined ? [...wanted, 'functionality_storage'] : wanted;
  const latest = (name: string) => types[name]?.update ?? types[name]?.default;
  const refused = inPlay.filter((name) => types[name]?.update === 'denied');
  if (refused.length > 0) {
    return warning('consent-mode-denied', `In Consent Mode the visitor has denied ${refused.join(', ')}.`);
  }
  const waiting = inPlay.filter((name) => latest(name) === 'denied');
  if (waiting.length > 0) {
    const todo = 'Let the consent platform push an update when the visitor answers, on every page.';
    return warning(
      'consent-mode-default',
      `In Consent Mode ${waiting.join(', ')} is denied by default; no update came.`,
      todo,
    );
  }
  if (wanted.some((name) => latest(name) === 'granted')) {
    const todo = 'A default for some regions counts only if it is granted in all; wait_for_update is waited for.';
    return warning(
      'consent-mode-waiting',
      `In Consent Mode ${wanted.join(', ')} is granted by a default that does not count yet.`,
      todo,
    );
  }
  const others = ['functionality_storage', 'analytics_storage'].filter(
    (name) => latest(name) === 'granted' && !wanted.includes(name),
  );
  const todo =
    others.length === 0
      ? 'Let the consent platform ask for it.'
      : `Let the consent platform ask for it. If your banner says so, data-consent-map="${others.join('|')}" makes ${others.join(' and ')} count.`;
  return warning('consent-mode-unset', `In Consent Mode ${wanted.join(', ')} was never set.`, todo);
}
