/** The recommender's arguments, checked and completed with their defaults. Every wrong one is a `RangeError`, at once. */
import type { BackendChoice } from '../engine/engine';
import { nearestName } from '../errors';
import type { RecommenderEvents, RecommenderOptions, RecommendOptions, TrackedEvent } from '../recommender';
import type { HistoryChoice } from '../session/visitor-history';
import type { ConsentAnswer, ConsentOption } from './consent';
import type { ImagesChoice } from './pictures';
import type { Strategy } from './strategies';

const BACKENDS: readonly BackendChoice[] = ['auto', 'webgpu', 'webgl', 'wasm', 'cpu'];
const STRATEGIES: readonly Strategy[] = ['for-you', 'related', 'popular', 'recent'];
const IMAGES: readonly ImagesChoice[] = ['artifact', 'page', 'none'];
const ANSWERS: readonly ConsentAnswer[] = ['granted', 'denied'];
const CONSENTS: readonly ConsentOption[] = ['auto', 'manual', ...ANSWERS];
const HISTORIES: readonly HistoryChoice[] = ['session', 'recent', 'all'];

/** Every option, event and field there is, as an object so that the compiler misses none. */
const OPTIONS: Record<keyof RecommenderOptions, true> = {
  modelUrl: true,
  backend: true,
  sessionGap: true,
  consent: true,
  dataLayer: true,
  history: true,
  images: true,
  workerUrl: true,
  startDeadline: true,
  user: true,
  now: true,
};
const REQUEST: Record<keyof RecommendOptions, true> = {
  k: true,
  exclude: true,
  filter: true,
  within: true,
  strategy: true,
  item: true,
  signal: true,
};
const EVENT: Record<keyof TrackedEvent, true> = {
  itemId: true,
  event: true,
  time: true,
  pageView: true,
  features: true,
};
const EVENTS: Record<keyof RecommenderEvents, true> = {
  ready: true,
  recommendations: true,
  status: true,
  progress: true,
  stored: true,
  erased: true,
  error: true,
};

/** Names of the options of `createRecommender`. */
export const OPTION_NAMES = Object.keys(OPTIONS);

export function checkedOptions(options: RecommenderOptions) {
  const known = object('createRecommender', options, OPTIONS);
  const { modelUrl, backend = 'auto', sessionGap = 30, workerUrl, startDeadline = 10, now = Date.now } = known;
  const { consent = 'auto', dataLayer = 'dataLayer', history = 'session', images = 'artifact', user } = known;
  if (typeof modelUrl !== 'string' || modelUrl === '') {
    wrong('modelUrl', 'the address of an artifact folder', modelUrl);
  }
  if (!BACKENDS.includes(backend)) wrong('backend', BACKENDS.join(', '), backend);
  if (!(Number.isFinite(sessionGap) && sessionGap > 0)) wrong('sessionGap', 'minutes, more than 0', sessionGap);
  if (!CONSENTS.includes(consent)) wrong('consent', CONSENTS.join(', '), consent);
  if (typeof dataLayer !== 'string') wrong('dataLayer', 'the name of a global', dataLayer);
  if (!HISTORIES.includes(history)) wrong('history', HISTORIES.join(', '), history);
  if (!IMAGES.includes(images)) wrong('images', IMAGES.join(', '), images);
  if (workerUrl !== undefined && (typeof workerUrl !== 'string' || workerUrl === '')) {
    wrong('workerUrl', 'the address of the worker script', workerUrl);
  }
  if (!(Number.isFinite(startDeadline) && startDeadline > 0)) {
    wrong('startDeadline', 'seconds, more than 0', startDeadline);
  }
  if (user !== undefined && (typeof user !== 'string' || user === '')) wrong('user', 'the id of a user', user);
  if (typeof now !== 'function') wrong('now', 'a function that gives milliseconds since 1970', now);
  const rest = { backend, sessionGap, consent, dataLayer, history, images, workerUrl, startDeadline, user, now };
  return { modelUrl: absolute(modelUrl), ...rest };
}

