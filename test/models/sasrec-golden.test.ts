import { join } from 'node:path';
import { gather, matMul, memory, type Tensor, tensor1d, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { initialise } from '../../src/models/initialise';
import { sasrec, sasrecHidden } from '../../src/models/sasrec';
import { sasrecTraining } from '../../src/models/sasrec-training';
import { upload } from '../../src/models/tensors';
import { sequences } from '../../src/objectives/examples';
import { backends, start } from '../compute/backends/start';
import { readGoldenSasrec } from '../reference/golden-sasrec';
import { drawing, INFERENCE, lossAndGradients, withNegatives } from '../reference/through-training';
import { GOLDEN } from '../shared';
import { logOf } from '../train/helpers';

const largest = (data: ArrayLike<number>): number => Array.from(data).reduce((a, x) => Math.max(a, Math.abs(x)), 0);
const error = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  return largest(Array.from(a, (x, i) => x - b[i]!));
};

const cases = ['sasrec-classic2020', 'sasrec-prenorm', 'sasrec-postnorm'].map((name) => ({
  name,
  ...readGoldenSasrec(join(GOLDEN, `${name}.safetensors`)),
}));

test('declares the parameters that the reference has, with their shapes', () => {
  for (const { config, itemCount, weights } of cases) {
    const specs = sasrec.parameters(configure(sasrec, config), { items: itemCount });
    const shapes = (of: Record<string, { shape: readonly number[] }>) =>
      Object.fromEntries(Object.entries(of).map(([name, { shape }]) => [name, shape]));
    expect(shapes(specs)).toEqual(shapes(weights));
  }
});

describe.each(backends)('%s', (backend) => {
  beforeAll(() => start(backend));

  test.each(cases)('$name: equals the reference in outputs, loss and gradients', (golden) => {
    const config = configure(sasrec, golden.config);
    const { tensors } = golden;
    const [batch, length] = tensors['inputs/seq']!.shape as [number, number];
    const rows = (name: string) =>
      Array.from({ length: batch }, (_, b) => Array.from(tensors[name]!.data.subarray(b * length, (b + 1) * length)));
    const clicks = rows('inputs/seq');
    const sessions = clicks.map((row) => ({ items: row.filter((item) => item !== 0) }));
    const prepared = sasrec.prepare(sessions, config, { items: golden.itemCount });
    expect(Array.from(prepared.items!.data)).toEqual(clicks.flat());

    const before = memory().numTensors;
    const params = upload(golden.weights);
    const arrays = upload(prepared);

    tidy(() => {
      const outputs = sasrec.outputs(params, config);
      const close = (value: Tensor, name: string) => {
        const expected = tensors[name]!.data;
        expect(error(value.dataSync(), expected), name).toBeLessThanOrEqual(1e-5 * Math.max(1, largest(expected)));
      };
      const hidden = sasrecHidden(params, arrays, config, INFERENCE, false);
      close(hidden, 'outputs/log_feats');
      const scores = matMul(hidden, outputs.table, false, true).arraySync() as number[][];
      for (const part of ['pos', 'neg']) {
        const items = rows(`inputs/${part}`).flat();
        close(tensor1d(items.map((item, i) => scores[i]![item]!)), `outputs/${part}_logits`);
      }
      const last = sasrec.encode(params, arrays, config, INFERENCE);
      close(matMul(last, outputs.table, false, true), 'outputs/all_item_logits');
    });

    const positive = rows('inputs/pos').flat();
    const negative = rows('inputs/neg').flat();
    const predicted = positive.flatMap((item, i) => (item === 0 ? [] : [i]));
    const training = configure(sasrec, { ...golden.config, loss: 'bce' });
    const wholes = sessions.map(({ items }, b) => [...items, positive[(b + 1) * length - 1]!]);
    const log = { sessions: logOf(wholes), catalogue: { items: golden.itemCount }, first: 0 };
    const drawn = sasrecTraining.batch(sequences(log, config.maxlen), log, training, drawing());
    expect(Array.from(drawn.targets.data)).toEqual(predicted.map((i) => positive[i]!));
    const step = withNegatives(
      drawn,
      predicted.map((i) => negative[i]!),
    );
    tidy(() => {
      const { loss, gradients } = lossAndGradients(sasrecTraining, params, step, training, log.catalogue);
      const expected = tensors['loss/bce']!.data[0]!;
      expect(Math.abs(loss.dataSync()[0]! - expected)).toBeLessThanOrEqual(1e-5 * expected);
      const overall = Math.max(...Object.values(golden.grads).map(({ data }) => largest(data)));
      expect(Object.keys(gradients)).toEqual(Object.keys(params));
      for (const [name, gradient] of Object.entries(gradients)) {
        const { data } = golden.grads[name]!;
        // Key biases have no effect on a softmax: what is stored for them is noise.
        const limit = name.endsWith('key.b') ? 1e-6 : 1e-4 * Math.max(largest(data), 1e-3 * overall);
        expect(error(gradient.dataSync(), data), name).toBeLessThanOrEqual(limit);
      }
    });
    for (const tensor of [...Object.values(params), ...Object.values(arrays)]) tensor.dispose();
    expect(memory().numTensors).toBe(before);
  });

  test.each(['tf', 'pre', 'post'] as const)('form %s reads the last click as the last of all positions', (norm) => {
    const config = configure(sasrec, { norm, hiddenUnits: 8, maxlen: 6, numHeads: 2 });
    tidy(() => {
      const params = upload(initialise(sasrec.parameters(config, { items: 20 }), 3));
      const arrays = upload(sasrec.prepare([{ items: [4, 9, 4] }, { items: [17] }], config, { items: 20 }));
      const width = arrays.items!.shape[1]!;
      const every = sasrecHidden(params, arrays, config, INFERENCE, false);
      const last = gather(every, tensor1d([width - 1, 2 * width - 1], 'int32'));
      expect(error(sasrec.encode(params, arrays, config, INFERENCE).dataSync(), last.dataSync())).toBeLessThan(1e-5);
    });
  });
});
