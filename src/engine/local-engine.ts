/**
 * The engine in the thread that calls it: in Node, inside the worker, and in a page where no worker can start. It decides
 * when tensors are made and freed; the layers below only make them.
 */
import { abortable } from '../abort';
import { type ArtifactInfo, pricedAt } from '../checkpoint/artifact';
import { PLAN, RULES } from '../checkpoint/manifest';
import type { OnManifest } from '../checkpoint/open';
import { BackendFault } from '../compute/backend-fault';
import type { BackendOptions } from '../compute/backends/options';
import { startOrder } from '../compute/fallback';
import { type BackendName, isGpu } from '../compute/types';
import { RecommenderError, throwIfAborted } from '../errors';
import { loaded } from '../loaded';
import { isNeural } from '../ranking/architecture';
import { topShown } from '../ranking/shown-items';
import { topK } from '../ranking/top-k';
import type { ItemIndex } from '../types';
import { type FetchFile, fetchPrivately, loadArtifact } from './artifact-loader';
import { firstOf } from './first-of';
import type { Shop } from './live-catalogue';
import { withoutPlan } from './loading';
import { loadMixture, type Model } from './model';
import { loadClickReaders, modelItems } from './model-items';
import type { Personalisation } from './personalisation';
import { loadPlacing, place } from './place';
import type { Placed } from './placed';
import type { PlacementOptions } from './placement';
import type { Engine, RankedItem } from './types';

export interface LocalEngineOptions {
  /** How the artifact's files are fetched. Default: `fetch`, without credentials. */
  readonly fetchFile?: FetchFile;
  /** Where the WASM files are; needed in Node. */
  readonly wasmPath?: BackendOptions['wasmPath'];
  /**
   * Seconds in which work with the model is done, its waiting and other backends included, and in which a backend must have
   * started; the last backend of several has a second more. Default 20. Learning and explaining are many such pieces of work,
   * and have no deadline as a whole.
   */
  readonly backendDeadline?: number;
  /** WebGPU where the environment has none of its own: Node. */
  readonly webgpu?: BackendOptions['webgpu'];
  /** Milliseconds that only differ: what inferences are timed with. Default `performance.now`. */
  readonly clock?: () => number;
}

