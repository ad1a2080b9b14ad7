/** A small model with random weights, the same everywhere, and its folder as a server would serve it. */
import {
  type Aliases,
  type Artifact,
  type CatalogueItem,
  MIX_PREFIX,
  type MixedCounter,
  SUPPORT_TENSOR,
} from '../../src/checkpoint/artifact';
import { packArtifact } from '../../src/checkpoint/pack';
import { startBackend } from '../../src/compute/backends/start';
import { run } from '../../src/compute/executor';
import type { BackendName } from '../../src/compute/types';
import type { FetchFile } from '../../src/engine/artifact-loader';
import type { EngineEvent } from '../../src/engine/types';
import { configure } from '../../src/models/configuration';
import { models } from '../../src/models/index';
import { initialise } from '../../src/models/initialise';
import { baselines } from '../../src/neighbours/index';
import { isNeural } from '../../src/ranking/architecture';
import { compileArtifact } from '../../src/ranking/compile-plan';
import { goldenAnswer } from '../../src/ranking/golden-check';
import { loadScorer } from '../../src/ranking/load-scorer';
import { random } from '../../src/session/random';
import type { Sessions } from '../../src/types';

export const MODEL_URL = 'https://shop.example/models/small/';
/** Ids that break whatever joins, splits, escapes or looks up carelessly come first. */
export const IDS: readonly string[] = [
  'a,b',
  '"quoted" \'twice\'',
  '🧦',
  '__proto__',
  'constructor',
  ...Array.from({ length: 55 }, (_, k) => `item-${k + 6}`),
];

export interface FixtureOptions {
  readonly architecture?: string;
  /** Default 48 units: gates of more than 128 numbers, for fewer TensorFlow.js sums on WebGPU with 256 threads each. */
  readonly config?: Record<string, unknown>;
  /** Default `IDS`. */
  readonly itemIds?: readonly string[];
  readonly catalogue?: readonly CatalogueItem[];
  readonly aliases?: Aliases;
  readonly seed?: number;
  /** What turns the network's scores into logits; `unknown`: its artifact does not say. Default 1. */
  readonly scale?: number | 'unknown';
}

/** The artifact; its golden answer comes from the CPU backend. */
export async function smallModel(options: FixtureOptions = {}): Promise<Artifact> {
  const { architecture = 'gru4rec', config = { layers: '48' }, catalogue, seed = 1, scale = 1 } = options;
  const { itemIds = IDS, aliases } = options;
  const N = itemIds.length;
  const support = Int32Array.from({ length: N + 1 }, (_, i) => (i === 0 ? 0 : 1 + ((i * 37) % 61)));
  const known = { items: N, support };
  const model = await models[architecture]?.network();
  const baseline = baselines[architecture];
  const arrays = model
    ? initialise(model.parameters(configure(model, config), known), seed)
    : baseline!.fit(
        { items: new Int32Array(0), times: new Float64Array(0), offsets: Int32Array.of(0) },
        known,
        configure(baseline!, {}),
      );
  const artifact: Artifact = {
    info: {
      name: `small ${architecture}`,
      version: '1.0.0',
      architecture,
      config: model ? config : {},
      items: N,
      ...(model && scale !== 'unknown' && { scale }),
      golden: { session: [1], top: [] },
      training: {},
      licence: 'MIT',
      modelCard: '',
    },
    itemIds,
    tensors: { ...arrays, 'catalogue.support': { data: support, shape: [N + 1] } },
    ...(catalogue ? { catalogue } : {}),
    ...(aliases ? { aliases } : {}),
  };
  const golden = await run(async () => {
    await startBackend('cpu');
    const scorer = await loadScorer(artifact);
    try {
      return await goldenAnswer(scorer, N < 3 ? [1] : [1, 2, 3, 2]);
    } finally {
      scorer.dispose();
    }
  });
  return { ...artifact, info: { ...artifact.info, golden } };
}

const planned = new Map<string, Promise<Artifact>>();

/** A small model with its compiled plan; each is compiled once. */
export function plannedModel(options: FixtureOptions = {}): Promise<Artifact> {
  const key = JSON.stringify(options, (_, value) => (value instanceof Map ? [...value] : value));
  if (!planned.has(key)) planned.set(key, smallModel(options).then(withPlan));
  return planned.get(key)!;
}

