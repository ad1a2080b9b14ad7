/**
 * `--preset auto`: of the presets that each architecture has for a kind of log, the one whose log is most like the log at hand,
 * with what must follow the log in proportion to the two.
 *
 *     kind       histories       no item comes again, over a day or more, or without times
 *                large           else, more than 10,000 items
 *                long visits     else, 6 events and more in the mean
 *                short visits    else
 *     length     · p / p′        p, p′: what 95 % of the sessions do not exceed; never less, at most 200 clicks (SR-GNN: 20)
 *     batch      · m′ / m        of more than 32 whole sessions, m, m′: their mean length; never more, at least 32
 *     negatives  · n / n′        in a smaller catalogue; · √(n / n′) in a larger one, at most 8,192
 *     epochs     · √(e′ / e)     where there are fewer events; · √(d′ / d), at most · 2, where there are fewer of them per item:
 *                                the larger of both, at most · 4; · √(10⁶ / e), at least · ½, from a million events on
 *     width      of GRU4Rec, as far as 1.5 GB hold three numbers for each of all items' vectors
 *
 * The primed numbers are those of the log that the preset is of: there, nothing changes. A full softmax of a preset becomes a
 * sampled one from 20,000 items on, where the architecture has one. Passes over the latest sessions are left out where sessions
 * have no times, or span days: there the last ones of the file are not the latest clicks. Bounds are round numbers, chosen by no
 * search; validation ends a training that has more epochs than it needs.
 */
import type { LogFacts } from '../../session/log-facts';
import { DAY } from '../../session/time';
import { camelCase } from '../configuration';
import { presetOf } from '../presets';
import { options as ofTransformers } from '../transformers4rec/options';
import { RECENT } from './preset';

export { AUTO, NONE } from './preset';

type Settings = Readonly<Record<string, unknown>>;

/** What a preset was chosen on, as its training part is: of histories without the two events that are held out of each. */
interface Kind {
  readonly preset: string;
  readonly words: string;
  readonly log: Pick<LogFacts, 'items' | 'events' | 'meanLength' | 'longLength'>;
}

const HISTORIES: Kind = {
  preset: 'beauty',
  words: 'long histories without repeats',
  log: { items: 12_101, events: 153_776, meanLength: 6.8764, longLength: 19 },
};
const LARGE: Kind = {
  preset: 'diginetica',
  words: 'sessions in a large catalogue',
  log: { items: 43_097, events: 906_140, meanLength: 4.8542, longLength: 12 },
};
const LONG_VISITS: Kind = {
  preset: 'eshop',
  words: 'long visits to a catalogue that is not large',
  log: { items: 217, events: 139_355, meanLength: 8.4035, longLength: 25 },
};
const SHORT_VISITS: Kind = {
  preset: 'yoochoose-100k',
  words: 'short visits to a catalogue that is not large',
  log: { items: 2933, events: 70_278, meanLength: 3.9495, longLength: 10 },
};

/** From so many items on a softmax over all of them costs more than it brings. */
const SAMPLED_FROM = 20_000;

/**
 * Clicks that are seen at most. SR-GNN reads every prefix from its start: the cost of a session grows with the square, and on
 * eshop 20 clicks have brought no more than 10.
 */
const LONGEST = 200;
const LONGEST_GRAPH = 20;
/** Architectures whose batches are counted in whole sessions, with a target after every click: longer ones would mean fewer steps. */
const BY_SESSION = ['sasrec', 'cl4srec'];
const SMALLEST_BATCH = 32;

/** From so many events on a pass teaches enough for fewer of them to do. */
const MANY_EVENTS = 1_000_000;

/** What the item vectors of a wide GRU may take: numbers of 4 bytes, with the accumulator and the velocity of Adagrad. */
const VECTOR_BYTES = 1.5e9;
const BYTES_A_NUMBER = 3 * 4;

/** Keys of all architectures that follow the log. */
const LENGTHS = ['maxlen', 'totalSeqLength'];
const BATCHES = ['batchSize'];
const NEGATIVES = ['nSample', 'maxNSamples'];
const EPOCHS = ['nEpochs', 'numEpochs', 'epoch', 'nIter'];

/** Values of such keys that presets leave as they are by themselves. */
const UNSAID: Readonly<Record<string, Settings>> = {
  transformers4rec: { totalSeqLength: ofTransformers.totalSeqLength.default },
};

/** What only a sampled softmax takes, or what it is drawn by: left out where the user asks for another loss. */
const OF_SAMPLED = ['loss', 'sampledSoftmax', 'nSample', 'maxNSamples', 'sampleBy', 'sparseUpdates'];

const isSampled = (config: Settings): boolean => config['loss'] === 'sampled' || config['sampledSoftmax'] === true;

/** Whether a configuration that draws negatives is not what the user asks for. */
function isContradicted(config: Settings, given: Settings): boolean {
  const { loss = 'sampled', sampledSoftmax = true, labelSmoothing = 0 } = given;
  return isSampled(config) && (loss !== 'sampled' || String(sampledSoftmax) === 'false' || Number(labelSmoothing) > 0);
}

/** What tells targets from draws in place of all items, by architecture. */
const SAMPLED: Readonly<Record<string, Settings>> = {
  sasrec: { loss: 'sampled', nSample: 4096, sparseUpdates: true },
  cl4srec: { loss: 'sampled', nSample: 4096, sparseUpdates: true },
  srgnn: { loss: 'sampled', nSample: 4096, sparseUpdates: true },
  caser: { loss: 'sampled', nSample: 4096, sparseUpdates: true },
  transformers4rec: { sampledSoftmax: true, sampleBy: 'popularity', maxNSamples: 4096 },
};

