/**
 * The report to pass on. It is written from fixed sentences, numbers and words of closed lists alone, never from messages: what
 * the page or a file can choose, such as ids, titles, addresses and names, is in none of them.
 */
import { STRATEGIES } from '../../recommender/arguments';
import { countsOf, SLOT_ERRORS } from './findings';
import type { Examination } from './types';

export function reportOf(found: Omit<Examination, 'report'>): string {
  const {
    version,
    findings,
    product,
    dataLayer,
    ids,
    consent,
    engine,
    model,
    catalogue,
    slots,
    storage,
    files,
    degraded,
  } = found;
  const lines = [
    `Aisle ${version}, doctor: ${countsOf(findings)}`,
    ...findings.flatMap(({ severity, code, what, todo }) => [
      `${severity} ${code}: ${what}`,
      ...(todo === undefined ? [] : [`  To do: ${todo}`]),
    ]),
    `Product: ${listed(product.candidates.map(({ kind, source, item }) => `${kind} from ${source} ${item === null ? 'unknown' : 'known'}`))}`,
    `Data layer: ${listed(dataLayer.events.map(({ event, ids }) => `${event} of ${ids.length}`))}; other entries: ${dataLayer.others}`,
    `Ids: ${ids.known} known, ${ids.unknown} unknown`,
    `Consent: ${consent.answer}; ${listed(Object.entries(consent.by).map(([source, word]) => `${source} ${word}`))}`,
    `Consent Mode: ${listed(
      Object.entries(consent.types).map(
        ([name, { update, default: first }]) => `${name} ${update ?? `${first} by default`}`,
      ),
    )}`,
    `Engine: ${engine === undefined ? 'none' : `${engine.backend}, ${engine.thread} thread`}`,
    `Model: ${model === undefined ? 'none' : `${model.architecture}, ${model.items} items, ${model.bytes} bytes`}`,
    `Catalogue: ${catalogue === undefined ? 'none' : listed(Object.entries(catalogue).map(([name, count]) => `${name} ${count}`))}`,
    ...slots.map(
      ({ state, strategy, variant, asked, shown }, i) =>
        `Slot ${i + 1}: ${stateOf(state)}, ${STRATEGIES.find((known) => known === strategy) ?? 'another strategy'}, ` +
        `${variant === undefined ? '' : `by the variant ${variant}, `}` +
        `${shown} of ${asked}`,
    ),
    `Storage: ${storage}`,
    `Blocked: ${listed([...new Set(found.violations.map(({ directive }) => directive))])}`,
    `Files: ${files.count}, ${files.bytes} bytes over the wire, ${files.decodedBytes} bytes as they are, ${files.failed.length} failed`,
    `Degraded: ${listed(degraded.map(({ code }) => code))}`,
    `Lines on the console: ${found.console.length}`,
  ];
  return `${lines.join('\n')}\n`;
}

const listed = (words: readonly string[]): string => (words.length === 0 ? 'none' : words.join(', '));

/** The page can write any text into the attribute. */
function stateOf(state: string): string {
  const isKnown = ['loading', 'ready', 'empty', ...Object.keys(SLOT_ERRORS).map((code) => `error-${code}`)].includes(
    state,
  );
  return isKnown ? state : 'another state';
}
