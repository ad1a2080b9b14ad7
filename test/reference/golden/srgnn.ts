/** What SR-GNN's golden files ask for, computed by the product. */
import { tidy } from '@tensorflow/tfjs';
import { nodeStates, type SrgnnConfig, srgnn } from '../../../src/models/srgnn';
import { srgnnTraining } from '../../../src/models/srgnn-training';
import { upload } from '../../../src/models/tensors';
import { catalogueScores } from '../../../src/nn/scores';
import { Optimiser } from '../../../src/train/optimiser';
import { TrainStep } from '../../../src/train/step';
import type { SessionInput } from '../../../src/types';
import { logOf } from '../../train/helpers';
import { drawing, INFERENCE, lossAndGradients } from '../through-training';
import type { Computed, GoldenFile } from './compare';
import { importers } from './importers';
import { type Imported, imported } from './weights';

export async function srgnnGolden(file: GoldenFile): Promise<Computed> {
  const subject = imported(file, importers.srgnn, srgnn);
  const { config, catalogue, specs, load, entries, unused } = subject;
  const sessions = rowsOf(file, 'inputs/sessions').map((row) => ({ items: row.filter((item) => item !== 0) }));
  const targets = file.tensors['inputs/targets']!.data as Int32Array;
  const params = load('weights/');

  const inputs = srgnn.prepare(sessions, config, catalogue);
  checkGraphs(file, inputs);
  const log = { sessions: logOf(sessions.map(({ items }, b) => [...items, targets[b]!])), catalogue, first: 0 };
  const { offsets } = log.sessions;
  const rows = sessions.map((_, source) => {
    const firstTarget = offsets[source + 1]! - 1;
    return { source, from: offsets[source]!, firstTarget, end: firstTarget + 1 };
  });
  const batch = srgnnTraining.batch(rows, log, config, drawing());
  const { loss, gradients } = lossAndGradients(srgnnTraining, params, batch, config, catalogue);
  const scores = tidy(() => {
    const vectors = srgnn.encode(params, upload(inputs), config, INFERENCE);
    return catalogueScores(vectors, srgnn.outputs(params, config), catalogue.items);
  });
  const computed: Record<string, ArrayLike<number>> = {
    ...(await states(file, subject, sessions, params)),
    'outputs/scores': (await scores.data()).slice(),
    'loss/cross_entropy': (await loss.data()).slice(),
    ...(await entries('grads/', gradients)),
  };
  for (const value of [loss, scores, ...Object.values(gradients)]) value.dispose();

  // The same batch again and again.
  const steps = file.config.adam_steps as number;
  if (steps > 0) {
    const { optimiser: spec } = srgnnTraining.plan(config);
    const optimiser = new Optimiser(spec, params);
    const task = { training: srgnnTraining, config, specs, log };
    const trainStep = new TrainStep(task, params, optimiser, 0);
    const losses: number[] = [];
    for (let step = 0; step < steps; step++) {
      const before = trainStep.run(rows, step, spec.learningRate);
      losses.push((await before.data())[0]!);
      before.dispose();
    }
    computed['loss/adam_steps'] = losses;
    Object.assign(computed, await entries('after/', params));
    // What no computation reads gets no gradient, and then PyTorch's Adam leaves it alone.
    for (const name of unused) computed[`after/${name}`] = file.tensors[`weights/${name}`]!.data;
    optimiser.dispose();
  }
  for (const value of Object.values(params)) value.dispose();
  return computed;
}

/**
 * States under the reference's order of nodes and at its clicks. It gives padding a node, whose state we get from a
 * session without clicks: it has no edge, so that it is the same everywhere.
 */
async function states(
  file: GoldenFile,
  { config, catalogue }: Imported<SrgnnConfig>,
  sessions: readonly SessionInput[],
  params: Parameters<typeof nodeStates>[0],
): Promise<Computed> {
  const inputs = srgnn.prepare([...sessions, { items: [] }], config, catalogue);
  const [, m] = inputs.nodes!.shape as [number, number];
  const h = tidy(() => nodeStates(params, upload(inputs), config, { dropout: (x) => x }));
  const d = config.hiddenSize;
  const values = await h.data();
  h.dispose();
  const stateOf = (session: number, item: number): number[] => {
    const b = item === 0 ? sessions.length : session;
    const nodes = Array.from(inputs.nodes!.data.subarray(b * m, (b + 1) * m));
    const row = b * m + nodes.indexOf(item);
    return Array.from(values.subarray(row * d, (row + 1) * d));
  };
  const at = (name: string) => rowsOf(file, name).flatMap((row, b) => row.flatMap((item) => stateOf(b, item)));
  return { 'outputs/node_hidden': at('inputs/items'), 'outputs/seq_hidden': at('inputs/sessions') };
}

/** @throws Error if our graph of a session is not the recorded one, whose padding node is isolated. */
function checkGraphs(file: GoldenFile, inputs: ReturnType<typeof srgnn.prepare>): void {
  const [, m] = inputs.nodes!.shape as [number, number];
  const { data: edges, shape } = file.tensors['inputs/A']!;
  const theirs = shape[1]!;
  rowsOf(file, 'inputs/items').forEach((items, b) => {
    const nodes = Array.from(inputs.nodes!.data.subarray(b * m, (b + 1) * m));
    items.forEach((from, u) => {
      items.forEach((to, v) => {
        for (const [half, side] of ['incoming', 'outgoing'].entries()) {
          const expected = edges[(b * theirs + u) * 2 * theirs + half * theirs + v]!;
          const at = (b * m + nodes.indexOf(from)) * m + nodes.indexOf(to);
          const got = from === 0 || to === 0 ? 0 : inputs[side]!.data[at]!;
          if (Math.abs(got - expected) > 1e-6) {
            throw new Error(`${side} edge ${from}, ${to} of session ${b}: expected ${expected}, got ${got}.`);
          }
        }
      });
    });
  });
}

function rowsOf({ tensors }: GoldenFile, name: string): number[][] {
  const { data, shape } = tensors[name]!;
  const [rows, columns] = shape as [number, number];
  return Array.from({ length: rows }, (_, r) => Array.from(data.subarray(r * columns, (r + 1) * columns)));
}
