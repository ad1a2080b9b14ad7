/** Several artifacts that are evaluated together: an ensemble, or a model mixed with another. */
import { type Artifact, type OpenedArtifact, USERS_TENSOR } from '../checkpoint/artifact';
import type { Device } from '../compute/backend-fault';
import type { RunningDevice } from '../compute/running';
import { scaleOf } from '../engine/frozen-model';
import { loadPlanned } from '../engine/loading';
import { mismatch } from '../engine/model';
import { RecommenderError } from '../errors';
import { baselines } from '../neighbours/index';
import type { LoadedScorer } from '../ranking/architecture';
import { combined, type Member, type Scale } from '../ranking/combine';
import { goldenMismatch } from '../ranking/golden-check';
import { loadScorer } from '../ranking/load-scorer';
import { withCounting } from '../ranking/mixture';
import { openSession } from '../ranking/session-scorer';
import type { Scorer } from '../types';
import { readArtifactFolder } from './files/artifact-folder';
import type { Mix } from './options';
import { requirePlan } from './require-plan';

export interface Combination {
  /** Equal parts of the ensemble, or the one model. */
  readonly artifacts: readonly OpenedArtifact[];
  readonly mixed?: OpenedArtifact;
  /** The artifact that says how to read clicks and users; the others agree with it, or read neither. */
  readonly reader: Artifact;
}

/**
 * Reads the artifacts.
 *
 * @throws RecommenderError `bad-config` for artifacts that do not rank the same items in the same order, or read clicks or
 *   users differently.
 */
export async function readCombination(dirs: readonly string[], mix: Mix | undefined): Promise<Combination> {
  const all = [...dirs, ...(mix ? [mix.dir] : [])];
  const read: OpenedArtifact[] = [];
  for (const dir of all) read.push(await readArtifactFolder(dir));
  const ids = JSON.stringify(read[0]!.itemIds);
  const other = read.findIndex(({ itemIds }) => JSON.stringify(itemIds) !== ids);
  if (other > 0) {
    throw new RecommenderError(
      'bad-config',
      `${all[other]} ranks other items than ${all[0]}, or in another order. Train both on the same file.`,
    );
  }
  const reads = read.map((artifact) => readingOf(artifact));
  const at = reads.findIndex((reading) => reading !== undefined);
  const unlike = reads.findIndex((reading) => reading !== undefined && reading !== reads[at]);
  if (unlike >= 0) {
    throw new RecommenderError('bad-config', `${all[unlike]} and ${all[at]} read clicks or users differently.`);
  }
  return {
    artifacts: read.slice(0, dirs.length),
    ...(mix && { mixed: read.at(-1)! }),
    reader: read[Math.max(0, at)]!,
  };
}

/** What an artifact reads beside item ids, as comparable text; undefined if it reads item ids only. */
function readingOf({ info, tensors }: Artifact): string | undefined {
  const users = tensors[USERS_TENSOR];
  if (!info.features && !users) return undefined;
  return JSON.stringify([info.features, users && Array.from(users.data)]);
}

type ScoringDevice = Device & Pick<RunningDevice, 'tolerance'>;
/** What a counting model computes on, whatever runs. */
const COUNTING: ScoringDevice = { name: 'cpu', instance: {}, tolerance: 1e-4 };

/**
 * Loads the scorer of the equal parts, and that of the artifact that is mixed in, and checks their golden answers.
 *
 * @param device What networks compute on, by their compiled plans where it is `plan`. Default: all only count.
 * @throws RecommenderError `bad-config` for probabilities of a network whose scale is not known; `bad-artifact` for a network
 *   without a plan; as `mismatch`.
 */
export async function loadCombination(
  { artifacts, mixed }: Combination,
  scale: Scale,
  device: ScoringDevice = COUNTING,
): Promise<{ first: Member; second?: Member }> {
  const members: Member[] = [];
  const all = mixed ? [...artifacts, mixed] : artifacts;
  const isCombined = all.length > 1;
  try {
    for (const artifact of all) {
      const { architecture, mix } = artifact.info;
      const counts = Object.hasOwn(baselines, architecture);
      const scorer = await loadChecked(artifact, counts ? COUNTING : device);
      const isCounted = counts || mix !== undefined; // probabilities are divided by their sum alone, as counts are
      members.push({ scorer, isCounted });
      if (!isCombined || scale !== 'probabilities' || isCounted) continue;
      const known = await scaleOf({ scorer, network: scorer.network, artifact });
      if (known === undefined) throw noScale(artifact);
      members.push({ ...members.pop()!, scale: known });
    }
  } catch (error) {
    for (const { scorer } of members) scorer.dispose();
    throw error;
  }
  const equal = members.slice(0, artifacts.length);
  const first = equal.length === 1 ? equal[0]! : { scorer: ensemble(equal, scale), isCounted: true };
  return { first, ...(mixed && { second: members.at(-1)! }) };
}

async function loadChecked(artifact: OpenedArtifact, device: ScoringDevice): Promise<LoadedScorer> {
  const own = await (device.name === 'plan' ? withPlan(artifact, device) : loadScorer(artifact));
  const session = openSession(own);
  try {
    const wrong = await goldenMismatch(session, artifact.info.golden, device.tolerance);
    if (wrong) throw mismatch(artifact, device, wrong);
  } catch (error) {
    own.dispose();
    throw error;
  } finally {
    session.forget();
  }
  return withCounting(artifact, own);
}

async function withPlan(artifact: OpenedArtifact, plans: Device): Promise<LoadedScorer> {
  await requirePlan(artifact);
  return loadPlanned(artifact, plans);
}

const noScale = ({ info: { name } }: Artifact): RecommenderError =>
  new RecommenderError('bad-config', `The artifact "${name}" ${NO_SCALE} Or use \`combine\` standard.`);

/** Why it cannot be mixed by probabilities, and what to do. */
export const NO_SCALE =
  'does not say what turns its scores into probabilities. Train it with a validation part, or import it with `data`.';

/** Its scores are probabilities already, so they count as counted: they are divided by their sum, without another softmax. */
const ensemble = (members: readonly Member[], scale: Scale): Scorer =>
  combined(
    members.map((member) => ({ ...member, weight: 1 / members.length })),
    scale,
  );

/** The weighted mean of both; `weight` is the share of the second. */
export const mixture = (first: Member, second: Member, weight: number, scale: Scale): Scorer =>
  combined(
    [
      { ...first, weight: 1 - weight },
      { ...second, weight },
    ],
    scale,
  );
