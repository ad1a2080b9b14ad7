/** Fetches what computes: the compiled plan of an artifact, and the code of either way. */
import type { ArtifactInfo, OpenedArtifact } from '../checkpoint/artifact';
import { PLAN } from '../checkpoint/manifest';
import { type BackendFault, type Device, noPlan } from '../compute/backend-fault';
import type { BackendName } from '../compute/types';
import { RecommenderError } from '../errors';
import { loaded } from '../loaded';
import { models } from '../models/index';
import { isNeural, type LoadedScorer, loadArchitecture } from '../ranking/architecture';
import type { readPlan } from '../ranking/session-reader';

/**
 * Fetches the code that computes on a backend. The second time it is there at once.
 *
 * @throws RecommenderError as `loadArchitecture`.
 */
export async function loadCodeFor(info: Pick<ArtifactInfo, 'architecture' | 'name'>, backend: BackendName) {
  if (backend === 'plan')
    await Promise.all([models[info.architecture]?.reader?.(), loadPlans().then(({ loadModule }) => loadModule())]);
  else await Promise.all([loadArchitecture(info), loadTensors(info.architecture)]);
}

export const loadPlans = () => loaded(import('./plan-code'), 'plans');
export async function loadTensors(architecture: string) {
  const code = await loaded(import('../ranking/load-scorer'), 'scoring');
  if (isNeural(architecture)) await code.loadNetwork(architecture);
  return code;
}

/** Of each artifact, read once. */
const plans = new WeakMap<OpenedArtifact, ReturnType<typeof readPlan>>();

/**
 * Reads an artifact's plan. Outside of slices: a slow network is no fault of a backend.
 *
 * @throws RecommenderError as `readPlan`.
 * @throws BackendFault where there is no plan that can be read.
 */
export async function planOf(artifact: OpenedArtifact): ReturnType<typeof readPlan> {
  const { info, bytes } = artifact;
  const [plan] = await Promise.all([bytes(PLAN), loadCodeFor(info, 'plan')]).catch((error) => {
    throw noPlan(error);
  });
  if (!plan) throw withoutPlan(artifact);
  const reading = plans.get(artifact) ?? (await loadPlans()).readPlan(artifact, plan);
  plans.set(artifact, reading);
  try {
    return await reading;
  } catch (error) {
    plans.delete(artifact);
    throw error instanceof RecommenderError && error.code !== 'io' ? error : noPlan(error);
  }
}

/** @throws BackendFault `no-backend` where there is no plan. */
export async function loadPlanned(artifact: OpenedArtifact, device: Device): Promise<LoadedScorer> {
  const [plan, { loadPlanScorer }] = await Promise.all([planOf(artifact), loadPlans()]);
  return loadPlanScorer(artifact, plan, device);
}

export const withoutPlan = ({ info }: OpenedArtifact): BackendFault =>
  noPlan(
    new Error(
      `The model "${info.name}" has no compiled plan. Train it again with this release, or use the backend "auto".`,
    ),
  );
