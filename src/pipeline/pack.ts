/** An artifact with smaller weights, of fewer items, or with counting inside. */
import {
  type Artifact,
  type GoldenCheck,
  MIX_PREFIX,
  type MixedCounter,
  type OpenedArtifact,
  SUPPORT_TENSOR,
} from '../checkpoint/artifact';
import { WEIGHTS } from '../checkpoint/manifest';
import { type Precision, packTensors } from '../checkpoint/pack-tensors';
import { unpackTensors } from '../checkpoint/precision';
import { mostSupported, selectItems } from '../checkpoint/select-items';
import { run as runOnDevice } from '../compute/executor';
import { scaleOf } from '../engine/frozen-model';
import { RecommenderError, throwIfAborted } from '../errors';
import { models } from '../models/index';
import type { ParameterSpec } from '../models/model';
import { baselines } from '../neighbours/index';
import { isNeural, type LoadedScorer } from '../ranking/architecture';
import { goldenAnswer } from '../ranking/golden-check';
import { loadScorer } from '../ranking/load-scorer';
import { networkInfo } from '../ranking/network-info';
import { yieldToEventLoop } from '../train/yield-to-event-loop';
import { NO_SCALE, readCombination } from './combination';
import { packCommand } from './commands';
import { defined } from './defined';
import { badConfig } from './errors';
import { checkReplaceable, inspectArtifact } from './files/artifact-folder';
import { startFirst } from './files/backend';
import { realPath, resolve } from './files/disk';
import { software } from './files/usage';
import { whole } from './format';
import { insideOf, type PackFacts, packedCard } from './model-card';
import { inform, startTask, warn } from './observer';
import type { Mix, PackOptions } from './options';
import { writeModel } from './write-model';

interface BeforeAndAfter {
  readonly before: number;
  readonly after: number;
}

export interface PackResult {
  /** The folder. */
  readonly artifact: string;
  /** Of the weights as they are: `f16` where `pq` found no table to quantise. */
  readonly precision: Precision;
  /** Number of items. */
  readonly items: BeforeAndAfter;
  /** Of all files. */
  readonly bytes: BeforeAndAfter;
  /** The best items of the golden session, before and after: how many there were, how many of them stay, and whether in that order. */
  readonly top: { readonly of: number; readonly stay: number; readonly inOrder: boolean };
}

/**
 * Writes an artifact again: with weights at another precision, with `topItems` of the most frequent items alone, or with the counting
 * model of `mix` inside. The golden answer is that of the weights as they are written.
 *
 * @throws RecommenderError `bad-artifact`; `bad-config` for `topItems` of a model that cannot be cut, for a `mix` of other models than a
 *   network with one that counts the same items, or where `out` is the artifact;
 *   `bad-input` if `out` holds something else; `no-backend`; `io` if the disk refuses; `aborted`.
 */