export interface AutoPreset {
  readonly preset: string;
  readonly config: Settings;
  /** What was seen, what was picked, and what was changed in it: one line for a person. */
  readonly why: string;
}

function kindOf({ items, meanLength, repeated, span }: LogFacts): Kind {
  if (repeated < 0.01 && (span === undefined || span >= DAY)) return HISTORIES;
  if (items > 10_000) return LARGE;
  return meanLength >= 6 ? LONG_VISITS : SHORT_VISITS;
}

/**
 * @param given What the user sets: Transformers4Rec has a preset of its own for `objective=clm`, and a loss over all items, or
 *   label smoothing, leaves out what belongs to a sampled softmax.
 * @throws RecommenderError `bad-config` for an architecture without presets.
 */
export function autoPreset(model: string, facts: LogFacts, given: Settings = {}): AutoPreset {
  const own = Object.fromEntries(Object.entries(given).map(([key, value]) => [camelCase(key), value]));
  const { preset: name, words, log } = kindOf(facts);
  const preset = model === 'transformers4rec' && own['objective'] === 'clm' ? `${name}-clm` : name;
  const chosen = presetOf(model, preset).config;
  const isTooLarge = facts.items > SAMPLED_FROM && log.items <= SAMPLED_FROM && !isSampled(chosen);
  const sampled = isTooLarge ? SAMPLED[model] : undefined;
  const isLeftOut = isContradicted({ ...chosen, ...sampled }, own);
  const leftOut = [...(isLeftOut ? OF_SAMPLED : []), ...(hasLatest(facts) ? [] : Object.keys(RECENT))];
  const added = isLeftOut ? undefined : sampled;
  const config = { ...without(chosen, leftOut), ...added };
  const followed = { ...added, ...scaled(model, config, facts, log) };
  const changes = Object.entries(followed).map(
    ([key, value]) => `${key}=${Array.isArray(value) ? value.join('/') : value}`,
  );
  const rest = changes.length === 0 ? '' : `; after the log ${changes.join(', ')}`;
  return {
    preset,
    config: { ...config, ...followed },
    why: `${described(facts)}: ${words}, so the preset ${preset}${rest}`,
  };
}

/** Whether the last sessions of a log hold its latest clicks. */
const hasLatest = ({ span }: LogFacts): boolean => span !== undefined && span < DAY;

const without = (config: Settings, keys: readonly string[]): Settings =>
  Object.fromEntries(Object.entries(config).filter(([key]) => !keys.includes(key)));

/** The keys that change, with their new values. */
function scaled(model: string, config: Settings, facts: LogFacts, log: Kind['log']): Settings {
  const found: Record<string, unknown> = {};
  const all = { ...UNSAID[model], ...config };
  const change = (keys: readonly string[], of: (value: number) => number) => {
    for (const key of keys) {
      const value = all[key];
      if (typeof value !== 'number') continue;
      const next = Math.max(1, Math.round(of(value)));
      if (next !== value) found[key] = next;
    }
  };
  const longer = Math.max(1, facts.longLength / log.longLength);
  const longest = model === 'srgnn' ? LONGEST_GRAPH : LONGEST;
  change(LENGTHS, (clicks) => Math.max(clicks, Math.min(longest, clicks * longer)));
  if (BY_SESSION.includes(model)) {
    const shorter = Math.min(1, log.meanLength / facts.meanLength);
    change(BATCHES, (sessions) => Math.min(sessions, Math.max(SMALLEST_BATCH, sessions * shorter)));
  }
  const items = facts.items / log.items;
  change(NEGATIVES, (draws) =>
    items <= 1 ? draws * items : Math.max(draws, Math.min(8192, draws * Math.sqrt(items))),
  );
  const passes = passesOf(facts, log);
  change(EPOCHS, (epochs) => epochs * passes);
  const widest = Math.max(16, 16 * Math.floor(VECTOR_BYTES / BYTES_A_NUMBER / facts.items / 16));
  const { layers } = all;
  if (Array.isArray(layers) && layers.some((width) => width > widest)) {
    found['layers'] = layers.map((width) => Math.min(width, widest));
  }
  return found;
}

/** How many times the epochs of a preset a log needs: more where an item, or all of them, have fewer events. */
function passesOf({ items, events }: LogFacts, log: Kind['log']): number {
  const byEvents = Math.sqrt(log.events / events);
  const byItem = Math.min(2, Math.sqrt(log.events / log.items / (events / items)));
  const more = Math.min(4, Math.max(1, byEvents, byItem));
  return more * Math.min(1, Math.max(0.5, Math.sqrt(MANY_EVENTS / events)));
}

function described({ items, events, sessions, meanLength, longLength, repeated, span }: LogFacts): string {
  const whole = (value: number) => value.toLocaleString('en');
  const time = span === undefined ? 'without times' : `over ${spanWords(span)} in the median`;
  return (
    `${whole(items)} items, ${whole(events)} events in ${whole(sessions)} sessions of ${meanLength.toFixed(1)} ` +
    `(95 % up to ${longLength}), ${(100 * repeated).toFixed(1)} % of them on an item of their session, ${time}`
  );
}

function spanWords(seconds: number): string {
  const [size, unit] = (
    [
      [DAY, 'days'],
      [3600, 'hours'],
      [60, 'minutes'],
      [1, 'seconds'],
    ] as const
  ).find(([size]) => seconds >= size) ?? [1, 'seconds'];
  return `${Math.round(seconds / size)} ${unit}`;
}
