/** From a click log to an artifact, wherever the files are: imports nothing of Node. */
import { type Artifact, type OpenedArtifact, REPLAY_TENSOR, type Strategies } from '../checkpoint/artifact';
import { isCoded } from '../checkpoint/coded-array';
import { RULES } from '../checkpoint/manifest';
import { sha256 } from '../checkpoint/sha256';
import { run as runOnDevice } from '../compute/executor';
import { RecommenderError } from '../errors';
import { hasPresets } from '../models/presets';
import { AUTO } from '../models/presets/preset';
import type { TrainingPlan } from '../models/training';
import { type EventLog, sessionCount } from '../session/event-log';
import { sampleSessions } from '../session/sample';
import { type PartCounts, partCounts } from '../session/split';
import { type Layout, SHARDS } from '../train/data-parallel';
import { layoutOf, type TrainedModel } from '../train/train-from-log';
import { hasScale, warnOfNoScale } from './build-model';
import { informOfLeftOut, type Products, publishedOf, warnOfGaps } from './catalogue/products';
import { trainFlags, UNLICENSED } from './commands';
import { checkedConfiguration, configurationFrom, type Settings } from './configuration';
import { defined } from './defined';
import { plural, whole } from './format';
import type { TrainingHost } from './host';
import { inform } from './observer';
import type { TrainOptions } from './options';
import { readRules } from './rules';
import { countStrategies } from './strategies';
import { MOST_STATE_BYTES, stateBytes, threadsOf } from './thread-use';
import { type Refit, type TrainingFacts, writeTrained } from './training-artifact';
import { decodeCheckpoint, refuseOtherBackend } from './training-checkpoint';
import {
  refuseContradictions,
  refuseLostUsers,
  refuseNeuralOptions,
  refuseNothingToKeep,
  warnOfFew,
} from './training-checks';
import {
  DEFAULT_RULE,
  fingerprint,
  fingerprints,
  isFile,
  type PartsOptions,
  type Splits,
  trainingParts,
} from './training-parts';
import { passOn, trainPasses, whereStopped } from './training-passes';
import type { Validation } from './validation';

/** Its counts are those of the training part. */
export interface TrainResult extends PartCounts, TrainingFacts {
  /** The folder. */
  readonly artifact: string;
  /** What turns scores into logits; absent where nothing fits. */
  readonly scale?: number | undefined;
  /** By the clock, without the comparison with counting models; runs that were resumed included. */
  readonly seconds: number;
  /** The same of processor time. */
  readonly processorSeconds: number;
  /** The most that the process has held. */
  readonly peakMemoryBytes: number;
}

/** What a training has done, and what a page goes on to show. */
export interface Trained {
  readonly result: TrainResult;
  /** By the training part. */
  readonly trained: TrainedModel;
  readonly parts: Splits;
  readonly validation?: Validation;
}

/**
 * Trains a model, or counts, and writes its artifact. Writes a checkpoint after every epoch, from which `resume` continues bit
 * for bit.
 *
 * @param compares Whether counting models are measured beside a network.
 * @throws RecommenderError `bad-config`, `bad-input` or `bad-artifact` for what was passed in; `aborted` with a checkpoint
 *   written; `diverged`; `no-backend`; `io` if the host cannot write.
 */
