import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Consent, ConsentWords, RecommenderOptions } from '../../src/index';
import { serveShopPage, shopVisit } from '../engine/shop-page';
import { closeServer } from '../server';
import { slice } from '../soak-slice';
import { type ConsentPage, type ConsentPageOptions, openConsentPage, storedIds, tcData } from './consent-page';

vi.setConfig({ testTimeout: 120_000 });

/** Whether the server has the script that reads the sources. */
let hasReaders = true;

const visit = shopVisit({
  answer: (path) => (!hasReaders && path.includes('consent-sources') ? { status: 404 } : undefined),
});
beforeEach(() => {
  hasReaders = true;
});
const open = (...options: ConsentPageOptions) => openConsentPage(visit.context, visit.server, ...options);

const PATIENCE = { timeout: 60_000 };

/** What is done, and what `status` says afterwards: the consent, and the words of the sources. */
type Step = readonly [command: string, consent: Consent, words: ConsentWords];

interface Walk {
  readonly options?: Partial<RecommenderOptions>;
  /** Commands of the page that run before the recommender starts; undefined: none. */
  readonly before?: string;
  /** What `status` says at first. */
  readonly first: readonly [Consent, ConsentWords];
  readonly steps: readonly Step[];
}

/**
 * Walks, and tracks a click after every step. What must then be on the device follows from the states alone: with a yes
 * what was tracked since the last refusal, after a refusal nothing at all, and while an answer is waited for what was there before.
 */
async function walk(opened: ConsentPage, { first, steps }: Pick<Walk, 'first' | 'steps'>): Promise<void> {
  let stored: string[] | undefined;
  let waiting: string[] = [];
  for (const [i, [command, consent, consentBy]] of [['', ...first] as Step, ...steps].entries()) {
    const where = `after "${steps
      .slice(0, i)
      .map(([done]) => done)
      .join('; ')}"`;
    await opened.run(command);
    await expect.poll(() => opened.words(), { ...PATIENCE, message: where }).toEqual({ consent, consentBy });
    const click = `click ${i}`;
    await opened.shop.track(click);
    if (consent === 'denied') [stored, waiting] = [undefined, []];
    else waiting.push(click);
    if (consent === 'granted') [stored, waiting] = [[...(stored ?? []), ...waiting], []];
    await opened.shop.known(); // when this is answered, what can be stored is
    await expect.poll(() => storedIds(opened.page), { ...PATIENCE, message: where }).toEqual(stored);
  }
  expect(await opened.shop.thrown()).toEqual([]);
  expect(await opened.shop.errors()).toEqual([]);
}

const page = (answer: string) => `recommender.privacy.consent('${answer}')`;
const mode = (action: string, personalization: string, more = '') =>
  `gtag('consent', '${action}', { personalization_storage: '${personalization}', ad_storage: 'denied', ${more} })`;
const tcf = (eventStatus: string, purposes: readonly number[] = [1, 5, 6], gdprApplies: unknown = true) =>
  `cmp.say(${JSON.stringify(tcData(eventStatus, purposes, gdprApplies))})`;
const LOADED = 'cmp.stub(); cmp.load()';
const analytics = (action: string, answer: string) =>
  `gtag('consent', '${action}', { analytics_storage: '${answer}', ad_storage: '${answer}' })`;
const shopify = (preferences: string) =>
  `globalThis.Shopify = { customerPrivacy: {
    currentVisitorConsent: () => ({ preferences: '${preferences}' }), preferencesProcessingAllowed: () => false } };
  document.dispatchEvent(new Event('visitorConsentCollected'))`;

const YES = { page: 'granted' } as const;
const NO = { page: 'denied' } as const;
const NONE: ConsentWords = {};
const m = (word: 'granted' | 'denied' | 'waiting') => ({ 'consent-mode': word }) as const;
const t = (word: 'granted' | 'denied' | 'waiting') => ({ tcf: word }) as const;

