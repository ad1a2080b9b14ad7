/** The recommender's arguments, checked and completed with their defaults. Every wrong one is a `RangeError`, at once. */
import { clock, hasOwn, isArray, keysOf } from '../captured';
import type { BackendChoice } from '../compute/types';
import { isListOf, isName, MAX_AHEAD, MAX_CANDIDATES, MAX_FEATURES, MAX_ID, MAX_WORD, RETENTION } from '../limits';
import { nearestName } from '../nearest-name';
import type { HistoryChoice } from '../session/visitor-history';
import { isCandidates, isFeatures } from '../store/records';
import type { Candidate } from '../types';
import type { LearnChoice } from './learning-types';
import type { ConsentAnswer, ConsentOption } from './privacy-types';
import type {
  ImagesChoice,
  RecommenderEvents,
  RecommenderOptions,
  RecommendOptions,
  Selection,
  Strategy,
  TrackedEvent,
} from './types';

/** What a value must be, in words, and whether it is. */
export type Check = readonly [expected: string, holds: (value: unknown) => boolean];
/** A check for each field there is, as an object so that the compiler misses none. */
export type Checks<T> = Readonly<Record<keyof T, Check>>;

export const oneOf = <T>(...choices: readonly T[]): Check => [
  choices.join(', '),
  (value) => choices.includes(value as T),
];
export const isText = (value: unknown): value is string => typeof value === 'string';
export const TEXT: Check = [`a text, at most ${MAX_ID} characters`, (value) => value === '' || isName(value)];
const text = (expected: string): Check => [expected, (value) => isText(value) && value !== ''];
const name = (expected: string, most = MAX_ID): Check => [
  `${expected}, at most ${most} characters`,
  (value) => isName(value, most),
];
const positive = (unit: string): Check => [`${unit}, more than 0`, (value) => isAtLeast(value, Number.MIN_VALUE)];
export const calls = (expected: string): Check => [expected, (value) => typeof value === 'function'];
export const isAtLeast = (value: unknown, least: number): boolean =>
  Number.isFinite(value) && (value as number) >= least;
export const IDS: Check = ['an array of item ids', (value) => isListOf(value, isText)];
const COUNT: Check = ['a whole number, at least 1', (value) => Number.isInteger(value) && (value as number) > 0];
export const ITEM = name('an item id');
export const FEATURES: Check = [`numbers or texts by name, at most ${MAX_FEATURES} characters`, isFeatures];
const CANDIDATES: Check = [
  `1 to ${MAX_CANDIDATES} of { id, kind, source }, each id of at most ${MAX_ID} characters, source of ${MAX_WORD}`,
  isCandidates,
];
export const SIGNAL: Check = ['an AbortSignal', (value) => value instanceof AbortSignal];
export const STRATEGIES: readonly Strategy[] = [
  'for-you',
  'related',
  'popular',
  'recent',
  'bought-together',
  'trending',
];
const ANSWERS: readonly ConsentAnswer[] = ['granted', 'denied'];
const CONSENT_TYPES = ['personalization_storage', 'functionality_storage', 'analytics_storage'];

export const OPTIONS: Checks<RecommenderOptions> = {
  modelUrl: text('the address of a folder'),
  catalogueUrl: text('the address of a folder'),
  backend: oneOf<BackendChoice>('auto', 'plan', 'webgpu', 'webgl', 'wasm', 'cpu'),
  maxModelBytes: positive('bytes'),
  sessionGap: positive('minutes'),
  retention: positive('days'),
  consent: oneOf<ConsentOption>('auto', 'manual', ...ANSWERS),
  consentMap: [
    `one or more of ${CONSENT_TYPES.join(', ')}, separated by |`,
    (value) => isText(value) && (value as string).split('|').every((name) => CONSENT_TYPES.includes(name.trim())),
  ],
  dataLayer: ['the name of a global', isText],
  history: oneOf<HistoryChoice>('session', 'recent', 'all'),
  images: oneOf<ImagesChoice>('artifact', 'page', 'none'),
  learn: oneOf<LearnChoice>('manual', 'auto'),
  workerUrl: text('the address of a script'),
  startDeadline: positive('seconds'),
  user: text('the id of a user'),
  now: calls('a function that gives milliseconds since 1970'),
};
const REQUEST: Checks<RecommendOptions> = {
  k: COUNT,
  exclude: IDS,
  filter: calls('a function of a product'),
  within: COUNT,
  strategy: oneOf(...STRATEGIES),
  item: ITEM,
  signal: SIGNAL,
};
const EVENT: Checks<TrackedEvent> = {
  itemId: ITEM,
  event: name('a word such as view, cart or purchase', MAX_WORD),
  time: [
    'milliseconds since 1970, at most a day from now',
    (value) => isAtLeast(value, 0) && (value as number) < clock() + MAX_AHEAD,
  ],
  pageView: TEXT,
  features: FEATURES,
  candidates: CANDIDATES,
  transaction: TEXT,
};
const EVENTS: Readonly<Record<keyof RecommenderEvents, true>> = {
  ready: true,
  recommendations: true,
  status: true,
  progress: true,
  stored: true,
  erased: true,
  select: true,
  catalogue: true,
  error: true,
};