export async function pack(options: PackOptions): Promise<PackResult> {
  const { artifact: dir, mix, out, signal } = options;
  if ((await realPath(resolve(dir))) === (await realPath(resolve(out)))) {
    throw new RecommenderError(
      'bad-config',
      `\`out\` is the artifact itself, whose weights would be lost; name another folder than ${out}.`,
    );
  }
  await checkReplaceable(out);
  const { bytes: before } = await inspectArtifact(dir);
  const { artifacts, mixed: counter } = await readCombination([dir], mix);
  const original = artifacts[0]!;
  checkMix(original, counter, options);
  const { packed, top, precision } = await runOnDevice(async (slice) => {
    await startFirst(slice, 'auto', options);
    return packOnDevice(original, counter, options);
  });
  throwIfAborted(signal);
  const { info, itemIds, tensors, catalogue, aliases, strategies, rules } = packed;
  const { name, version, items } = original.info;
  const from = { name, version, items };
  // Who packs a mixture again does not mix anew.
  const earlier = (info.training as Partial<PackFacts['training']>).packed?.mixed;
  const mixed = counter ? mixedFrom(counter, info.mix!) : earlier;
  const training = {
    ...info.training,
    packed: {
      from,
      precision,
      items: itemIds.length,
      ...(mixed && { mixed }),
      command: packCommand(options),
      software: software(),
    },
  };
  const held = insideOf(original.tensors);
  const { architecture, config, features, scale, mix: inside, golden, licence } = info;
  if (counter && counter.info.licence !== licence)
    warn(
      options,
      `the licence of ${mix!.dir} is ${counter.info.licence}; what is written says that of ${dir}, ${licence}.`,
    );
  const model = { architecture, config, golden, licence, itemIds, tensors, precision };
  const further = defined({ features, scale, mix: inside, catalogue, aliases, strategies, rules });
  await writeModel(
    out,
    { ...model, training, ...further },
    (about) => packedCard(info.modelCard, about, held, insideOf(tensors)),
    options,
  );
  const { bytes: after } = await inspectArtifact(out);
  return {
    artifact: out,
    precision,
    items: { before: items, after: itemIds.length },
    bytes: { before, after },
    top,
  };
}

/** The artifact with what stays of it and its new golden answer, compared with what the original answers to the same session. */
async function packOnDevice(
  original: OpenedArtifact,
  counter: Artifact | undefined,
  options: PackOptions,
): Promise<{ readonly packed: Artifact } & Pick<PackResult, 'top' | 'precision'>> {
  const { packed, session, before } = await withScorer(original, async (scorer) => {
    const kept = keptItems(original, scorer, options);
    const mixed = counter ? mixIn(original, await scaleFor(original, scorer), counter, options.mix!) : original;
    const packed = kept ? selectItems(original, kept, await parametersOf(original)) : mixed;
    const { session } = original.info.golden;
    const left = kept ? session.filter((item) => kept.includes(item)) : session;
    const clicks = left.length > 0 ? left : mostSupported(supportOf(original), 1);
    return {
      packed,
      session: kept ? clicks.map((item) => kept.indexOf(item) + 1) : clicks,
      before: bestOf(original, await goldenAnswer(scorer, clicks)),
    };
  });
  const stored = await packedTensors(packed, options);
  const hasNoCodes = options.precision === 'pq' && ![...stored.values()].some(({ dtype }) => dtype === 'U8');
  if (hasNoCodes)
    warn(
      options,
      'no table has 2,048 rows of 8 numbers, the least that pq quantises: all weights are halves, as with f16.',
    );
  const written = { ...packed, tensors: await unpackTensors(stored, WEIGHTS) };
  const golden = await withScorer(written, (scorer) => goldenAnswer(scorer, session));
  const after = bestOf(packed, golden);
  const stay = before.filter((id) => after.includes(id)).length;
  return {
    packed: { ...packed, info: { ...packed.info, golden } },
    precision: hasNoCodes ? 'f16' : options.precision,
    top: { of: before.length, stay, inOrder: before.every((id, place) => id === after[place]) },
  };
}

/** @throws RecommenderError `bad-config` for models that are not mixed inside an artifact, or a share that is no part. */
function checkMix(
  { info }: Artifact,
  counter: Artifact | undefined,
  { mix, topItems, artifact: dir }: PackOptions,
): void {
  const refuse = (why: string): never => badConfig(`\`${mix ? 'mix' : 'topItems'}\`: ${why}`);
  if (topItems !== undefined && (mix ?? info.mix))
    refuse('a model that counts keeps all of its items. Cut the log by `minSupport`, and train both on it.');
  if (!mix || !counter) return;
  const { weights } = mix;
  if (!isNeural(info.architecture))
    refuse(`${dir} counts itself (${info.architecture}); counting goes into a network.`);
  if (info.mix) refuse(`${dir} has ${info.mix.architecture} inside; begin with the network as it was trained.`);
  if (isNeural(counter.info.architecture))
    refuse(`${mix.dir} is a network (${counter.info.architecture}); only a model that counts can be inside another.`);
  if (weights.length !== 1 || !(weights[0]! > 0 && weights[0]! < 1))
    refuse('one share above 0 and below 1 is needed; `aisle evaluate --mix` shows on a validation part which is best.');
}