const ALONE: Record<string, Walk> = {
  'the page alone': {
    first: ['unknown', NONE],
    steps: [
      [page('granted'), 'granted', YES],
      [page('granted'), 'granted', YES],
      [page('denied'), 'denied', NO],
      [page('denied'), 'denied', NO],
      [page('granted'), 'granted', YES],
    ],
  },
  'the page alone, which begins with a no': {
    first: ['unknown', NONE],
    steps: [
      [page('denied'), 'denied', NO],
      [page('granted'), 'granted', YES],
      [page('denied'), 'denied', NO],
    ],
  },
  'Consent Mode, from its default of denied': {
    before: mode('default', 'denied'),
    first: ['unknown', m('waiting')],
    steps: [
      [mode('default', 'denied'), 'unknown', m('waiting')],
      [mode('update', 'granted'), 'granted', m('granted')],
      [mode('update', 'granted'), 'granted', m('granted')],
      [mode('default', 'denied'), 'granted', m('granted')],
      [mode('update', 'denied'), 'denied', m('denied')],
      [mode('update', 'denied'), 'denied', m('denied')],
      [mode('update', 'granted'), 'granted', m('granted')],
    ],
  },
  'Consent Mode, from a first no': {
    before: mode('default', 'denied'),
    first: ['unknown', m('waiting')],
    steps: [
      [mode('update', 'denied'), 'denied', m('denied')],
      [mode('update', 'granted'), 'granted', m('granted')],
    ],
  },
  'Consent Mode, where storing is the default': {
    before: mode('default', 'granted'),
    first: ['granted', m('granted')],
    steps: [
      [mode('default', 'denied'), 'unknown', m('waiting')],
      [mode('default', 'granted'), 'granted', m('granted')],
      [mode('update', 'denied'), 'denied', m('denied')],
      [mode('default', 'granted'), 'denied', m('denied')],
    ],
  },
  'Consent Mode in arrays, as Tag Manager templates push them': {
    before: `dataLayer = [{ event: 'gtm.js' }, 7, null, ['consent', 'default', { personalization_storage: 'denied' }]]`,
    first: ['unknown', m('waiting')],
    steps: [
      [`dataLayer.push(['consent', 'update', { personalization_storage: 'granted' }])`, 'granted', m('granted')],
      [`dataLayer.push({}, ['consent', 'update', { personalization_storage: 'denied' }])`, 'denied', m('denied')],
    ],
  },
  'Consent Mode with an update in the data layer already': {
    before: `${mode('default', 'denied')}; ${mode('update', 'granted')}`,
    first: ['granted', m('granted')],
    steps: [[mode('update', 'denied'), 'denied', m('denied')]],
  },
  'the TCF, from a stub that does not answer': {
    before: 'cmp.stub()',
    first: ['unknown', t('waiting')],
    steps: [
      ['', 'unknown', t('waiting')],
      ['cmp.load()', 'unknown', t('waiting')],
      [tcf('cmpuishown', []), 'unknown', t('waiting')],
      [tcf('useractioncomplete'), 'granted', t('granted')],
      [tcf('tcloaded'), 'granted', t('granted')],
      [tcf('cmpuishown'), 'granted', t('granted')],
      [tcf('useractioncomplete', []), 'denied', t('denied')],
      [tcf('tcloaded', []), 'denied', t('denied')],
      [tcf('cmpuishown', []), 'denied', t('denied')],
      [tcf('useractioncomplete'), 'granted', t('granted')],
    ],
  },
  'the TCF, from an answer of an earlier page': {
    before: `${LOADED}; ${tcf('tcloaded')}`,
    first: ['granted', t('granted')],
    steps: [[tcf('tcloaded', []), 'denied', t('denied')]],
  },
  'the TCF, from a refusal on an earlier page': {
    before: `${LOADED}; ${tcf('tcloaded', [])}`,
    first: ['denied', t('denied')],
    steps: [[tcf('useractioncomplete'), 'granted', t('granted')]],
  },
  'a listener error of the TCF': {
    before: `${LOADED}; ${tcf('tcloaded')}`,
    first: ['granted', t('granted')],
    steps: [
      ['cmp.say(null, false)', 'unknown', t('waiting')],
      [tcf('tcloaded'), 'granted', t('granted')],
      [`cmp.say({ cmpStatus: 'error' })`, 'unknown', t('waiting')],
      [tcf('tcloaded', []), 'denied', t('denied')],
      ['cmp.say(null, false)', 'denied', t('denied')],
      ['cmp.say({ get gdprApplies() { throw new Error("broken"); } })', 'denied', t('denied')],
      [tcf('useractioncomplete'), 'granted', t('granted')],
    ],
  },
  'Consent Mode by the type that the shop has named': {
    options: { consentMap: 'analytics_storage' },
    before: analytics('default', 'denied'),
    first: ['unknown', m('waiting')],
    steps: [
      [analytics('update', 'granted'), 'granted', m('granted')],
      [analytics('update', 'denied'), 'denied', m('denied')],
    ],
  },
  'Shopify, whose API comes late': {
    first: ['unknown', NONE],
    steps: [
      [shopify(''), 'unknown', { shopify: 'waiting' }],
      [shopify('yes'), 'granted', { shopify: 'granted' }],
      [shopify('no'), 'denied', { shopify: 'denied' }],
    ],
  },
  'a TCF that throws when it is asked': {
    before: `globalThis.__tcfapi = () => { throw new Error('broken'); }`,
    first: ['unknown', t('waiting')],
    steps: [[`${LOADED}; ${tcf('tcloaded')}`, 'granted', t('granted')]],
  },
  'a TCF whose platform forgets what its stub was asked': {
    before: 'cmp.stub()',
    first: ['unknown', t('waiting')],
    steps: [[`cmp.queue = []; cmp.load(); ${tcf('tcloaded')}`, 'granted', t('granted')]],
  },
  'a TCF that does not know yet whether the GDPR applies': {
    before: `${LOADED}; ${tcf('tcloaded', [1, 5, 6], null)}`,
    first: ['unknown', t('waiting')],
    steps: [
      [tcf('tcloaded'), 'granted', t('granted')],
      // Where the framework says nothing, nobody has said yes.
      [tcf('tcloaded', [1, 5, 6], false), 'unknown', NONE],
      [page('granted'), 'granted', YES],
    ],
  },
};