export async function trainOn(host: TrainingHost, options: TrainOptions, compares: boolean): Promise<Trained> {
  const { data, read, model, out, seed = 1, holdout = 0, backend = 'auto', signal } = options;
  const { catalogue, keepBest = false, sampleSessions: share = 1 } = options;
  const taken = host.stopwatch();
  refuseContradictions(options);
  await host.check(options);
  const from = options.from === undefined ? undefined : await host.readArtifact(options.from);
  if (from?.info.mix)
    inform(
      options,
      `\`from\`: what it counts by ${from.info.mix.architecture} is left out; mix it in again with aisle pack --mix.`,
    );
  const select = (log: EventLog): EventLog => (share < 1 ? sampleSessions(log, share, seed) : log);
  const {
    given: own,
    preset,
    auto,
  } = await configurationFrom(
    { ...options, ...defined({ preset: options.preset ?? usualPreset(options) }) },
    host,
    options,
    select,
  );
  const given = { ...settingsOf(from, options), ...own };
  const { isNeural, config, wanted, isRemoved } = await checkedConfiguration(model, given, preset);
  if (!isNeural) refuseNeuralOptions(options);
  const ownRules = options.rules === undefined ? undefined : await readRules(options.rules, host);
  const shop = catalogue === undefined ? undefined : await host.readCatalogue(catalogue, read?.columns?.item, options);
  const products = shop?.products;
  const featureNames = wanted.map(({ name }) => name);
  if (shop) informOfLeftOut(shop, featureNames, catalogue!, options);
  const rules = ownRules ?? shop?.rules;
  if (from && compares) await informOfLost(from, { catalogue, rules, replay: options.replay || undefined }, options);
  // A part that is left out where the log is too small for it cannot choose the epochs of a `refit` that was asked for.
  const usual = options.refit === 'yes' ? DEFAULT_RULE : undefined;
  const valid = isNeural ? (options.valid ?? (options.epochs === undefined ? usual : 'none')) : 'none';
  if (valid === 'none' && options.refit === 'yes') {
    const why =
      '`refit` yes trains again on everything after a validation part has chosen the epochs, and there is none';
    const advice = options.valid === undefined ? 'add `valid` last:10%, or drop `epochs`' : 'make `valid` last:10%';
    throw new RecommenderError('bad-config', `${why}: ${advice}.`);
  }
  const reading = {
    read: { ...read, featuresIfAny: featureNames },
    holdout,
    select,
    ...defined({ valid }),
    ...(from && { knownIds: from.itemIds }),
  };
  const { parts, everything, joined, strategies } = await readParts(host, data, reading, options);
  const final = everything ?? parts.log;
  const start = from && withRoom(from, final, options);
  if (everything) await refuseLostUsers(options, config, parts.log, everything);
  let sizes: Promise<Layout> | undefined;
  const layout = () => {
    sizes ??= layoutOf(passOn(final, { model, config: given, seed, ...defined({ products, from: start }) }));
    return sizes;
  };
  const events = final.sessions.items.length;
  const checkBeside = async (plan: TrainingPlan): Promise<void> => {
    const kept = stateBytes(plan, await layout());
    if (kept > MOST_STATE_BYTES) throw new RangeError(`A second one would keep ${whole(kept / 1e6)} MB of states.`);
    host.checkMemory?.(model, await layout(), events, 2, kept);
  };
  const { steps: threads, beside } = await threadsOf(options, config, everything && checkBeside);
  warnOfFew(final, data, options);
  if (products) warnOfGaps(products, final.itemIds, catalogue!, options);
  const identity = {
    model,
    seed,
    ...fingerprints(parts),
    ...defined({ everything: joined }),
    ...(wanted.length > 0 && products && { catalogue: await sha256(JSON.stringify(products)) }),
    ...config,
    // They decide on schedules and on the latest epochs.
    ...defined({ epochs: options.epochs }),
    ...(from && { from: from.info.version }),
    ...(threads && { parts: SHARDS }),
  };
  const notes: string[] = [];
  const resume = options.resume
    ? decodeCheckpoint(
        host.createHash,
        await host.readCheckpoint(out),
        host.checkpointOf(out),
        identity,
        isRemoved,
        trainFlags(options),
        (text) => notes.push(text),
      )
    : undefined;
  if (keepBest) refuseNothingToKeep(resume!, out);
  else if (resume) refuseOtherBackend(host.checkpointOf(out), resume, backend);
  if (isNeural && host.checkMemory) {
    // The last training has the most items and events: it must not be refused once the first has ended.
    host.checkMemory(model, await layout(), events, threads ?? 1);
  }
  for (const text of notes) inform(options, text);
  if (options.restart) await host.removeCheckpoint(out);

  const clock = { taken, spent: resume?.spent };
  const begun = { host, options, compares, given, products, identity, from: start, clock, beside };
  const run = { ...begun, ...defined({ threads }) };
  const { trained, validation, refitted } = await runOnDevice(async (slice) => {
    const asked = backend === 'auto' ? (resume?.backend ?? backend) : backend;
    const started = isNeural ? await host.startBackend(slice, asked, options) : 'cpu';
    return trainPasses({ ...run, backend: started }, parts, resume, everything);
  });
  const scale = options.scale ?? trained.scale ?? from?.info.scale;
  if (isNeural && !options.replay && !(await hasScale(model, config, scale))) {
    const why = parts.valid
      ? 'on the validation part it ranks no better than by chance'
      : 'there is no validation part to fit a scale on (`valid` last:10%), and no `scale`';
    warnOfNoScale(why, options);
  }
  const { epochs, best } = trained;
  const refit: Refit | false = refitted ? refitOf(refitted, final) : false;
  const interrupted = keepBest ? whereStopped(resume!) : undefined;
  const facts = { epochs, ...defined({ best, baseline: validation?.baseline, interrupted }), refit };
  await writeTrained(
    host,
    options,
    { ...(refitted ?? trained), ...defined({ scale }) },
    { ...facts, refitEpochs: refitted?.epochs ?? [], ...defined({ auto, validation }) },
    { ...parts, log: final },
    {
      licence: options.licence ?? from?.info.licence ?? UNLICENSED,
      ...(shop && shopOf(shop, final.itemIds, Object.keys((refitted ?? trained).itemFeatures ?? {}))),
      ...defined({ strategies, rules }),
    },
  );
  if (signal?.aborted) inform(options, `The training had ended already: ${out} is written.`);
  const result = {
    artifact: out,
    ...defined({ auto }),
    ...facts,
    scale,
    ...partCounts(parts.log),
    ...clock.taken(clock.spent),
    peakMemoryBytes: host.peakMemory(),
  };
  return { result, trained, parts, ...defined({ validation }) };
}