/** What is loaded on a backend: on `plan` an artifact that has one, elsewhere one that has none. */
export const modelFor = (backend: BackendName, options?: FixtureOptions): Promise<Artifact> =>
  backend === 'plan' ? plannedModel(options) : smallModel(options);

/** The same with its compiled plan, unless a baseline counts. */
export async function withPlan(artifact: Artifact): Promise<Artifact> {
  if (!isNeural(artifact.info.architecture)) return artifact;
  const plan = await run(async (slice) => compileArtifact(artifact, await slice.start('cpu')));
  return { ...artifact, plan };
}

/** A network with a counting model of a log inside, and with its plan. */
export function withCounter(network: Artifact, log: Sessions, mix: MixedCounter): Promise<Artifact> {
  const counter = baselines[mix.architecture]!;
  const support = network.tensors[SUPPORT_TENSOR]!.data;
  const arrays = counter.fit(log, { items: network.info.items, support }, configure(counter, mix.config));
  const counted = Object.entries(arrays).map(([name, array]) => [MIX_PREFIX + name, array] as const);
  const tensors = { ...network.tensors, ...Object.fromEntries(counted) };
  return withPlan({ ...network, info: { ...network.info, mix }, tensors });
}

export type Folder = ReadonlyMap<string, Uint8Array>;

export const folderOf = (artifact: Artifact): Promise<Folder> => packArtifact(artifact);

/** Serves a folder under `MODEL_URL`, and keeps what was asked for. */
export function serveFolder(folder: Folder): FetchFile & { readonly urls: string[] } {
  const urls: string[] = [];
  const fetchFile: FetchFile = async (url, signal) => {
    signal.throwIfAborted();
    urls.push(url);
    const bytes = url.startsWith(MODEL_URL) ? folder.get(url.slice(MODEL_URL.length)) : undefined;
    return bytes ? new Response(bytes.slice()) : new Response('not here', { status: 404 });
  };
  return Object.assign(fetchFile, { urls });
}

/** A session of these ids, a minute apart. */
export const clicks = (...ids: readonly string[]): EngineEvent[] =>
  ids.map((itemId, t) => ({ itemId, time: 1_700_000_000 + 60 * t }));

/** The same session in each of so many days. */
export const habitOf = (ids: readonly string[], sessions: number): EngineEvent[][] =>
  Array.from({ length: sessions }, (_, s) =>
    clicks(...ids).map((click) => ({ ...click, time: click.time + 86_400 * s })),
  );

/** 200 clicks over all items, the odd ids among them. */
export const LONG = clicks(...Array.from({ length: 200 }, (_, t) => IDS[(t * t + 3 * t) % IDS.length]!));

/** Sessions that every engine must answer alike. */
export const SESSIONS: Readonly<Record<string, EngineEvent[]>> = {
  'one click': clicks('item-9'),
  'odd ids': clicks('a,b', '"quoted" \'twice\'', '🧦', '__proto__', 'constructor'),
  'a repeat': clicks('item-7', 'item-8', 'item-7', 'item-7'),
  'unknown items inside': clicks('gone', 'item-12', 'toString', 'item-13', ''),
  'only unknown items': clicks('gone', 'hasOwnProperty'),
  'no click': [],
  '200 clicks': LONG,
};

export const NOW = 1_700_020_000;

/** Visitors who walk a ring of 12 items, forwards: what comes next is plain, if one has looked. */
export const RING: EngineEvent[][] = Array.from({ length: 60 }, (_, s) => {
  const { integer } = random(7, 'ring', s);
  const from = integer(12);
  return Array.from({ length: 3 + integer(4) }, (_, t) => ({
    itemId: `"ring", ${(from + t) % 12}`,
    time: 1_700_000_000 + 1000 * s + t,
  }));
});

/** GRU4Rec on them. 16 × 12 scores a step are more than the 128 numbers that WebGPU sums slowly. */
export const RING_TRAINING = {
  model: 'gru4rec',
  sessions: RING,
  config: { layers: '16', batchSize: 16, nSample: 0, learningRate: 0.1 },
  seed: 3,
  epochs: 1,
};