const TOGETHER: Record<string, Walk> = {
  'two that disagree: one no is a no': {
    before: `${mode('default', 'denied')}; ${mode('update', 'granted')}; ${LOADED}; ${tcf('tcloaded')}`,
    first: ['granted', { ...m('granted'), ...t('granted') }],
    steps: [
      [tcf('useractioncomplete', [1]), 'denied', { ...m('granted'), ...t('denied') }],
      [page('granted'), 'denied', { ...m('granted'), ...t('denied'), ...YES }],
      [tcf('useractioncomplete'), 'granted', { ...m('granted'), ...t('granted'), ...YES }],
      [mode('update', 'denied'), 'denied', { ...m('denied'), ...t('granted'), ...YES }],
      [tcf('useractioncomplete'), 'denied', { ...m('denied'), ...t('granted'), ...YES }],
      [mode('update', 'granted'), 'granted', { ...m('granted'), ...t('granted'), ...YES }],
      [page('denied'), 'denied', { ...m('granted'), ...t('granted'), ...NO }],
      [mode('update', 'granted'), 'denied', { ...m('granted'), ...t('granted'), ...NO }],
    ],
  },
  'one that says yes, and one that never answers': {
    before: `${mode('default', 'granted')}; cmp.stub()`,
    first: ['unknown', { ...m('granted'), ...t('waiting') }],
    steps: [
      [page('granted'), 'unknown', { ...m('granted'), ...t('waiting'), ...YES }],
      [page('denied'), 'denied', { ...m('granted'), ...t('waiting'), ...NO }],
    ],
  },
  'Consent Mode that comes late': {
    first: ['unknown', NONE],
    steps: [
      [page('granted'), 'granted', YES],
      [mode('update', 'denied'), 'denied', { ...YES, ...m('denied') }],
      [page('granted'), 'denied', { ...YES, ...m('denied') }],
      [mode('update', 'granted'), 'granted', { ...YES, ...m('granted') }],
    ],
  },
  'Consent Mode whose default comes late: what is stored waits for the answer': {
    first: ['unknown', NONE],
    steps: [
      [page('granted'), 'granted', YES],
      [mode('default', 'denied'), 'unknown', { ...YES, ...m('waiting') }],
      [mode('update', 'granted'), 'granted', { ...YES, ...m('granted') }],
    ],
  },
  'a TCF that comes late': {
    before: mode('default', 'granted'),
    first: ['granted', m('granted')],
    steps: [
      ['cmp.stub()', 'unknown', { ...m('granted'), ...t('waiting') }],
      [`cmp.load(); ${tcf('tcloaded')}`, 'granted', { ...m('granted'), ...t('granted') }],
      [tcf('useractioncomplete', []), 'denied', { ...m('granted'), ...t('denied') }],
    ],
  },
  'a TCF that comes late, and a refusal after what was stored had to wait': {
    first: ['unknown', NONE],
    steps: [
      [page('granted'), 'granted', YES],
      ['cmp.stub()', 'unknown', { ...YES, ...t('waiting') }],
      [`cmp.load(); ${tcf('tcloaded', [])}`, 'denied', { ...YES, ...t('denied') }],
    ],
  },
  'a data layer that the page exchanges for another': {
    before: mode('default', 'denied'),
    first: ['unknown', m('waiting')],
    steps: [
      [`dataLayer = []; ${mode('update', 'granted')}`, 'granted', m('granted')],
      [
        'Array.prototype.push.call(dataLayer, ["consent", "update", { personalization_storage: "denied" }])',
        'denied',
        m('denied'),
      ],
    ],
  },
  'a data layer of another name': {
    options: { dataLayer: 'shopLayer' },
    before: `globalThis.shopLayer = []; ${mode('default', 'granted')}`,
    first: ['unknown', NONE],
    steps: [[`shopLayer.push(['consent', 'update', { personalization_storage: 'granted' }])`, 'granted', m('granted')]],
  },
  'a page that decides for itself: "manual"': {
    options: { consent: 'manual' },
    before: `${mode('default', 'granted')}; ${LOADED}; ${tcf('tcloaded')}`,
    first: ['unknown', NONE],
    steps: [
      [page('granted'), 'granted', YES],
      [`${mode('update', 'denied')}; ${tcf('useractioncomplete', [])}`, 'granted', YES],
      [page('denied'), 'denied', NO],
    ],
  },
  'a page that knows: "granted"': {
    options: { consent: 'granted' },
    before: mode('update', 'denied'),
    first: ['granted', YES],
    steps: [[page('denied'), 'denied', NO]],
  },
  'a page that knows: "denied"': {
    options: { consent: 'denied' },
    before: mode('update', 'granted'),
    first: ['denied', NO],
    steps: [[page('granted'), 'granted', YES]],
  },
};

