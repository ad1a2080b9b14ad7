/**
 * What `docs/scale/train_ddp.py` left in `torch-ddp/`, with two processes of PyTorch 2.6.0, by the commands in the README there: a training
 * step, and trained weights with what PyTorch recommends. The step has to be ours of the whole batch in one process.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Tensor2D, tensor2d } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { importers } from '../../src/checkpoint/imports/index';
import type { Recommendations } from '../../src/engine/types';
import { gru4rec } from '../../src/models/gru4rec';
import { gru4recBatch, gru4recTraining } from '../../src/models/gru4rec-training';
import { sasrec } from '../../src/models/sasrec';
import { sasrecTraining } from '../../src/models/sasrec-training';
import { sequences } from '../../src/objectives/examples';
import type { Gradients } from '../../src/train/gradients';
import { aisle, folder } from '../cli/program';
import { start } from '../compute/backends/start';
import type { GoldenFile } from '../reference/golden/compare';
import { readGolden } from '../reference/golden/run-file';
import { type Imported, imported } from '../reference/golden/weights';
import { drawing, lossAndGradients } from '../reference/through-training';
import { logOf } from '../train/helpers';

const FIXTURES = join(import.meta.dirname, 'torch-ddp');

/** The loss and the gradients of a file's batch, and how to name them as the file does. */
type Step = Pick<Imported<unknown>, 'entries'> & Gradients;

function gru4recStep(file: GoldenFile): Step {
  const { config, catalogue, load, entries } = imported(file, importers.gru4rec, gru4rec);
  const input = (name: string) => Array.from(file.tensors[`inputs/${name}`]!.data);
  const [rows, fresh, clicks, columns] = ['rows', 'fresh', 'clicks', 'columns'].map(input) as number[][];
  const targets = columns!.slice(0, rows!.length);
  // Sessions of two events; their state comes from the file.
  const sessions = logOf(clicks!.map((item, b) => [item + 1, targets[b]! + 1]));
  const running = rows!.map((row, b) => ({
    start: 2 * b,
    at: 2 * b,
    last: 2 * b + 1,
    carriedFrom: fresh![b] ? -1 : row,
  }));
  const extra = Int32Array.from(columns!.slice(rows!.length), (item) => item + 1);
  const batch = gru4recBatch(running, extra, { sessions, catalogue, first: 0 }, config);
  const { data, shape } = file.tensors['inputs/state']!;
  const state: Tensor2D = tensor2d(data, shape as [number, number]);
  return { entries, ...lossAndGradients(gru4recTraining, load('weights/'), batch, config, catalogue, [state]) };
}

function sasrecStep(file: GoldenFile): Step {
  const { config: port, catalogue, load, entries } = imported(file, importers.sasrec, sasrec);
  const config = { ...port, loss: 'ce' } as const;
  const [clicks, targets] = ['sessions', 'targets'].map((name) => file.tensors[`inputs/${name}`]!) as never as [
    { data: Int32Array; shape: [number, number] },
    { data: Int32Array },
  ];
  const [rows, width] = clicks.shape;
  const wholes = Array.from({ length: rows }, (_, b) => [
    ...clicks.data.subarray(b * width, (b + 1) * width).filter((item) => item > 0),
    targets.data[(b + 1) * width - 1]!,
  ]);
  const log = { sessions: logOf(wholes), catalogue, first: 0 };
  const batch = sasrecTraining.batch(sequences(log, config.maxlen), log, config, drawing());
  return { entries, ...lossAndGradients(sasrecTraining, load('weights/'), batch, config, catalogue) };
}

describe.each([
  ['gru4rec', gru4recStep],
  ['sasrec', sasrecStep],
] as const)('%s, trained by two processes of PyTorch', (model, stepOf) => {
  const path = (name: string) => join(FIXTURES, model, name);
  beforeAll(() => start('cpu'));

  test('has the loss and the gradients of our step', async () => {
    const { tensors, ...rest } = readGolden(model, readFileSync(path('step.safetensors')));
    const { loss, gradients, entries } = stepOf({ ...rest, tensors });
    expect(relative(tensors['loss/whole']!.data, await loss.data())).toBeLessThan(1e-5);
    const ours = await entries('grads/', gradients);
    expect(Object.keys(ours).sort()).toEqual(
      Object.keys(tensors)
        .filter((name) => name.startsWith('grads/'))
        .sort(),
    );
    for (const [name, values] of Object.entries(ours)) {
      expect(relative(tensors[name]!.data, values), name).toBeLessThan(1e-5);
    }
  });

  test('recommends through `aisle import` what PyTorch recommends', async () => {
    const out = join(await folder(), 'model');
    const files = [
      '--weights',
      path('weights.safetensors'),
      '--config',
      path('config.json'),
      '--items',
      path('items.json'),
    ];
    expect(await aisle('import', '--from', model, ...files, '--out', out)).toMatchObject({ code: 0 });
    type Top = { readonly session: string[]; readonly items: { itemId: string; score: number }[] };
    for (const { session, items } of JSON.parse(readFileSync(path('top20.json'), 'utf8')) as Top[]) {
      const { stdout } = await aisle('recommend', '--artifact', out, '--item', ...session, '--json');
      const ours = (JSON.parse(stdout) as Recommendations).items;
      expect(ours.map(({ itemId }) => itemId)).toEqual(items.map(({ itemId }) => itemId));
      expect(items).toHaveLength(20);
      expect(
        relative(
          items.map(({ score }) => score),
          ours.map(({ score }) => score),
        ),
      ).toBeLessThan(1e-5);
    }
  });
});

/** The largest difference, as a share of the largest number. */
function relative(theirs: ArrayLike<number>, ours: ArrayLike<number>): number {
  expect(ours).toHaveLength(theirs.length);
  const values = Array.from(theirs);
  return Math.max(...values.map((x, i) => Math.abs(x - ours[i]!))) / Math.max(...values.map(Math.abs));
}