export function createLocalEngine(options: LocalEngineOptions = {}): Engine {
  const {
    fetchFile = fetchPrivately,
    wasmPath,
    webgpu,
    backendDeadline: deadline = 20,
    clock = () => performance.now(),
  } = options;
  const placementOptions: PlacementOptions = {
    deadline,
    clock,
    ...(wasmPath !== undefined && { wasmPath }),
    ...(webgpu && { webgpu }),
  };
  /** Fires when the engine is disposed: calls that run or wait end. */
  const end = new AbortController();
  let placement: Placed | undefined;
  let personalisation: Promise<Personalisation> | undefined;
  /** Known once `personalisation` has been loaded. */
  let personal: Personalisation | undefined;
  /** The catalogue that lives apart, and what the page itself knows, once their code has been loaded. */
  let shop: Shop | undefined;

  /** A call ends with its caller's signal and with the engine. */
  async function call<T>(work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    assertAlive();
    const either = firstOf(signal, end.signal);
    try {
      return await abortable(work(either.signal), either.signal);
    } catch (error) {
      either.fire(); // other downloads of the same call
      throw error;
    } finally {
      either.release();
      assertAlive();
    }
  }
  function assertAlive(): void {
    if (end.signal.aborted) throw new RecommenderError('disposed', 'The engine was disposed.');
  }
  function placedModel(): Placed {
    assertAlive();
    if (!placement) throw new RecommenderError('bad-artifact', 'The engine has no model yet. Call load first.');
    return placement;
  }

  /** Learning and explaining: loaded where they are wanted, and nowhere else. */
  function personalised(): Promise<Personalisation> {
    assertAlive();
    personalisation ??= loaded(import('./personalisation'), 'learning').then(({ createPersonalisation }) => {
      personal = createPersonalisation({ call, placedModel });
      return personal;
    });
    personalisation.catch(() => {
      personalisation = undefined; // the next call tries again
    });
    return personalisation;
  }

  async function shopping(): Promise<Shop> {
    assertAlive();
    const { createShop } = await loaded(import('./live-catalogue'), 'the catalogue');
    shop ??= createShop({ call, fetchFile, placed: () => placement });
    return shop;
  }

  return {
    async load(request, { signal, onProgress = () => {} } = {}) {
      const { modelUrl, backend, avoid = [], maxBytes } = request;
      assertAlive();
      const order = startOrder(backend, avoid);
      const why = (name: BackendName, failures: readonly string[]) => {
        if (backend !== 'auto') return REQUESTED(name);
        if (failures.length === 0) return `"${name}" is ready at once.`;
        return `"${name}" computes, since a faster one failed. ${failures.join(' ')}`;
      };
      return call(async (ends) => {
        const backendsFor = ({ architecture }: Pick<ArtifactInfo, 'architecture'>, hasPlan: boolean) =>
          backend === 'auto' && !isNeural(architecture) ? COUNTING : order.filter((name) => name !== 'plan' || hasPlan);
        const onManifest: OnManifest = ({ files, ...info }) => {
          const [first] = backendsFor(info, Object.hasOwn(files, PLAN));
          const code = [
            first && loadPlacing(info, first),
            info.features && loadClickReaders(),
            info.mix && loadMixture(),
          ];
          Promise.all(code).catch(() => {}); // the caller that needs it gets the error
          return first === 'plan' ? [PLAN] : [];
        };
        const artifact = await loadArtifact(modelUrl, { fetchFile, onProgress, signal: ends, onManifest, maxBytes });
        const backends = backendsFor(artifact.info, artifact.hasPlan);
        if (backends.length === 0) throw withoutPlan(artifact);
        const next = await place(
          artifact,
          await modelItems(artifact),
          { order: backends, avoid, why, onProgress, signal: ends },
          placementOptions,
        ).catch((error) => {
          throw isGpu(backend) || (error instanceof BackendFault && error.isGone) ? asNoBackend(error) : error;
        });
        const gone = ends.aborted ? next : placement;
        if (!ends.aborted) placement = next;
        shop?.show();
        await gone?.dispose();
        throwIfAborted(ends);
        return next.info;
      }, signal);
    },
    move({ backend, why = REQUESTED(backend) }, { signal } = {}) {
      return call(async (ends) => {
        startOrder(backend); // refuses a name that none has
        try {
          return await placedModel().move(backend, why, ends);
        } catch (error) {
          throw asNoBackend(error);
        }
      }, signal);
    },
    forget: () => call(async (ends) => placement?.forget(ends)),
    device: async () => (await diagnosing()).deviceHere(),
    recommend(request, { signal } = {}) {
      const { session, user, k, exclude, strategy } = request;
      return call(async (ends) => {
        const from = performance.now();
        const placed = placedModel();
        const { items } = placed;
        const scored = <T>(work: (model: Model) => Promise<T>) =>
          personal ? personal.scored(placed, work, ends) : placed.run(work, ends);
        const answered = (best: readonly RankedItem[]) => {
          const refused = personal?.takeRefusal();
          return { ...answer(placed, from, best), ...(refused !== undefined && { refusedAdapter: refused }) };
        };
        const withNew = strategy === 'related' && (await shop?.related(items, request, scored));
        if (withNew) return answered(withNew);
        if (strategy !== undefined && strategy !== 'related') {
          const { counted } = await loaded(import('./strategies'), 'strategies');
          const { found, missing } = await counted(placed, strategy, request);
          return { ...answer(placed, from, found), ...(missing !== undefined && { missing }) };
        }
        // The page may name the product that it asks about by an alias.
        const asked = strategy ? session.map((click) => ({ ...click, itemId: items.named(click.itemId) })) : session;
        const known = await items.known(asked, user);
        const hidden = items.hidden(exclude);
        if (known.items.length === 0) {
          const { popularity } = items;
          const isNoCandidate = (index: ItemIndex) => popularity[index - 1] === 0 || hidden.has(index);
          const popular = topK(popularity, k, { has: isNoCandidate }).map((item) => ({ ...item, isPopular: true }));
          return answer(placed, from, items.ranked(popular));
        }
        const best = async ({ session, scorer }: Model) => {
          const running = session();
          if (running.topK) return running.topK(known, k, hidden);
          return topShown(scorer, await running.score(known), items.popularity, k, hidden);
        };
        return answered(items.ranked(await scored(best)));
      }, signal);
    },
    fineTune: async (...request) => (await personalised()).fineTune(...request),
    setAdapter: async (...request) => (await personalised()).setAdapter(...request),
    migrate: async (...request) => (await personalised()).migrate(...request),
    explain: async (...request) => (await personalised()).explain(...request),
    fetchCatalogue: async (...request) => (await shopping()).fetchCatalogue(...request),
    setCatalogue: async (...request) => (await shopping()).setCatalogue(...request),
    updateProducts: async (...request) => (await shopping()).updateProducts(...request),
    async catalogue() {
      const now = Date.now();
      return placedModel()
        .items.listed()
        .map((product) => pricedAt(product, now));
    },
    async products(ids) {
      const { artifact, items } = placedModel();
      const now = Date.now();
      return ids.map(items.named).map((id) => {
        const product = items.product(id);
        if (product === undefined) return null;
        const group = product.group ?? shop?.groupOf(id) ?? artifact.aliases?.get(id)?.group;
        return { ...pricedAt(product, now), ...(group !== undefined && { group }) };
      });
    },
    rules: async () => shop?.rules() ?? (await placedModel().artifact.further(RULES)) ?? null,
    async resolve(products) {
      const { items } = placedModel();
      return products.map((candidates) => items.resolve(candidates) ?? null);
    },
    async identify(candidates) {
      const { items } = placedModel();
      return items.resolve(candidates) ?? candidates.find(({ id }) => items.product(id))?.id ?? null;
    },
    nearest: async (id) => (await diagnosing()).nearest(id, placedModel().artifact.itemIds),
    foreignIds: async (found) => (await diagnosing()).foreignIds(found, placedModel().artifact.itemIds),
    loadedFiles: async () => (await diagnosing()).loadedFiles(),
    memory: () => call(async (ends) => placement?.memory(ends) ?? { tensors: 0, bytes: 0 }),
    async dispose() {
      if (end.signal.aborted) return;
      end.abort();
      await placement?.dispose(deadline);
      placement = undefined;
    },
  };
}

/** Backends of a counting model under `auto`. */
const COUNTING: readonly BackendName[] = ['cpu'];

const diagnosing = () => loaded(import('./diagnosis'), 'the diagnosis');
const REQUESTED = (backend: BackendName): string => `"${backend}" was asked for.`;

/** A backend that was requested by name is not available, for any reason. */
function asNoBackend(error: unknown): unknown {
  if (!(error instanceof BackendFault) || error.code === 'no-backend') return error;
  const message = `The backend "${error.backend}" failed: ${error.message}`;
  return new RecommenderError('no-backend', message, { cause: error });
}

const answer = ({ info }: Placed, from: number, items: readonly RankedItem[]) => ({
  items,
  milliseconds: performance.now() - from,
  backend: info.backend,
  why: info.why,
});
