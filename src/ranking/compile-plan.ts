/** Compiles a network into a plan, by what it does with sample sessions on the active backend. */
import { type Tensor, tensor1d, tidy } from '@tensorflow/tfjs';
import type { Artifact } from '../checkpoint/artifact';
import { isCoded } from '../checkpoint/coded-array';
import { start } from '../compute/backends/plan';
import { NoFit } from '../compute/plan/fit';
import { encodePlan } from '../compute/plan/format';
import { type ItemPart, link, type Sample, type Sources } from '../compute/plan/link';
import type { Plan } from '../compute/plan/plan';
import { trace, type Value } from '../compute/plan/trace';
import type { RunningDevice } from '../compute/running';
import type { PreparedTensors, Run } from '../models/model';
import { upload } from '../models/tensors';
import type { SessionInput } from '../types';
import { goldenMismatch } from './golden-check';
import { loadNetwork, type TensorNetwork, uploaded } from './load-scorer';
import { networkInfo } from './network-info';
import { CLICK, loadPlanScorer, MOST_CLICKS, STATE } from './plan-scorer';
import { plannedModel, readPlan } from './session-reader';
import { openSession } from './session-scorer';

/** Other backends run `INFERENCE`: what is left out here takes weights in another order, which a plan makes once, and they in each answer. */
const ANSWER: Run = { dropout: (x) => x, isAnswer: true };
/** Primes: a length that is also another size of the model could have steps of its own. */
const LENGTHS = [1, 2, 3, 5, 7, 11, 13, 17, 19, 23];
/** So few lengths are all samples. */
const FEW = 8;
/** Most lengths that have steps of their own, where a network unrolls its clicks. */
const MOST_UNROLLED = 64;

/**
 * The plan of an artifact's network, as a file, which gives the artifact's golden answer.
 *
 * @param device The active one, which must be `cpu`: see `compilePlan`.
 * @throws As `compilePlan`; Error where the plan computes something else.
 */
export async function compileArtifact(artifact: Artifact, device: RunningDevice): Promise<Uint8Array> {
  const { info, tensors } = artifact;
  const model = await loadNetwork(info.architecture);
  const known = networkInfo<unknown>(model, artifact);
  const planned = await plannedModel(artifact, known);
  const { network, dispose } = uploaded({ ...known, model }, tensors);
  let bytes: Uint8Array;
  try {
    bytes = encodePlan({ ...compilePlan(network, tensors), ...(planned && { model: planned }) });
  } finally {
    dispose();
  }
  const session = openSession(loadPlanScorer(artifact, await readPlan(artifact, bytes), await start()));
  const wrong = await goldenMismatch(session, info.golden, device.tolerance);
  if (wrong) throw new Error(`the plan does not give the golden answer: ${wrong}`);
  return bytes;
}

/**
 * The active backend must be `cpu`: its numbers can be read at once, and its kernels are those that plans know.
 *
 * @param tensors Of the artifact: those that are codes stay codes where they can. Default: none are.
 * @throws UnknownKernel for a kernel that plans do not have.
 * @throws NoFit where steps do not follow from the sizes of a session.
 */
export function compilePlan<C>(network: TensorNetwork<C>, tensors: Artifact['tensors'] = {}): Plan {
  const { model, params, config, catalogue } = network;
  const parameters = Object.entries(params);
  const given = parameters.map(([, tensor]) => tensor);
  const parts: ItemPart[] = [];
  const items = trace(() => {
    const given = Object.entries(model.outputs(params, config)) as [ItemPart, Tensor | undefined][];
    const there = given.filter((entry): entry is [ItemPart, Tensor] => entry[1] !== undefined);
    parts.push(...there.map(([part]) => part));
    return there.map(([, tensor]) => tensor);
  }, given);
  return link({
    parameters: new Map(parameters.map(([name, { dataId, size }]) => [dataId, { name, length: size }])),
    items: { trace: items, n: catalogue.items, parts },
    coded: Object.entries(tensors).flatMap(([name, tensor]) => {
      if (!isCoded(tensor)) return [];
      const [rows, d] = tensor.shape as [number, number];
      return [{ name, rows, d, m: tensor.codes.length / rows }];
    }),
    ...(model.stepping ? { samples: [stepOf(network, given)], isWhole: true } : samplesOf(network, given)),
  });
}

