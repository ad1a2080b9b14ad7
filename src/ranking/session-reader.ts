/** How a network reads sessions, for a compiled plan, which holds it: a page loads no specification of the architecture. */
import type { Artifact } from '../checkpoint/artifact';
import { isFloat } from '../checkpoint/coded-array';
import { isRecord } from '../checkpoint/json';
import { sha256 } from '../checkpoint/sha256';
import { decodePlan } from '../compute/plan/format';
import type { Plan } from '../compute/plan/plan';
import type { loadProducts } from '../compute/plan/products';
import { loaded } from '../loaded';
import { models } from '../models/index';
import type { Prepared } from '../models/model';
import type { SessionInput } from '../types';
import { catalogueOf, loadArchitecture } from './architecture';
import type { NetworkInfo } from './network-info';

export interface SessionReader {
  /** What the network reads of a session. */
  prepare(session: SessionInput): Prepared;
  /** How many of the same visitor's earlier sessions it reads. */
  readonly earlier: number;
  /** What turns scores into logits, where something tells. */
  readonly scale?: number;
}

/** A plan, and what it needs to answer. */
export interface ReadPlan {
  readonly plan: Plan;
  readonly reader: SessionReader;
  /** What runs it. Default: `startPlan`. */
  readonly start?: Awaited<ReturnType<typeof loadProducts>>;
}

/** What a plan holds of its network. */
interface PlannedModel {
  /** As the specification's `reading`. */
  readonly reading: object;
  readonly earlier: number;
  readonly scale?: number;
  /** Of all this and of the artifact, whose configuration and weights were checked when the plan was compiled. */
  readonly signature: string;
}

/** The reader by a specification, whose checks the artifact has passed. */
export function readerOf<C>({ model, config, catalogue, scale }: NetworkInfo<C>): SessionReader {
  return {
    prepare: (session) => model.prepare([session], config, catalogue),
    earlier: model.earlier?.(config) ?? 0,
    ...(scale !== undefined && { scale }),
  };
}

/** What a plan is to hold of its network; undefined where only the specification reads sessions. */
export async function plannedModel<C>(
  artifact: Artifact,
  { model, config, catalogue }: NetworkInfo<C>,
): Promise<Plan['model']> {
  if (!model.reading) return undefined;
  const scale = model.logitScale?.(config);
  const planned = {
    reading: model.reading(config, catalogue),
    earlier: model.earlier?.(config) ?? 0,
    ...(scale !== undefined && { scale }),
  };
  return { ...planned, signature: await signatureOf(artifact, planned) };
}

/** Changes with the architecture, the configuration, and the names, types and shapes of the weights. */
function signatureOf({ info, tensors }: Artifact, planned: Omit<PlannedModel, 'signature'>): Promise<string> {
  const { architecture, config, items, features } = info;
  const { reading, earlier, scale } = planned;
  const weights = Object.entries(tensors).map(([name, tensor]) => `${name} ${isFloat(tensor)} ${tensor.shape}`);
  const all = [architecture, config, items, features, reading, earlier, scale, weights.sort()];
  return sha256(JSON.stringify(all));
}

/**
 * Reads a plan's file, and fetches what reads sessions for it: by the plan itself where it was compiled for just this artifact and can read, else by
 * the specification of the architecture, after all its checks. To be called outside of slices.
 *
 * @throws PlanError for a file that is no plan; `RecommenderError` as `networkInfo`, and `io`.
 */
export async function readPlan(artifact: Artifact, bytes: Uint8Array): Promise<ReadPlan> {
  const plan = decodePlan(bytes);
  const products = async () => (await import('../compute/plan/products')).loadProducts();
  return {
    plan,
    reader: await readerFor(artifact, plan),
    ...(plan.coded && { start: await loaded(products(), 'quantised tables') }),
  };
}

async function readerFor(artifact: Artifact, plan: Plan): Promise<SessionReader> {
  const { architecture } = artifact.info;
  const known = plan.model as PlannedModel | undefined;
  const read = models[architecture]?.reader;
  const isSound =
    known && isRecord(known.reading) && known.earlier >= 0 && (known.scale === undefined || known.scale > 0);
  if (isSound && read && known.signature === (await signatureOf(artifact, known))) {
    const { reading, earlier } = known;
    const { scale = known.scale } = artifact.info;
    const [catalogue, prepare] = [catalogueOf(artifact), await loaded(read(), `"${architecture}"`)];
    const reader = { prepare: (session: SessionInput) => prepare([session], reading, catalogue), earlier };
    try {
      reader.prepare({ items: artifact.info.golden.session });
      return { ...reader, ...(scale !== undefined && { scale }) };
    } catch {
      // its signature is right, but it was damaged before it was signed
    }
  }
  const [{ networkInfo }, { model }] = await Promise.all([
    loaded(import('./network-info'), 'specifications'),
    loadArchitecture(artifact.info),
  ]);
  return readerOf(networkInfo(model!, artifact));
}
