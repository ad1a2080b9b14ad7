/** What the commands of Consent Mode and the events of the TCF come to, in every form that they have. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createConsentMode } from '../../src/recommender/consent-mode';
import { createShopify } from '../../src/recommender/consent-shopify';
import { createTcf } from '../../src/recommender/consent-tcf';
import type { ConsentWord } from '../../src/recommender/privacy-types';
import { tcData } from './consent-page';

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

type Command = readonly ['default' | 'update', Readonly<Record<string, unknown>>];

/** The word after each of the commands that said something. */
const wordsOf = (...commands: readonly Command[]) => mapped(undefined, ...commands).words;

/** With types of the shop's own; besides, what was granted and does not count. */
function mapped(map: string | undefined, ...commands: readonly Command[]) {
  const words: (ConsentWord | undefined)[] = [];
  const ignored: string[] = [];
  const mode = createConsentMode(
    map,
    (word) => words.push(word),
    (message) => ignored.push(message),
  );
  for (const command of commands) mode.read(['consent', ...command]);
  return { words, ignored };
}
const P = 'personalization_storage';
const F = 'functionality_storage';

describe('Consent Mode', () => {
  test.each<[string, Command[], ConsentWord | undefined]>([
    ['personalization granted', [['update', { [P]: 'granted' }]], 'granted'],
    ['functionality alone is no yes', [['update', { [F]: 'granted' }]], undefined],
    ['functionality refused is a no', [['update', { [P]: 'granted', [F]: 'denied' }]], 'denied'],
    ['both granted', [['update', { [P]: 'granted', [F]: 'granted' }]], 'granted'],
    [
      'an update counts for its types only',
      [
        ['default', { [P]: 'denied', [F]: 'denied' }],
        ['update', { [P]: 'granted' }],
      ],
      'waiting',
    ],
    [
      'updates add up',
      [
        ['update', { [P]: 'granted' }],
        ['update', { [F]: 'denied' }],
      ],
      'denied',
    ],
    [
      'the last update counts',
      [
        ['update', { [P]: 'denied' }],
        ['update', { [P]: 'granted' }],
      ],
      'granted',
    ],
    [
      'the last default counts',
      [
        ['default', { [P]: 'denied' }],
        ['default', { [P]: 'granted' }],
      ],
      'granted',
    ],
    [
      'a default changes no update',
      [
        ['update', { [P]: 'granted' }],
        ['default', { [P]: 'denied' }],
      ],
      'granted',
    ],
    [
      'granted everywhere',
      [
        ['default', { [P]: 'granted' }],
        ['default', { [P]: 'granted', region: ['ES'] }],
      ],
      'granted',
    ],
    [
      'denied somewhere',
      [
        ['default', { [P]: 'granted' }],
        ['default', { [P]: 'denied', region: ['ES', 'US-AK'] }],
      ],
      undefined,
    ],
    [
      'granted somewhere',
      [
        ['default', { [P]: 'denied' }],
        ['default', { [P]: 'granted', region: ['US'] }],
      ],
      'waiting',
    ],
    ['granted somewhere, and nothing said elsewhere', [['default', { [P]: 'granted', region: ['US'] }]], undefined],
    ['a region that is no list', [['default', { [P]: 'granted', region: 'US' }]], undefined],
    ['a list without regions is everywhere', [['default', { [P]: 'granted', region: [] }]], 'granted'],
    [
      'regions differ, and the visitor answers',
      [
        ['default', { [P]: 'denied', region: ['ES'] }],
        ['update', { [P]: 'granted' }],
      ],
      'granted',
    ],
  ])('%s', (_, commands, word) => {
    expect(wordsOf(...commands).at(-1)).toBe(word);
  });

  test.each<[string, object]>([
    ['advertising and analytics', ['consent', 'update', { ad_storage: 'granted', analytics_storage: 'granted' }]],
    ['another command', ['config', 'update', { [P]: 'granted' }]],
    ['another action', ['consent', 'ask', { [P]: 'granted' }]],
    ['no values', ['consent', 'update']],
    ['null', ['consent', 'update', null]],
    ['values that are no words of it', ['consent', 'update', { [P]: true, [F]: 'GRANTED' }]],
    ['an event', { event: 'consent', [P]: 'granted' }],
  ])('hears nothing in %s', (_, entry) => {
    const report = vi.fn();
    createConsentMode(undefined, report, () => {}).read(entry);
    expect(report).not.toHaveBeenCalled();
  });

  describe('with types that the shop has named', () => {
    const A = 'analytics_storage';
    test.each<[string, string, Command[], ConsentWord | undefined]>([
      ['one alone', A, [['update', { [A]: 'granted' }]], 'granted'],
      ['one refused', A, [['update', { [A]: 'denied', [P]: 'granted' }]], 'denied'],
      ['others do not count', A, [['update', { [P]: 'granted', ad_storage: 'granted' }]], undefined],
      ['of three, the one that is set', `${P}|${F}|${A}`, [['update', { [A]: 'granted' }]], 'granted'],
      ['all that are set', `${P} | ${A}`, [['update', { [P]: 'granted', [A]: 'granted' }]], 'granted'],
      ['one of two refused', `${P}|${A}`, [['update', { [P]: 'denied', [A]: 'granted' }]], 'denied'],
      ['a default that is denied is waited for', A, [['default', { [A]: 'denied' }]], 'waiting'],
    ])('%s', (_, map, commands, word) => {
      expect(mapped(map, ...commands).words.at(-1)).toBe(word);
    });
  });

  test('tells what a visitor grants that does not count, where nothing that counts is answered', () => {
    const standard = { ad_storage: 'granted', analytics_storage: 'granted' };
    expect(mapped(undefined, ['update', standard]).ignored).toEqual([
      expect.stringContaining('grants ad_storage, analytics_storage, but not personalization_storage'),
    ]);
    expect(mapped(undefined, ['default', { [P]: 'denied' }], ['update', standard]).ignored).toHaveLength(1);
    expect(mapped('analytics_storage', ['update', standard]).ignored).toEqual([]);
    expect(mapped(undefined, ['update', { ...standard, [P]: 'granted' }]).ignored).toEqual([]);
    expect(mapped(undefined, ['update', { ...standard, [P]: 'denied' }]).ignored).toEqual([]);
    expect(mapped(undefined, ['default', standard]).ignored).toEqual([]);
    expect(mapped(undefined, ['update', { analytics_storage: 'denied' }]).ignored).toEqual([]);
  });

  test('waits for an update as long as a default asks for it, and no longer than a minute', () => {
    for (const [asked, waits] of [
      [500, 500],
      [1e9, 60_000],
    ] as const) {
      const words: unknown[] = [];
      const mode = createConsentMode(
        undefined,
        (word) => words.push(word),
        () => {},
      );
      mode.read(['consent', 'default', { [P]: 'granted', wait_for_update: asked }]);
      vi.advanceTimersByTime(waits - 1);
      expect(words).toEqual(['waiting']);
      vi.advanceTimersByTime(1);
      expect(words).toEqual(['waiting', 'granted']);
    }
  });

  test('waits no longer when the update is there, and not at all for what is no time', () => {
    const wait = { [P]: 'granted', wait_for_update: 500 };
    expect(wordsOf(['default', wait], ['update', { [P]: 'granted' }])).toEqual(['waiting', 'granted']);
    for (const wait_for_update of [0, -1, Number.NaN, '500', null]) {
      expect(wordsOf(['default', { [P]: 'granted', wait_for_update }])).toEqual(['granted']);
    }
  });

  test('tells nothing after it was stopped', () => {
    const words: unknown[] = [];
    const mode = createConsentMode(
      undefined,
      (word) => words.push(word),
      () => {},
    );
    mode.read(['consent', 'default', { [P]: 'granted', wait_for_update: 500 }]);
    mode.stop();
    vi.advanceTimersByTime(1000);
    expect(words).toEqual(['waiting']);
  });
});