export function checkedOptions(options: RecommenderOptions) {
  const defaults = {
    backend: 'auto',
    sessionGap: 30,
    retention: RETENTION,
    startDeadline: 10,
    now: Date.now,
    consent: 'auto',
    dataLayer: 'dataLayer',
    history: 'session',
    images: 'artifact',
    learn: 'manual',
  } as const;
  const known = { ...defaults, ...checked('createRecommender', options, OPTIONS) };
  const { modelUrl, catalogueUrl } = known;
  must('modelUrl', modelUrl, OPTIONS.modelUrl);
  if (catalogueUrl) absoluteFolder('catalogueUrl', catalogueUrl); // which one, the language tells
  return { ...known, modelUrl: absoluteFolder('modelUrl', modelUrl) };
}

export function checkedAnswer(answer: ConsentAnswer): ConsentAnswer {
  return must('consent', answer, oneOf(...ANSWERS));
}

export function checkedEvent(event: string | TrackedEvent, now: number) {
  const given = checked('track', isText(event) ? { itemId: event } : event, EVENT);
  const { itemId, features, candidates } = given;
  must('itemId', itemId, ITEM);
  return {
    event: 'view',
    time: now,
    ...given,
    ...(features && { features: { ...features } }),
    ...(candidates && { candidates: checkedCandidates(candidates) }),
  };
}

export function checkedSelection(selection: Selection): Selection {
  must('itemId', selection?.itemId, ITEM); // the rest is for listeners alone
  return selection;
}

export function checkedCandidates(candidates: readonly Candidate[]): readonly Candidate[] {
  must('candidates', candidates, CANDIDATES);
  const copies = candidates.map(({ id, kind, source }) => ({ id, kind, source }));
  return must('candidates', copies, CANDIDATES); // the page may have replaced `map`: an event of no candidates cannot be stored
}

export function checkedRequest(request: RecommendOptions = {}) {
  const known = { k: 10, exclude: [], strategy: 'for-you' as const, ...checked('recommend', request, REQUEST) };
  return { ...known, exclude: [known.exclude, known.item ?? []].flat() };
}

export function checkedEventName(event: keyof RecommenderEvents): keyof RecommenderEvents {
  if (!isText(event) || !hasOwn(EVENTS, event)) unknown('on', 'event', event, EVENTS);
  return event;
}

/** A checked copy of what is there: what is missing or undefined has a default, or is required by `must`. */
export function checked<T extends object>(name: string, value: T, checks: Checks<T>): T {
  if (typeof value !== 'object' || value === null) wrong(name, 'an object of options', value);
  for (const key of keysOf(value)) if (!hasOwn(checks, key)) unknown(name, 'option', key, checks);
  const known: Partial<T> = {};
  for (const key of keysOf(checks) as (keyof T & string)[]) {
    const given = value[key];
    if (given === undefined) continue;
    must(key, given, checks[key]);
    known[key] = given;
  }
  return known as T;
}

export function must<T>(name: string, value: T, [expected, holds]: Check): T {
  if (!holds(value)) wrong(name, expected, value);
  return value;
}

function unknown(name: string, what: string, got: unknown, known: object): never {
  const names = keysOf(known);
  const hint = isText(got) ? didYouMean(got, names) : '';
  throw new RangeError(`${name}: there is no ${what} ${printed(got)}.${hint} There are ${names.join(', ')}.`);
}

/** A sentence to be put after another one; empty where no name is near. */
export function didYouMean(got: string, names: readonly string[]): string {
  const near = nearestName(got, names);
  return near === undefined ? '' : ` Did you mean "${near}"?`;
}

function wrong(name: string, expected: string, got: unknown): never {
  throw new RangeError(`${name}: expected ${expected}, got ${printed(got)}.`);
}

/** A value as a message shows it. */
export function printed(value: unknown): string {
  if (typeof value === 'string') return value.length > MAX_WORD ? `${value.length} characters` : `"${value}"`;
  if (typeof value === 'object' && value !== null) return isArray(value) ? 'an array' : 'an object';
  return String(value);
}

/** The address seen from the page, with the `/` that a folder needs; `{file}` is in place of a file's name. */
export function absoluteFolder(name: string, address: string): string {
  const base = (globalThis as { document?: { baseURI: string } }).document?.baseURI;
  if (!URL.canParse(address, base)) wrong(name, 'a URL, absolute outside pages', address);
  const url = new URL(address, base);
  if (!/\/$|%7Bfile%7D/.test(url.pathname)) url.pathname += '/';
  return url.href;
}
