/** The recommender's arguments, checked and completed with their defaults. Every wrong one is a `RangeError`, at once. */
import type { BackendChoice } from '../engine/engine';
import type { RecommenderOptions, RecommendOptions, Strategy, TrackedEvent } from '../recommender';
import type { HistoryChoice } from '../session/visitor-history';
import type { ConsentAnswer, ConsentOption } from './consent';

const BACKENDS: readonly BackendChoice[] = ['auto', 'webgpu', 'webgl', 'wasm', 'cpu'];
const STRATEGIES: readonly Strategy[] = ['for-you', 'popular'];
const ANSWERS: readonly ConsentAnswer[] = ['granted', 'denied'];
const CONSENTS: readonly ConsentOption[] = ['auto', 'manual', ...ANSWERS];
const HISTORIES: readonly HistoryChoice[] = ['session', 'recent', 'all'];

export function checkedOptions(options: RecommenderOptions) {
  const known = object('createRecommender', options);
  const { modelUrl, backend = 'auto', sessionGap = 30, workerUrl, startDeadline = 10, now = Date.now } = known;
  const { consent = 'auto', history = 'session' } = known;
  if (typeof modelUrl !== 'string' || modelUrl === '') {
    wrong('modelUrl', 'the address of an artifact folder', modelUrl);
  }
  if (!BACKENDS.includes(backend)) wrong('backend', BACKENDS.join(', '), backend);
  if (!(Number.isFinite(sessionGap) && sessionGap > 0)) wrong('sessionGap', 'minutes, more than 0', sessionGap);
  if (!CONSENTS.includes(consent)) wrong('consent', CONSENTS.join(', '), consent);
  if (!HISTORIES.includes(history)) wrong('history', HISTORIES.join(', '), history);
  if (workerUrl !== undefined && (typeof workerUrl !== 'string' || workerUrl === '')) {
    wrong('workerUrl', 'the address of the worker script', workerUrl);
  }
  if (!(Number.isFinite(startDeadline) && startDeadline > 0)) {
    wrong('startDeadline', 'seconds, more than 0', startDeadline);
  }
  if (typeof now !== 'function') wrong('now', 'a function that gives milliseconds since 1970', now);
  return { modelUrl: absolute(modelUrl), backend, sessionGap, consent, history, workerUrl, startDeadline, now };
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
  } = typeof event === 'string' ? { itemId: event } : object('track', event);
  if (typeof itemId !== 'string' || itemId === '') wrong('itemId', 'an item id', itemId);
  if (typeof kind !== 'string' || kind === '') wrong('event', 'a word such as view, cart or purchase', kind);
  if (!(Number.isFinite(time) && time >= 0)) wrong('time', 'milliseconds since 1970', time);
  return { itemId, kind, time };
}

export function checkedRequest(request: RecommendOptions = {}) {
  const { k = 10, exclude = [], strategy = 'for-you', signal } = object('recommend', request);
  if (!(Number.isInteger(k) && k > 0)) wrong('k', 'a whole number, at least 1', k);
  if (!Array.isArray(exclude) || exclude.some((id) => typeof id !== 'string')) {
    wrong('exclude', 'an array of item ids', exclude);
  }
  if (!STRATEGIES.includes(strategy)) wrong('strategy', STRATEGIES.join(' or '), strategy);
  if (signal !== undefined && !(signal instanceof AbortSignal)) wrong('signal', 'an AbortSignal', signal);
  return { k, exclude: [...exclude], strategy, signal };
}

function object<T extends object>(name: string, value: T): T {
  if (typeof value !== 'object' || value === null) wrong(name, 'an object of options', value);
  return value;
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