describe('the TCF', () => {
  /** The words and whether they are new, after each event of a platform that is asked at once. */
  function received(...events: readonly (readonly [data: unknown, success?: unknown])[]): unknown[] {
    const words: unknown[] = [];
    const api = (_: string, __: number, callback: (data: unknown, success: unknown) => void) => {
      for (const [data, success = true] of events) callback(data, success);
    };
    vi.stubGlobal('__tcfapi', api);
    createTcf((word, isNew) => words.push(isNew ? `new ${word}` : word)).look();
    return words;
  }

  test.each<[string, readonly number[], string]>([
    ['1, 5 and 6', [1, 5, 6], 'granted'],
    ['all', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 'granted'],
    ['5 and 6', [5, 6], 'denied'],
    ['1 and 6', [1, 6], 'denied'],
    ['1 and 5', [1, 5], 'denied'],
    ['1, 3 and 4: advertising', [1, 3, 4], 'denied'],
    ['none', [], 'denied'],
  ])('consent to purposes %s', (_, purposes, word) => {
    expect(received([tcData('tcloaded', purposes)])).toEqual(['waiting', word]);
    expect(received([tcData('useractioncomplete', purposes)])).toEqual(['waiting', `new ${word}`]);
  });

  test('legitimate interest is no consent', () => {
    const purpose = { consents: { 1: true }, legitimateInterests: { 5: true, 6: true } };
    expect(received([{ ...tcData('tcloaded', []), purpose }])).toEqual(['waiting', 'denied']);
  });

  test.each<[string, unknown, unknown?]>([
    ['nothing', undefined],
    ['no success', null, false],
    ['a success that is none', tcData('tcloaded', [1, 5, 6]), 'yes'],
    ['a text', 'tcloaded'],
    ['an error of the platform', { ...tcData('tcloaded', [1, 5, 6]), cmpStatus: 'error' }],
    ['the GDPR may apply', tcData('tcloaded', [1, 5, 6], null)],
    ['questions', tcData('cmpuishown', [1, 5, 6])],
    ['an event of another version', tcData('loaded', [1, 5, 6])],
  ])('is waited for where it says %s', (_, data, success = true) => {
    expect(new Set(received([data, success]))).toEqual(new Set(['waiting']));
  });

  test('without purposes is a no', () => {
    expect(received([{ ...tcData('tcloaded', []), purpose: undefined }])).toEqual(['waiting', 'denied']);
  });

  test('unregisters a listener whose answer comes after the end', () => {
    const calls: unknown[] = [];
    let answer: (data: unknown, success: unknown) => void = () => {};
    vi.stubGlobal('__tcfapi', (command: string, _: number, callback: typeof answer, id?: unknown) => {
      calls.push([command, id]);
      if (command === 'addEventListener') answer = callback;
    });
    const report = vi.fn();
    const tcf = createTcf(report);
    tcf.look();
    tcf.stop();
    answer({ ...tcData('tcloaded', [1, 5, 6]), listenerId: 7 }, true);
    expect(calls).toEqual([
      ['addEventListener', undefined],
      ['removeEventListener', 7],
    ]);
    expect(report).toHaveBeenCalledTimes(1);
  });
});