/** A network with a counting model inside. */
function mixIn(network: Artifact, scale: number, { info, tensors }: Artifact, { weights }: Mix): Artifact {
  const { architecture, config } = info;
  const counted = baselines[architecture]!.arrays.map((name) => [MIX_PREFIX + name, tensors[name]!] as const);
  return {
    ...network,
    info: { ...network.info, scale, mix: { architecture, config, share: weights[0]! } },
    tensors: { ...network.tensors, ...Object.fromEntries(counted) },
  };
}

/** What turns its scores into probabilities. @throws RecommenderError `bad-config` where nothing tells. */
async function scaleFor(artifact: OpenedArtifact, scorer: LoadedScorer): Promise<number> {
  const scale = await scaleOf({ scorer, network: scorer.network, artifact });
  if (scale === undefined) throw new RecommenderError('bad-config', `\`mix\`: "${artifact.info.name}" ${NO_SCALE}`);
  return scale;
}

const mixedFrom = ({ info: { name, version, architecture } }: Artifact, { share }: MixedCounter) => ({
  name,
  version,
  architecture,
  share,
});

/** Of 40,000 items, product quantisation takes half a minute. */
async function packedTensors({ tensors, itemIds }: Artifact, { precision, ...observer }: PackOptions) {
  if (precision !== 'pq') return packTensors(tensors, precision);
  const total = itemIds.length;
  const task = startTask(observer, { label: 'Quantising', total, unit: 'items' });
  try {
    return await packTensors(tensors, precision, async (share) => {
      task.update(Math.round(share * total));
      await yieldToEventLoop();
      throwIfAborted(observer.signal);
    });
  } finally {
    task.finish();
  }
}

/** Of a network: who cuts it has checked that it is one. */
async function parametersOf(artifact: Artifact): Promise<Readonly<Record<string, ParameterSpec>>> {
  const spec = await models[artifact.info.architecture]!.spec();
  const { config, catalogue } = networkInfo<unknown>(spec, artifact);
  return spec.parameters(config, catalogue);
}

async function withScorer<T>(artifact: Artifact, use: (scorer: LoadedScorer) => Promise<T>): Promise<T> {
  const scorer = await loadScorer(artifact);
  try {
    return await use(scorer);
  } finally {
    scorer.dispose();
  }
}

const bestOf = ({ itemIds }: Artifact, { top }: GoldenCheck): string[] => top.map(({ index }) => itemIds[index - 1]!);
const supportOf = ({ tensors }: Artifact): ArrayLike<number> => tensors[SUPPORT_TENSOR]!.data;

/**
 * The indices that stay, ascending; undefined where all do.
 *
 * @throws RecommenderError `bad-config` where items cannot be left out.
 */
function keptItems(
  original: Artifact,
  { network }: LoadedScorer,
  { topItems, artifact, ...observer }: PackOptions,
): readonly number[] | undefined {
  const { items, architecture } = original.info;
  if (topItems === undefined) return undefined;
  const refuse = (why: string): never => badConfig(`\`topItems\`: ${why}`);
  if (!network) refuse(`${architecture} counts its log once; train it again with \`minSupport\`, or leave it out.`);
  if (Array.from(supportOf(original)).every((count) => count === 0))
    refuse(`${artifact} does not say how often its items were clicked, as imported weights do not; leave it out.`);
  if (topItems >= items) {
    inform(observer, `All ${whole(items)} items stay: ${artifact} has no more than ${whole(topItems)}.`);
    return undefined;
  }
  return mostSupported(supportOf(original), topItems);
}