/** Names what the artifact to continue from has beside the model, and the new one will not have. @param given By option. */
async function informOfLost(
  from: OpenedArtifact,
  given: Readonly<Record<'catalogue' | 'rules' | 'replay', unknown>>,
  options: TrainOptions,
): Promise<void> {
  const had = { catalogue: from.catalogue, rules: await from.further(RULES), replay: from.tensors[REPLAY_TENSOR] };
  const lost = (['catalogue', 'rules', 'replay'] as const).filter((name) => had[name] && given[name] === undefined);
  if (lost.length === 0) return;
  const flags = lost.map((name) => `\`${name}\``).join(', ');
  inform(
    options,
    `\`from\`: the new artifact is without the ${lost.join(', ')} of ${options.from}; give again ${flags}.`,
  );
}

/** What an artifact has of a catalogue: aliases of its items only. @param read Names of the features that the model reads. */
function shopOf(shop: Products, itemIds: readonly string[], read: readonly string[]) {
  const known = new Set(itemIds);
  const aliases = new Map([...(shop.aliases ?? [])].filter(([id]) => known.has(id)));
  return { catalogue: publishedOf(shop, read), ...(aliases.size > 0 && { aliases }) };
}

/** The log chooses the preset, unless the settings are those of an artifact, or the model has no presets. */
const usualPreset = ({ model, from }: TrainOptions): string | undefined =>
  from === undefined && hasPresets(model) ? AUTO : undefined;

/** The parts of the log, and what is counted of all of it, with its newest days: only the counts stay in memory. */
async function readParts(
  { readLog }: TrainingHost,
  data: string,
  reading: Omit<PartsOptions, 'readLog'>,
  options: TrainOptions,
): Promise<{
  readonly parts: Splits;
  /** Where the training is to be repeated on it. */
  readonly everything?: EventLog;
  /** What identifies the parts together. */
  readonly joined?: string;
  readonly strategies: Strategies | undefined;
}> {
  const { whole: all, everything: join, ...parts } = await trainingParts(data, { ...reading, readLog }, options);
  const { sampleSessions: share = 1, seed = 1 } = options;
  if (share < 1) {
    inform(options, `\`sampleSessions\` ${share}: ${whole(sessionCount(all))} sessions, drawn by \`seed\` ${seed}.`);
  }
  const joined = join?.();
  const everything = options.refit === 'no' || options.keepBest ? undefined : joined;
  // What a validation file has is newer than the log, and learnt only with `everything`.
  const counted = (isFile(options.valid ?? 'none') && everything) || all;
  const strategies = countStrategies(counted, (everything ?? parts.log).itemIds, options);
  return { parts, ...defined({ everything, joined: joined && fingerprint(joined) }), strategies };
}

/** The artifact to continue from. Codes have no room for items that it does not know: then their tables are written out. */
function withRoom(from: Artifact, { itemIds }: EventLog, options: TrainOptions): Artifact {
  const more = itemIds.length - from.itemIds.length;
  if (more === 0 || !Object.values(from.tensors).some(isCoded)) return from;
  inform(
    options,
    `${plural(more, 'item')} of the log ${more === 1 ? 'is' : 'are'} new to ${options.from}, whose codes have no room for more: its ` +
      'tables are trained written out. Pack the new artifact again.',
  );
  const tensors = Object.entries(from.tensors).map(([name, { data, shape }]) => [name, { data, shape }] as const);
  return { ...from, tensors: Object.fromEntries(tensors) };
}

const refitOf = ({ epochs }: TrainedModel, log: EventLog): Refit => ({
  epochs: epochs.length,
  events: log.sessions.items.length,
  items: log.itemIds.length,
  seconds: epochs.reduce((sum, { seconds }) => sum + seconds, 0),
});

/** The settings of the artifact to continue from; another architecture is refused before the log is read. */
function settingsOf(from: Artifact | undefined, { model, from: dir }: TrainOptions): Settings {
  if (!from) return {};
  const { architecture, config } = from.info;
  if (architecture === model) return config;
  throw new RecommenderError('bad-config', `${dir} is a ${architecture}, which \`model\` ${model} cannot go on from.`);
}
