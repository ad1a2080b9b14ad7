/**
 * Google Consent Mode v2, in the page's data layer: `gtag('consent', 'default' | 'update', { … })`.
 *
 * Two of its types concern what Aisle stores. `personalization_storage` ("storage related to personalization", such as
 * recommendations) must be granted; `functionality_storage`, if the page sets it, must not be denied. The types of
 * advertising and analytics do not count.
 *
 * Many platforms set neither. A shop that tells its visitors so may name other types by the option `consentMap`: then those that
 * the page sets must all be granted, and one at least.
 *
 * - An `update` is the visitor's answer.
 * - A `default` of `denied` is no answer: nothing is stored until there is an update. Nothing is erased, because the
 *   platform of a visitor who has agreed sends an update a moment later, on every page.
 * - A `default` of `granted` means `granted` when `wait_for_update` is over.
 * - A `default` for some regions: the visitor's region is unknown here, so it must be granted everywhere to count.
 *   If regions differ, the defaults do not count, and only an update does.
 *
 * What a template inside Tag Manager sets by its own interface is not in the data layer, so it is not read.
 *
 * @see https://developers.google.com/tag-platform/security/guides/consent
 * @see https://support.google.com/tagmanager/answer/10718549
 */
import type { ConsentAnswer, ConsentWord } from './privacy-types';

/** Most milliseconds that a page may ask to wait for an update. */
const MAX_WAIT = 60_000;

interface Type {
  update?: ConsentAnswer;
  /** By region; under `''` the default of all others. */
  readonly defaults: Map<string, ConsentAnswer>;
}

/**
 * @param map The option `consentMap`.
 * @param report Called with the combined answer after each command that changes it.
 * @param ignored Called with a sentence about the types that an update grants where the answer is still open.
 */
export function createConsentMode(
  map: string | undefined,
  report: (word: ConsentWord | undefined, isNew: boolean) => void,
  ignored: (message: string) => void,
) {
  const names = map?.split('|') ?? ['personalization_storage', 'functionality_storage'];
  const types = new Map(names.map((name): [string, Type] => [name.trim(), { defaults: new Map() }]));
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether an update is awaited. */
  let isWaiting = false;

  function word(): ConsentWord | undefined {
    const words = [...types.values()].map(wordOf);
    if (words.includes('denied')) return 'denied';
    if (words.includes('waiting')) return 'waiting';
    if (map === undefined ? words[0] !== 'granted' : !words.includes('granted')) return undefined;
    return isWaiting ? 'waiting' : 'granted';
  }

  function endWait(): void {
    clearTimeout(timer);
    isWaiting = false;
  }

  function wait(milliseconds: unknown): void {
    if (!(typeof milliseconds === 'number' && milliseconds > 0)) return;
    endWait();
    isWaiting = true;
    timer = setTimeout(
      () => {
        isWaiting = false;
        report(word(), false);
      },
      Math.min(milliseconds, MAX_WAIT),
    );
  }

  return {
    /** Takes an entry of the data layer: the arguments of a call of `gtag`, or an array of them. Anything else is ignored. */
    read(entry: object): void {
      const command = commandOf(entry);
      if (command === undefined) return;
      const { isUpdate, region, wait_for_update, given } = command;
      const regions = [region ?? ''].flat().map(String);
      if (regions.length === 0) regions.push('');
      let isSaid = false;
      for (const [name, type] of types) {
        const answer = given[name];
        if (answer !== 'granted' && answer !== 'denied') continue;
        isSaid = true;
        if (isUpdate) type.update = answer;
        else for (const where of regions) type.defaults.set(where, answer);
      }
      if (isSaid) {
        if (isUpdate) endWait();
        else wait(wait_for_update);
        report(word(), isUpdate);
      }
      const now = word();
      if (!isUpdate || now === 'granted' || now === 'denied') return;
      const granted = Object.keys(given).filter((name) => given[name] === 'granted' && !types.has(name));
      if (granted.length === 0) return;
      const counted = map?.split('|').join(' or ') ?? 'personalization_storage';
      ignored(
        `Visits are forgotten when the page is left: Consent Mode grants ${granted.join(', ')}, but not ${counted}, which counts ` +
          'for suggestions. Let the consent platform ask for it, or name the type that covers them by consentMap (data-consent-map).',
      );
    },
    stop: endWait,
  };
}

/** The command in an entry of the data layer; undefined for anything else. */
export function commandOf(entry: object) {
  const { 0: command, 1: action, 2: values } = entry as Record<number, unknown>;
  if (command !== 'consent' || typeof values !== 'object' || values === null) return undefined;
  if (action !== 'default' && action !== 'update') return undefined;
  const { region, wait_for_update, ...given } = values as Record<string, unknown>;
  return { isUpdate: action === 'update', region, wait_for_update, given };
}

function wordOf({ update, defaults }: Type): ConsentWord | undefined {
  if (update !== undefined) return update;
  const everywhere = defaults.get('');
  if (everywhere === 'denied') return 'waiting';
  return everywhere === 'granted' && [...defaults.values()].every((answer) => answer === 'granted')
    ? 'granted'
    : undefined;
}
