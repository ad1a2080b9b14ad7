/** Formats an export for the visitor: how much is known, and what the visitor looks at most. */

import type { Favourite } from '../../recommender/learning-types';
import type { PrivacyExport } from '../../recommender/privacy-types';
import type { DegradationCode, Status } from '../../recommender/types';
import type { PanelTexts } from './texts';

/** Most entries of each kind. */
const LONGEST = 3;
/** A single click is not shown as a favourite. */
const SINGLE = 1;

/** Where the data are. Names both places if clicks and adapter are in different ones, unless for a moment. */
export function placeOf({ sessions, learnt }: PrivacyExport, status: Status, { places }: PanelTexts): string {
  const inPage = status.consent === 'granted' && status.storage === 'idle' ? places.soon : places.page;
  const [ofClicks, ofLearnt] = [status.storage, learnt?.storage].map((storage) =>
    storage === 'indexeddb' ? places.device : inPage,
  ) as [string, string];
  if (sessions.length === 0) return learnt === undefined ? '–' : ofLearnt;
  if (learnt === undefined || ofLearnt === ofClicks) return ofClicks;
  return inPage === places.soon ? inPage : places.apart(ofClicks, ofLearnt);
}

/** Whether storing is allowed, and which source allows it. The visitor's own choice is named before the page's. */
export function answerOf({ consent, consentBy, degraded }: Status, { answers }: PanelTexts): string {
  const isDegraded = (code: DegradationCode) => degraded.some((entry) => entry.code === code);
  if (consentBy['privacy-control'] !== undefined) return answers.control;
  if (consent !== 'granted') return answers[consent];
  if (isDegraded('storage-full')) return answers.full;
  if (isDegraded('no-storage')) return answers.failed;
  const by = (['tcf', 'consent-mode', 'shopify'] as const).find((source) => consentBy[source] === 'granted');
  return answers.granted[by === 'shopify' ? 'consent-mode' : (by ?? 'page')];
}

/** How many clicks are known, and since when. */
export function amountOf({ sessions, exported }: PrivacyExport, texts: PanelTexts, language: string): string {
  const events = sessions.reduce((sum, session) => sum + session.length, 0);
  if (events === 0) return texts.noClicks;
  const first = sessions[0]?.[0]?.time ?? '';
  return texts.clicks(
    events,
    sessions.length,
    first.slice(0, 10) === exported.slice(0, 10) ? '' : dateOf(first, language),
  );
}

/** From how many clicks something was learnt. */
export function lessonOf({ learnt }: PrivacyExport, { lesson }: PanelTexts): string {
  if (learnt === undefined) return lesson.none;
  const { rate, repetition, entropy } = learnt.refused;
  return lesson.from(learnt.events - rate - repetition - entropy);
}

/** A date in words; empty if it is out of range because of a wrong clock. */
function dateOf(time: string, language: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return '';
  try {
    return date.toLocaleDateString(language, { dateStyle: 'long' });
  } catch {
    return date.toLocaleDateString(); // a `lang` that is no language
  }
}

/** What the visitor looks at most, the most frequent first, by the last level of its name if those are distinct. */
export function favouritesOf(all: readonly Favourite[] = []): Favourite[] {
  const shown = all.filter(({ events }) => events > SINGLE).slice(0, LONGEST);
  const last = shown.map(({ name }) => name.split(' > ').at(-1)!);
  return new Set(last).size < last.length ? shown : shown.map((favourite, i) => ({ ...favourite, name: last[i]! }));
}

/** The products that the adapter moves up the most. */
export function pullsOf({ learnt }: PrivacyExport): { name: string }[] {
  const titles = (learnt?.pulls ?? []).flatMap(({ title }) => title ?? []);
  return titles.slice(0, LONGEST).map((name) => ({ name }));
}

/** Whether the adapter is used; empty if nothing was learnt. */
export function gateOf({ learnt }: PrivacyExport, { used }: PanelTexts): string {
  if (learnt === undefined) return '';
  return learnt.gate.isOpen ? used.yes(learnt.gate.events) : used.no;
}
