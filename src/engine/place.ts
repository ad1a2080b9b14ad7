/** Places a loaded model: directly where it computes in plain calls, else on a backend that may fail. */
import type { ArtifactInfo, OpenedArtifact } from '../checkpoint/artifact';
import { BackendFault, noPlan } from '../compute/backend-fault';
import type { BackendName } from '../compute/types';
import type { RecommenderError } from '../errors';
import { loaded } from '../loaded';
import { isNeural, loadArchitecture } from '../ranking/architecture';
import { loadCodeFor } from './loading';
import type { ModelItems } from './model-items';
import type { Placed } from './placed';
import type { PlacementOptions, PlacementRequest } from './placement';

/**
 * Fetches what a model needs to be placed on a backend. The second time it is there at once.
 *
 * @throws RecommenderError as `loadCodeFor`.
 */
export async function loadPlacing(info: Pick<ArtifactInfo, 'architecture' | 'name'>, backend: BackendName) {
  if (!isDirect(info, backend)) await Promise.all([loadPlacement(), loadCodeFor(info, backend)]);
  else if (backend === 'plan') await Promise.all([loadDirect(), loadCodeFor(info, backend)]);
  else await Promise.all([loadDirect().then(({ loadCounting }) => loadCounting()), loadArchitecture(info)]);
}
const loadDirect = () => loaded(import('./direct-placement'), 'plans');
const loadPlacement = () => loaded(import('./placement'), 'placement');

/** Whether a backend computes a model in plain calls. */
const isDirect = ({ architecture }: Pick<ArtifactInfo, 'architecture'>, backend: BackendName): boolean =>
  backend === 'plan' || (backend === 'cpu' && !isNeural(architecture));

/**
 * Puts a model on the first backend that works.
 *
 * @throws As `Placement.of`.
 */
export async function place(
  artifact: OpenedArtifact,
  items: ModelItems,
  request: PlacementRequest,
  options: PlacementOptions,
): Promise<Placed> {
  const { order } = request;
  const movable = async (over: Partial<PlacementRequest> = {}) =>
    (await loadPlacement()).Placement.of(artifact, items, { ...request, ...over }, options);
  const [first] = order;
  if (!isDirect(artifact.info, first!)) return movable();
  try {
    const { placeDirectly } = await loadDirect().catch((error) => {
      throw first === 'plan' ? noPlan(error) : error;
    });
    return await placeDirectly(artifact, items, request, movable);
  } catch (error) {
    const isNotFinite = first === 'plan' && (error as Partial<RecommenderError>).code === 'not-finite';
    const fault = isNotFinite ? noPlan(error) : error;
    if (!(fault instanceof BackendFault) || order.length === 1) throw fault;
    return movable({ order: order.slice(1), failures: [fault.message] });
  }
}