const CONTROL = `Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })`;
const CONTROLLED = { 'privacy-control': 'denied' } as const;

const CONTROLLED_WALKS: Record<string, Walk> = Object.fromEntries(
  (['auto', 'manual', 'granted', 'denied'] as const).map((consent) => [
    `Global Privacy Control, with "${consent}"`,
    {
      options: { consent },
      before: `${CONTROL}; ${mode('update', 'granted')}; ${LOADED}; ${tcf('tcloaded')}`,
      first: ['denied', CONTROLLED],
      steps: [
        [page('granted'), 'denied', { ...CONTROLLED, ...YES }],
        [mode('update', 'granted'), 'denied', { ...CONTROLLED, ...YES }],
        [page('denied'), 'denied', { ...CONTROLLED, ...NO }],
      ],
    },
  ]),
);

const WALKS = Object.entries({ ...ALONE, ...TOGETHER, ...CONTROLLED_WALKS });
/** What `npm test` walks: of every source its first answers and one that is odd, what disagrees, and what comes late. */
const FEW = [
  'the page alone',
  'Consent Mode, from its default of denied',
  'Consent Mode in arrays, as Tag Manager templates push them',
  'Consent Mode by the type that the shop has named',
  'the TCF, from a stub that does not answer',
  'a TCF that throws when it is asked',
  'Shopify, whose API comes late',
  'two that disagree: one no is a no',
  'one that says yes, and one that never answers',
  'a TCF that comes late',
  'a data layer that the page exchanges for another',
  'a page that decides for itself: "manual"',
  'Global Privacy Control, with "auto"',
];

