/** What an export says, in the words of a person: how much is known, and what the visitor looks at most. */
import type { CatalogueItem } from '../../checkpoint/artifact';
import type { Status } from '../../recommender';
import type { PrivacyExport } from '../../recommender/privacy';
import type { PanelTexts } from './texts';

/** One thing that the visitor looks at more than once. */
export interface Favourite {
  readonly name: string;
  /** Of all clicks of which it is known, 0…1. */
  readonly share: number;
}

/** Most of each kind that are told. */
const LONGEST = 3;
/** A single click tells nothing of a person. */
const LEAST = 2;

/** Where it is kept. */
export function placeOf({ storage, consent }: Status, { places }: PanelTexts): string {
  if (storage === 'indexeddb') return places.device;
  return consent === 'granted' && storage === 'idle' ? places.soon : places.page;
}

/** Whether it may be kept on the device, and by whose word it may not. */
export function answerOf({ consent, consentBy, degraded }: Status, { answers }: PanelTexts): string {
  const isTold = (code: string) => degraded.some((entry) => entry.code === code);
  if (consentBy['privacy-control'] !== undefined) return answers.control;
  if (consent !== 'granted') return answers[consent];
  return isTold('storage-full') ? answers.full : isTold('no-storage') ? answers.failed : answers.granted;
}

/** How much is known, and since when. */
export function amountOf({ sessions, exported }: PrivacyExport, texts: PanelTexts, language: string): string {
  const events = sessions.reduce((sum, session) => sum + session.length, 0);
  if (events === 0) return texts.nothing;
  const first = sessions[0]?.[0]?.time ?? '';
  return texts.clicks(
    events,
    sessions.length,
    first.slice(0, 10) === exported.slice(0, 10) ? '' : dateOf(first, language),
  );
}

/** A date in words; empty where a clock was wrong by more than a calendar has. */
function dateOf(time: string, language: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return '';
  try {
    return date.toLocaleDateString(language, { dateStyle: 'long' });
  } catch {
    return date.toLocaleDateString(); // a `lang` that is no language
  }
}

/**
 * What most of the clicks are of, the most frequent first; each click counts once.
 *
 * @param nameOf Its name, if the catalogue has one.
 */
export function favouritesOf(
  { sessions }: PrivacyExport,
  products: ReadonlyMap<string, CatalogueItem>,
  nameOf: (product: CatalogueItem) => string | undefined,
): Favourite[] {
  const counts = new Map<string, number>();
  let total = 0;
  for (const { itemId } of sessions.flat()) {
    const product = products.get(itemId);
    const name = product && nameOf(product);
    if (!name) continue;
    total++;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count >= LEAST)
    .sort(([, a], [, b]) => b - a)
    .slice(0, LONGEST)
    .map(([name, count]) => ({ name, share: count / total }));
}

/** The products to which what was learnt draws the most. */
export function pullsOf({ learnt }: PrivacyExport): { name: string }[] {
  const titles = (learnt?.pulls ?? []).flatMap(({ title }) => title ?? []);
  return titles.slice(0, LONGEST).map((name) => ({ name }));
}

/** Whether what was learnt is used; empty where nothing was. */
export function gateOf({ learnt }: PrivacyExport, { used }: PanelTexts): string {
  if (learnt === undefined) return '';
  return learnt.gate.isOpen ? used.yes(learnt.gate.events) : used.no;
}