export function checkedAnswer(answer: ConsentAnswer): ConsentAnswer {
  if (!ANSWERS.includes(answer)) wrong('consent', ANSWERS.join(' or '), answer);
  return answer;
}

export function checkedEvent(event: string | TrackedEvent, now: number) {
  const {
    itemId,
    event: kind = 'view',
    time = now,
    pageView,
    features,
  }: TrackedEvent = typeof event === 'string' ? { itemId: event } : object('track', event, EVENT);
  if (typeof itemId !== 'string' || itemId === '') wrong('itemId', 'an item id', itemId);
  if (typeof kind !== 'string' || kind === '') wrong('event', 'a word such as view, cart or purchase', kind);
  if (!(Number.isFinite(time) && time >= 0)) wrong('time', 'milliseconds since 1970', time);
  if (pageView !== undefined && typeof pageView !== 'string') wrong('pageView', 'a text', pageView);
  const isFeature = (value: unknown) => typeof value === 'number' || typeof value === 'string';
  if (features !== undefined && !(isPlain(features) && Object.values(features).every(isFeature))) {
    wrong('features', 'numbers or texts by name', features);
  }
  return { itemId, kind, time, pageView, ...(features && { features: { ...features } }) };
}

const isPlain = (value: unknown) => typeof value === 'object' && value !== null;

export function checkedRequest(request: RecommendOptions = {}) {
  const known = object('recommend', request, REQUEST);
  const { k = 10, exclude = [], strategy = 'for-you', item, filter, within, signal } = known;
  for (const [name, count] of Object.entries({ k, within })) {
    const isCount = count === undefined || (Number.isInteger(count) && count > 0);
    if (!isCount) wrong(name, 'a whole number, at least 1', count);
  }
  checkedIds('exclude', exclude);
  if (!STRATEGIES.includes(strategy)) wrong('strategy', STRATEGIES.join(', '), strategy);
  if (item !== undefined && (typeof item !== 'string' || item === '')) wrong('item', 'an item id', item);
  if (filter !== undefined && typeof filter !== 'function') wrong('filter', 'a function of a product', filter);
  if (signal !== undefined && !(signal instanceof AbortSignal)) wrong('signal', 'an AbortSignal', signal);
  return { k, exclude: item === undefined ? [...exclude] : [...exclude, item], strategy, item, filter, within, signal };
}

export function checkedIds(name: string, ids: readonly string[]): readonly string[] {
  if (!Array.isArray(ids) || ids.some((id) => typeof id !== 'string')) wrong(name, 'an array of item ids', ids);
  return ids;
}

export function checkedEventName(event: keyof RecommenderEvents): keyof RecommenderEvents {
  if (!Object.hasOwn(EVENTS, event)) unknown('on', 'event', event, EVENTS);
  return event;
}

function object<T extends object>(name: string, value: T, known: Readonly<Record<string, true>>): T {
  if (typeof value !== 'object' || value === null) wrong(name, 'an object of options', value);
  for (const key of Object.keys(value)) if (!Object.hasOwn(known, key)) unknown(name, 'option', key, known);
  return value;
}

function unknown(name: string, what: string, got: unknown, known: Readonly<Record<string, true>>): never {
  const names = Object.keys(known);
  const near = nearestName(String(got), names);
  const hint = near === undefined ? '' : ` Did you mean "${near}"?`;
  throw new RangeError(`${name}: there is no ${what} ${printed(got)}.${hint} There are ${names.join(', ')}.`);
}

function wrong(name: string, expected: string, got: unknown): never {
  throw new RangeError(`${name}: expected ${expected}, got ${printed(got)}.`);
}

function printed(value: unknown): string {
  if (typeof value === 'string') return `"${value}"`;
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}

/** The address seen from the page, with the `/` that a folder needs. */
function absolute(modelUrl: string): string {
  const base = (globalThis as { document?: { baseURI: string } }).document?.baseURI;
  if (!URL.canParse(modelUrl, base)) wrong('modelUrl', 'a URL (absolute where there is no page)', modelUrl);
  const url = new URL(modelUrl, base);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url.href;
}
