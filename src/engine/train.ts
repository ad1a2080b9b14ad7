/** Training from plain data to plain data. A chunk of its own: loaded only where a model learns. */
import { SUPPORT_TENSOR } from '../checkpoint/artifact';
import { RecommenderError, throwIfAborted } from '../errors';
import { configure } from '../models/configuration';
import { models } from '../models/index';
import { baselines } from '../neighbours/index';
import { countSupport } from '../session/event-log';
import { Trainer } from '../train/trainer';
import type { NdArray, Sessions } from '../types';
import { registerTraining } from './backends/training';
import type { BackendName, EngineEvent, Trained, TrainProgress, TrainRequest } from './engine';
import { goldenAnswer } from './golden-check';
import { loadScorer } from './load-scorer';

/** What learning yields: arrays by name, and the loss of each epoch. */
interface Learnt {
  readonly config: Record<string, unknown>;
  readonly arrays: Readonly<Record<string, NdArray>>;
  readonly losses: readonly number[];
}

/** As `Engine.train`, on a backend that has started. Every tensor that it makes it frees. */
export async function trainModel(
  request: TrainRequest,
  backend: BackendName,
  signal: AbortSignal,
  onProgress: (progress: TrainProgress) => void,
): Promise<Trained> {
  const { sessions, itemIds } = indexed(request.sessions);
  const items = itemIds.length;
  const support = countSupport(sessions.items, items);
  const { config, arrays, losses } = await learn(request, sessions, { items, support }, signal, onProgress);
  throwIfAborted(signal);
  const tensors = { ...arrays, [SUPPORT_TENSOR]: { data: support, shape: [items + 1] } };
  const { model: architecture } = request;
  const scorer = loadScorer({ info: { ...NAMELESS, architecture, config, items }, itemIds, tensors });
  try {
    const golden = await goldenAnswer(scorer, goldenSession(sessions));
    return { architecture, config, itemIds, tensors, golden, losses, backend };
  } finally {
    scorer.dispose();
  }
}

const NAMELESS = {
  name: 'new model',
  version: '0',
  golden: { session: [], top: [] },
  training: {},
  licence: '',
  modelCard: '',
};

async function learn(
  { model: name, config: given, seed, epochs: asked }: TrainRequest,
  sessions: Sessions,
  catalogue: { readonly items: number; readonly support: Int32Array },
  signal: AbortSignal,
  onProgress: (progress: TrainProgress) => void,
): Promise<Learnt> {
  if (Object.hasOwn(baselines, name)) {
    const baseline = baselines[name]!;
    const config = configure<Record<string, unknown>>(baseline, given);
    return { config, arrays: baseline.fit(sessions, catalogue, config), losses: [] };
  }
  if (!Object.hasOwn(models, name)) {
    const known = [...Object.keys(models), ...Object.keys(baselines)].join(', ');
    throw new RecommenderError('bad-config', `No model is called "${name}". Known are ${known}.`);
  }
  const model = models[name]!;
  const config = configure<Record<string, unknown>>(model, given);
  const epochs = asked ?? model.training(config).epochs;
  if (!(Number.isInteger(epochs) && epochs >= 1)) {
    throw new RangeError(`epochs: expected a whole number, at least 1, got ${epochs}.`);
  }
  await registerTraining();
  const trainer = new Trainer({ model, config, catalogue, sessions, seed, epochs });
  try {
    const losses: number[] = [];
    for (let epoch = 0; epoch < epochs; epoch++) {
      const loss = await trainer.runEpoch(signal, ({ step, steps, loss: soFar, epoch: running }) =>
        onProgress({ epoch: running, epochs, step, steps, loss: soFar }),
      );
      losses.push(loss);
    }
    return { config, arrays: await trainer.weights(), losses };
  } finally {
    trainer.dispose();
  }
}

/** Sessions by ids as the trainer wants them: in the order of their starts, items numbered as they appear. */
function indexed(sessions: readonly (readonly EngineEvent[])[]): { sessions: Sessions; itemIds: string[] } {
  const ordered = sessions
    .filter((session) => session.length > 0)
    .map((session) => [...session].sort((a, b) => a.time - b.time))
    .sort((a, b) => a[0]!.time - b[0]!.time);
  const events = ordered.flat();
  const indices = new Map<string, number>();
  const items = Int32Array.from(events, ({ itemId }) => {
    if (typeof itemId !== 'string') {
      throw new RecommenderError('bad-input', `train: expected item ids as text, got ${String(itemId)}.`);
    }
    const index = indices.get(itemId) ?? indices.size + 1;
    indices.set(itemId, index);
    return index;
  });
  const offsets = new Int32Array(ordered.length + 1);
  ordered.forEach((session, s) => {
    offsets[s + 1] = offsets[s]! + session.length;
  });
  const times = Float64Array.from(events, ({ time }) => time);
  if (items.length === 0) {
    throw new RecommenderError('bad-input', 'train: the sessions hold no click, so there is nothing to learn.');
  }
  return { sessions: { items, times, offsets }, itemIds: [...indices.keys()] };
}

/** The first session of two clicks or more, at most five of them: any will do, as long as it is always the same. */
function goldenSession({ items, offsets }: Sessions): number[] {
  let s = 0;
  while (s + 2 < offsets.length && offsets[s + 1]! - offsets[s]! < 2) s++;
  return [...items.subarray(offsets[s]!, Math.min(offsets[s + 1]!, offsets[s]! + 5))];
}
