/** What CL4SRec's golden files ask for, computed by the product: CoSeRec's encoder and losses, and NT-Xent alone. */
import {
  concat,
  dispose,
  gather,
  grads,
  matMul,
  type Scalar,
  type Tensor,
  type Tensor2D,
  tensor1d,
  tensor2d,
  tidy,
} from '@tensorflow/tfjs';
import { type Cl4srecConfig, cl4srec } from '../../../src/models/cl4srec';
import { type Cl4srecBatch, cl4srecTraining } from '../../../src/models/cl4srec-training';
import { coserecHidden } from '../../../src/models/coserec-encoder';
import { upload } from '../../../src/models/tensors';
import { viewGroups } from '../../../src/objectives/augmentations';
import { vector } from '../../../src/objectives/batch';
import { ntXent } from '../../../src/objectives/contrastive';
import { sequences } from '../../../src/objectives/examples';
import { logOf } from '../../train/helpers';
import { drawing, INFERENCE, lossAndGradients, withNegatives } from '../through-training';
import type { Computed, GoldenFile, Noise } from './compare';
import { importers } from './importers';
import { imported } from './weights';

export const cl4srecGolden = (file: GoldenFile): Promise<Computed> =>
  'taus' in file.config ? similarities(file) : encoder(file);

/** Sessions of left-padded rows. */
function sessionsOf({ tensors }: GoldenFile, name: string) {
  const { data, shape } = tensors[`inputs/${name}`]!;
  const [batch, length] = shape as [number, number];
  return Array.from({ length: batch }, (_, b) => ({
    items: (data as Int32Array).subarray(b * length, (b + 1) * length).filter((item) => item !== 0),
  }));
}

async function encoder(file: GoldenFile): Promise<Computed> {
  const { config, catalogue, load, entries } = imported(file, importers.cl4srec, cl4srec);
  const params = load('weights/');
  const computed: Record<string, ArrayLike<number>> = {};
  const names = { seq: 'sequence_output', view1: 'view1_output', view2: 'view2_output' };
  for (const [input, output] of Object.entries(names)) {
    const prepared = cl4srec.prepare(sessionsOf(file, input), config, catalogue);
    if (prepared.items!.data.some((item, i) => item !== file.tensors[`inputs/${input}`]!.data[i])) {
      throw new Error(`prepare() lays the sessions out otherwise than inputs/${input}.`);
    }
    const hidden = tidy(() => coserecHidden(params, upload(prepared), config, INFERENCE));
    computed[`outputs/${output}`] = (await hidden.data()).slice();
    if (input === 'seq') {
      const table = params.items as Tensor2D;
      const scores = tidy(() => {
        const last = tensor1d(prepared.last!.data as Int32Array, 'int32');
        return matMul(gather(hidden, last), table, false, true);
      });
      computed['outputs/all_item_scores'] = (await scores.data()).slice();
      scores.dispose();
    }
    hidden.dispose();
  }

  const [positives, negatives] = ['pos', 'neg'].map((name) => file.tensors[`inputs/${name}`]!.data as Int32Array);
  const real = Int32Array.from(positives!, (_, i) => i).filter((i) => positives![i] !== 0);
  const seen = sessionsOf(file, 'seq');
  const length = positives!.length / seen.length;
  const wholes = seen.map(({ items }, b) => [...items, positives![(b + 1) * length - 1]!]);
  const log = { sessions: logOf(wholes), catalogue, first: 0 };
  const views = [...sessionsOf(file, 'view1'), ...sessionsOf(file, 'view2')];
  const withViews: Pick<Cl4srecBatch, 'views'> = {
    views: {
      inputs: [cl4srec.prepare(views, config, catalogue)],
      places: vector(Int32Array.from(views.keys())),
      groups: vector(viewGroups(views.length / 2)),
    },
  };
  for (const [name, over, recorded] of [
    ['rec', { lambda: 0, recWeight: 1 }, {}],
    ['joint', {}, withViews],
    ['cl_cosine_ntxent', { lambda: 1, recWeight: 0, similarity: 'cosine' }, withViews],
  ] as const) {
    const variant = { ...config, ...over };
    const drawn = cl4srecTraining.batch(sequences(log, config.maxlen), log, variant, drawing());
    if (drawn.targets.data.join() !== real.map((i) => positives![i]!).join()) {
      throw new Error('batch() predicts other items than inputs/pos.');
    }
    const given = real.map((i) => negatives![i]!);
    const step = { ...withNegatives(drawn, given), ...recorded };
    const { loss, gradients, measures } = lossAndGradients(cl4srecTraining, params, step, variant, catalogue);
    computed[`loss/${name}`] = (await loss.data()).slice();
    Object.assign(computed, await entries(`grads/${name}/`, gradients));
    if (name === 'joint') computed['loss/cl_dot_nce'] = (await measures!.contrastive!.data()).slice();
    dispose([loss, ...Object.values(gradients), ...Object.values(measures ?? {})]);
  }
  dispose(Object.values(params));
  return computed;
}

/**
 * A padding query sees only masked keys, whose scores lie near −10,000 and are rounded to a thousandth: so are the
 * weights of that query, in the reference as here, and all that is computed from them.
 */
export function cl4srecNoise({ tensors }: GoldenFile): Noise {
  const noise: Record<string, (cell: number) => boolean> = {};
  for (const [input, output] of Object.entries({ seq: 'sequence', view1: 'view1', view2: 'view2' })) {
    const ids = tensors[`inputs/${input}`]?.data;
    const width = tensors[`outputs/${output}_output`]?.shape[2];
    if (ids && width) noise[`outputs/${output}_output`] = (cell) => ids[Math.floor(cell / width)] === 0;
  }
  const padded = ['view1', 'view2'].some((name) => tensors[`inputs/${name}`]?.data.includes(0));
  if (!padded) return noise;
  for (const name of Object.keys(tensors)) {
    if (/^loss\/(cl_|joint)|^grads\/(cl_|joint)/.test(name)) noise[name] = () => true;
  }
  return noise;
}

/** `loss/KIND_tauτ` and its gradients by both inputs. */
async function similarities({ tensors }: GoldenFile): Promise<Computed> {
  const computed: Record<string, ArrayLike<number>> = {};
  const kinds: Record<string, Cl4srecConfig['similarity']> = { dot_nce: 'dot', cosine_ntxent: 'cosine' };
  const inputs = ['z1', 'z2'].map((name) => tensors[`inputs/${name}`]!);
  const [batch, d] = inputs[0]!.shape as [number, number];
  for (const name of Object.keys(tensors)) {
    const [, kind, tau] = /^loss\/(\w+)_tau(.+)$/.exec(name) ?? [];
    const similarity = kind && kinds[kind];
    if (!similarity) continue;
    const [loss, ...gradients] = tidy((): Tensor[] => {
      const views = inputs.map(({ data }) => tensor2d(data, [batch, d], 'float32'));
      const groups = tensor1d(
        Int32Array.from({ length: 2 * batch }, (_, i) => i % batch),
        'int32',
      );
      const f = (...z: Tensor[]): Scalar => ntXent(concat(z) as Tensor2D, groups, similarity, Number(tau));
      return [f(...views), ...grads(f)(views)];
    });
    computed[name] = (await loss!.data()).slice();
    for (const [i, gradient] of gradients.entries()) {
      computed[`grads/${kind}_tau${tau}/z${i + 1}`] = (await gradient.data()).slice();
    }
    dispose([loss!, ...gradients]);
  }
  return computed;
}