describe('what is on the device follows the answer of', () => {
  test.each(slice(WALKS, ([name]) => FEW.includes(name)))('%s', async (_, { options, before, ...rest }) => {
    await walk(await open(options, before), rest);
  });
});

test('a visitor who grants only what does not count is reported, until something that counts is answered', async () => {
  const opened = await open({}, `${analytics('default', 'denied')}; ${analytics('update', 'granted')}`);
  const ignored = async () =>
    (await opened.shop.status()).degraded.find(({ code }) => code === 'consent-ignored')?.message;
  await expect
    .poll(ignored, PATIENCE)
    .toContain('Consent Mode grants analytics_storage, ad_storage, but not personalization');
  await opened.run(page('granted'));
  await expect.poll(ignored, PATIENCE).toBeUndefined();
});

/** A visit that is over, its click stored. */
async function past(): Promise<void> {
  const earlier = await open({ consent: 'granted' });
  await earlier.shop.track('earlier');
  await expect.poll(() => storedIds(earlier.page), PATIENCE).toEqual(['earlier']);
  await earlier.page.close();
}

describe('what an earlier visit stored', () => {
  const asked = [
    ['Consent Mode', mode('default', 'denied', 'wait_for_update: 500'), mode('update', 'granted'), m],
    ['the TCF', 'cmp.stub()', `cmp.load(); ${tcf('tcloaded')}`, t],
  ] as const;
  test.each(slice(asked, ([by]) => by === 'the TCF'))(
    'is kept, and not read, until %s says the yes again, as it does on every page',
    async (_, before, answer, by) => {
      await past();
      const next = await open({}, before);
      await expect.poll(() => next.words(), PATIENCE).toEqual({ consent: 'unknown', consentBy: by('waiting') });
      expect(await next.shop.known()).toEqual([]);
      expect(await storedIds(next.page)).toEqual(['earlier']);
      await next.run(answer);
      await expect.poll(() => next.shop.known(), PATIENCE).toEqual(['earlier']);
      await next.shop.track('next');
      await expect.poll(() => storedIds(next.page), PATIENCE).toEqual(['earlier', 'next']);
    },
  );

  const refusals = [
    ['Consent Mode', mode('update', 'denied')],
    ['the TCF', `${LOADED}; ${tcf('tcloaded', [])}`],
    ['Global Privacy Control', CONTROL],
  ] as const;
  test.each(slice(refusals, ([by]) => by !== 'the TCF'))('is erased by a refusal by %s', async (_, before) => {
    await past();
    const next = await open({}, before);
    await expect.poll(() => storedIds(next.page), PATIENCE).toBeUndefined();
    expect(await next.shop.known()).toEqual([]);
  });
});

describe('tabs', () => {
  test('stop together, and one whose platform has not received the refusal does not begin again', async () => {
    const before = `${mode('default', 'denied')}; ${mode('update', 'granted')}; ${LOADED}; ${tcf('tcloaded')}`;
    const [one, other] = [await open({}, before), await open({}, before)];
    const both = { ...m('granted'), ...t('granted') };
    for (const tab of [one, other]) {
      await expect.poll(() => tab.words(), PATIENCE).toEqual({ consent: 'granted', consentBy: both });
      await tab.shop.track('click');
    }
    await expect.poll(() => storedIds(one.page), PATIENCE).toHaveLength(2);
    await one.run(tcf('useractioncomplete', []));
    const elsewhere = { consent: 'denied', consentBy: { ...both, 'other-tab': 'denied' } };
    await expect.poll(() => other.words(), PATIENCE).toEqual(elsewhere);
    await expect.poll(() => storedIds(other.page), PATIENCE).toBeUndefined();
    await other.run(`${tcf('tcloaded')}; ${mode('default', 'granted')}`);
    expect(await other.words()).toEqual(elsewhere);
    await other.shop.track('more');
    expect(await storedIds(other.page)).toBeUndefined();
    await other.run(tcf('useractioncomplete'));
    await expect.poll(() => other.words(), PATIENCE).toEqual({ consent: 'granted', consentBy: both });
    await other.shop.track('again');
    await expect.poll(() => storedIds(other.page), PATIENCE).toEqual(['again']);
  });
});