describe('Shopify', () => {
  /** A page whose visitor has said this of preferences, in a region where Shopify allows that much before. */
  function page(preferences: unknown, allowed: unknown = false) {
    const api = {
      preferences,
      currentVisitorConsent: () => ({ marketing: 'yes', analytics: 'yes', preferences: api.preferences }),
      preferencesProcessingAllowed: () => allowed,
    };
    const document = new EventTarget();
    vi.stubGlobal('document', document);
    vi.stubGlobal('Shopify', { customerPrivacy: api });
    const words: unknown[] = [];
    const shopify = createShopify((word, isNew) => words.push(isNew ? `new ${word}` : word));
    const answer = (preferences: unknown) => {
      api.preferences = preferences;
      document.dispatchEvent(new Event('visitorConsentCollected'));
    };
    return { shopify, words, answer, api };
  }

  test.each<[unknown, unknown, string]>([
    ['yes', false, 'granted'],
    ['no', true, 'denied'],
    ['', true, 'granted'],
    ['', false, 'waiting'],
    [undefined, 'yes', 'waiting'],
  ])('preferences %j, allowed %j', (preferences, allowed, word) => {
    const { shopify, words } = page(preferences, allowed);
    shopify.look();
    shopify.look();
    expect(words).toEqual([word]);
  });

  test('hears each answer, until it is stopped', () => {
    const { shopify, words, answer } = page('');
    shopify.look();
    answer('yes');
    answer('yes');
    answer('no');
    shopify.stop();
    answer('yes');
    expect(words).toEqual(['waiting', 'new granted', 'new granted', 'new denied']);
  });

  test('is no source before its API is loaded, and waited for where it throws, but not after a no', () => {
    const { shopify, words, api } = page('yes');
    vi.stubGlobal('Shopify', { loadFeatures() {} });
    shopify.look();
    expect(words).toEqual([]);
    vi.stubGlobal('Shopify', { customerPrivacy: api });
    shopify.look();
    api.currentVisitorConsent = () => {
      throw new Error('not now');
    };
    shopify.look();
    expect(words).toEqual(['granted', 'waiting']);
    api.currentVisitorConsent = () => ({ marketing: '', analytics: '', preferences: 'no' });
    shopify.look();
    api.currentVisitorConsent = () => {
      throw new Error('not now');
    };
    shopify.look();
    expect(words).toEqual(['granted', 'waiting', 'denied']);
  });
});