const upTo = (most: number): number[] => Array.from({ length: most }, (_, i) => i + 1);

const tensorValue = ({ dataId, shape, dtype }: Tensor): Value => ({ id: dataId, shape: [...shape], dtype });

function sampleOf(inputs: PreparedTensors, given: readonly Tensor[], run: () => readonly Tensor[]): Sample {
  try {
    return {
      inputs: Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, tensorValue(tensor)])),
      trace: trace(run, [...given, ...Object.values(inputs)]),
    };
  } finally {
    for (const tensor of Object.values(inputs)) tensor.dispose();
  }
}

/** A session vector and the new state, by the state before it and one click. */
function stepOf<C>({ model, params, config }: TensorNetwork<C>, given: readonly Tensor[]): Sample {
  const stepping = model.stepping!;
  const before = tidy(() => [...stepping.start(config, 1)]);
  const click = tensor1d([1], 'int32');
  const inputs = { [CLICK]: click, ...Object.fromEntries(before.map((tensor, i) => [`${STATE}${i}`, tensor])) };
  return sampleOf(inputs, given, () => {
    // A session begins with zeros, which no file has to hold.
    if (before.some((tensor) => tensor.dataSync().some((x) => x !== 0))) throw new NoFit('A state begins with others.');
    const after = stepping.step(params, before, click, config, ANSWER);
    return [stepping.vector(after), ...after];
  });
}

function samplesOf<C>(network: TensorNetwork<C>, given: readonly Tensor[]): Pick<Sources, 'samples' | 'isWhole'> {
  const { model, params, config, catalogue } = network;
  const n = catalogue.items;
  const prepared = (length: number, distinct: number) => {
    const session: SessionInput = { items: Int32Array.from({ length }, (_, t) => 1 + ((t % distinct) % n)) };
    return model.prepare([session], config, catalogue);
  };
  const shapesOf = (arrays: ReturnType<typeof prepared>) =>
    JSON.stringify(Object.values(arrays).map(({ shape }) => shape));
  const most = shapesOf(prepared(MOST_CLICKS, MOST_CLICKS));
  let longest = 1;
  while (longest < MOST_CLICKS && shapesOf(prepared(longest, longest)) !== most) longest++;
  const sample = (arrays: ReturnType<typeof prepared>): Sample => {
    const inputs = upload(arrays);
    return sampleOf(inputs, given, () => [model.encode(params, inputs, config, ANSWER)]);
  };
  const known = new Set<string>();
  const samples: Sample[] = [];
  const add = (length: number, distinct: number): void => {
    const arrays = prepared(length, distinct);
    const shapes = shapesOf(arrays);
    if (known.has(shapes)) return;
    known.add(shapes);
    samples.push(sample(arrays));
  };
  const isWhole = longest <= FEW;
  const lengths = isWhole ? upTo(longest - 1) : LENGTHS.filter((length) => length < longest);
  for (const length of [...lengths, longest]) {
    for (const distinct of lengths) if (distinct < length) add(length, distinct);
    add(length, length);
  }
  // A network that unrolls its clicks has steps of its own for every length.
  const calls = new Set(samples.slice(2).map((one) => one.trace.calls.length));
  if (calls.size > 1) {
    // Of our networks, only Transformers4Rec's GRU.
    if (longest > MOST_UNROLLED) {
      throw new NoFit(
        `The network has other steps for each of ${longest} lengths, and a plan has at most ${MOST_UNROLLED}. ` +
          `Train it with totalSeqLength=${MOST_UNROLLED}.`,
      );
    }
    for (const length of upTo(longest - 1)) add(length, length);
  }
  return { samples, isWhole };
}