describe('a page whose consent cannot be read', () => {
  test('stores nothing, whatever it says itself, says so, and tries again', async () => {
    hasReaders = false;
    const opened = await open({}, mode('default', 'granted'));
    const codes = async () => (await opened.shop.status()).degraded.map(({ code }) => code);
    await expect.poll(codes, PATIENCE).toEqual(['consent-unread']);
    await opened.run(page('granted'));
    await opened.shop.track('click');
    await opened.shop.known();
    expect((await opened.words()).consent).toBe('unknown');
    expect(await storedIds(opened.page)).toBeUndefined();
    expect((await opened.shop.ask()) as unknown[]).toHaveLength(20);
    hasReaders = true;
    await expect.poll(codes, PATIENCE).toEqual([]);
    await expect.poll(() => storedIds(opened.page), PATIENCE).toEqual(['click']);
  });
});

test('a platform is looked for during the first minute, and then when something happens', async () => {
  const opened = await open(
    {},
    `
      const { setInterval: every } = globalThis;
      globalThis.setInterval = (work, milliseconds) => every(work, milliseconds / 100);
      Object.assign(globalThis, { looks: 0, asked: [], platform: undefined });
      Object.defineProperty(globalThis, '__tcfapi', { get: () => (looks++, platform) });
      globalThis.arrives = (how) => {
        platform = (command) => command === 'addEventListener' && asked.push(how);
      }`,
  );
  const looks = () => opened.page.evaluate('looks');
  const passes = () => opened.run('await new Promise((next) => setTimeout(next, 300))');
  await expect.poll(looks, PATIENCE).toBeGreaterThanOrEqual(120);
  await passes();
  const before = await looks();
  await passes();
  expect(await looks()).toBe(before);

  const asked: string[] = [];
  for (const [how, command] of Object.entries({
    'with a click': 'document.body.click()',
    'with a script':
      'document.head.append(Object.assign(document.createElement("script"), { src: "/lib/index.js", type: "module" }))',
    'while the page is hidden': 'document.dispatchEvent(new Event("visibilitychange"))',
    'while another window has the focus': 'dispatchEvent(new Event("focus"))',
    'before a click is tracked': 'recommender.track("click")',
    'before suggestions are asked for': 'await recommender.recommend()',
  })) {
    await opened.run(`arrives('${how}'); ${command}`);
    asked.push(how);
    await expect.poll(() => opened.page.evaluate('asked'), PATIENCE).toEqual(asked);
  }
  expect(await opened.words()).toEqual({ consent: 'unknown', consentBy: t('waiting') });
  await opened.run('await recommender.dispose(); document.body.click()');
  await passes();
  const after = await looks();
  await opened.run('document.body.click()');
  await passes();
  expect(await looks()).toBe(after);
  expect(await opened.shop.thrown()).toEqual([]);
});

test('a page without a platform loads nothing to read one', async () => {
  const paths: string[] = [];
  const own = await serveShopPage({}, paths);
  const opened = await openConsentPage(visit.context, own);
  await opened.run(`dataLayer = [{ event: 'view_item' }, ['config', 'G-1']]; ${page('granted')}`);
  await opened.shop.track('click');
  await expect.poll(() => storedIds(opened.page), PATIENCE).toEqual(['click']);
  expect(paths.filter((path) => path.includes('consent'))).toEqual([]);
  await opened.page.close();
  closeServer(own);
});

test('dispose takes back what was registered with the page', async () => {
  const before = `${mode('default', 'granted')}; ${LOADED}; ${tcf('tcloaded')}; globalThis.push = dataLayer.push`;
  const opened = await open({}, before);
  const listeners = () => opened.page.evaluate('cmp.listeners.size');
  const isOwn = () => opened.page.evaluate('dataLayer.push === globalThis.push');
  await expect.poll(() => opened.words(), PATIENCE).toMatchObject({ consent: 'granted' });
  expect([await listeners(), await isOwn()]).toEqual([1, false]);
  await opened.run('await recommender.dispose()');
  expect([await listeners(), await isOwn()]).toEqual([0, true]);
  expect(await opened.shop.thrown()).toEqual([]);
});
