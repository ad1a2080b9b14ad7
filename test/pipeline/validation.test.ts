import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../src/compute/executor';
import { readArtifactFolder } from '../../src/pipeline/files/artifact-folder';
import { startFirst } from '../../src/pipeline/files/backend';
import { readEventsFile } from '../../src/pipeline/files/events-file';
import { nodeHost } from '../../src/pipeline/files/training-host';
import type { TrainOptions } from '../../src/pipeline/options';
import { train } from '../../src/pipeline/train';
import { trainOn } from '../../src/pipeline/training';
import { trainingParts } from '../../src/pipeline/training-parts';
import {
  measure,
  quickModels,
  type ValidatedParts,
  type Validation,
  validatedParts,
  verdict,
  withScorer,
} from '../../src/pipeline/validation';
import { type ClickLog, countSupport } from '../../src/session/event-log';
import { type TrainedModel, trainFromLog } from '../../src/train/train-from-log';
import { RING_LOG } from '../cli/ring-log';

/** Two late sessions: in one, an item that nobody knows is clicked before the last click. */
const LATE =
  'z1,"p""4",9000000000\nz1,new,9000000001\nz1,"p""6",9000000002\nz2,"p""1",9000000010\nz2,"p""2",9000000011\n';

let trained: TrainedModel;
let validation: Validation;
let parts: ValidatedParts;
beforeAll(async () => {
  const place = await mkdtemp(join(tmpdir(), 'aisle-validation-'));
  const data = join(place, 'events.csv');
  await writeFile(data, RING_LOG + LATE);
  const options = { readLog: readEventsFile, read: {}, holdout: 0, valid: 'last:20%' };
  parts = validatedParts(await trainingParts(data, options, {}))!;
  await rm(place, { recursive: true });
  const { log } = parts;
  const { itemIds, support } = log;
  const config = { layers: [8], batchSize: 8, nSample: 8, nEpochs: 2 };
  await run(async (slice) => {
    await startFirst(slice, 'cpu', {});
    trained = await trainFromLog({
      model: 'gru4rec',
      config,
      log,
      itemIds,
      support,
      seed: 1,
      valid: parts.valid,
    });
    validation = await measure(trained, parts, {});
  });
});

const ONE_PASS = ['pop', 's-pop', 'markov', 'sr', 'decayed-sr'];
const ALL_PAIRS = ['item-knn', 'ar'];
const NEIGHBOURS = ['v-sknn', 'vstan'];

test('what was trained on is the past of later sessions, and none of the same sessions, whose ends were held out', async () => {
  const pastOf = (validProtocol: 'events' | 'leave-one-out') =>
    withScorer(trained, { ...parts, validProtocol }, async ({ past }) => past?.items.length);
  expect(await pastOf('events')).toBe(parts.log.sessions.items.length);
  expect(await pastOf('leave-one-out')).toBeUndefined();
});

test('a validation part in a file of its own loses what the training part does not know, not what is rare in the file', async () => {
  const place = await mkdtemp(join(tmpdir(), 'aisle-validation-'));
  const [data, valid] = [join(place, 'events.csv'), join(place, 'late.csv')];
  await writeFile(data, RING_LOG);
  await writeFile(valid, `session_id,item_id,timestamp\n${LATE}`);
  const options = { readLog: readEventsFile, read: { minSupport: 2, minLength: 3 }, holdout: 0, valid };
  const cut = await trainingParts(data, options, {});
  await rm(place, { recursive: true });
  expect([...cut.valid!.sessions.offsets]).toEqual([0, 2, 4]);
  expect(cut.everything!().sessions.items.length - cut.log.sessions.items.length).toBe(5);
});

describe('measure', () => {
  test('gives the figures of the best epoch again, beside those of nine counting models, the best first', () => {
    const { model, counting, baseline } = validation;
    expect(model).toEqual({ model: 'gru4rec', metrics: trained.epochs[trained.best!.epoch - 1]!.valid });
    expect(counting.map((row) => row.model).toSorted()).toEqual([...ONE_PASS, ...ALL_PAIRS, ...NEIGHBOURS].sort());
    const mrr = counting.map(({ metrics }) => metrics['mrr@20']!);
    expect(mrr).toEqual(mrr.toSorted((a, b) => b - a));
    expect(mrr[0]).toBeGreaterThan(mrr.at(-1)!);
    expect(baseline).toMatchObject(counting[0]!);
    for (const metric of ['mrr@20', 'recall@20'] as const) {
      const { mean, low, high } = baseline.behind[metric];
      expect(mean).toBeCloseTo(model.metrics[metric]! - baseline.metrics[metric]!, 9);
      expect(low).toBeLessThanOrEqual(mean);
      expect(high).toBeGreaterThanOrEqual(mean);
    }
  });

  test('gives them again of a model that went on from another, which had numbered its users in another order', async () => {
    const { itemIds, support } = parts.log;
    const withUsers = <T extends ClickLog>(log: T, users: readonly string[]): T & { userIds: string[] } => ({
      ...log,
      userIds: Array.from(log.sessions.offsets.subarray(1), (_, s) => users[s % users.length]!),
    });
    const config = { profile: 'user', d: 8, L: 3, T: 2, batchSize: 8, learningRate: 0.02 };
    const others = ['cyd', 'bob', 'dan', 'ann'];
    const [log, valid] = [withUsers(parts.log, others), withUsers(parts.valid, others)];
    const task = { model: 'caser', config, itemIds, support, seed: 1, epochs: 3 };
    await run(async (slice) => {
      await startFirst(slice, 'cpu', {});
      const first = await trainFromLog({ ...task, log: withUsers(parts.log, ['ann', 'bob', 'cyd']) });
      const from = { items: itemIds.length, tensors: first.tensors, itemFeatures: {} };
      const second = await trainFromLog({ ...task, log, valid, from });
      const { model } = await measure(second, { ...parts, log, valid }, {});
      expect(model.metrics).toEqual(second.epochs[second.best!.epoch - 1]!.valid);
    });
  });

  test('counts, and tells popular items, by the log alone where the training goes on from another', async () => {
    const place = await mkdtemp(join(tmpdir(), 'aisle-validation-'));
    const data = join(place, 'events.csv');
    await writeFile(data, RING_LOG);
    // The rarest item of the log was the most clicked one before.
    const { log } = parts;
    const rarest = log.itemIds[log.support.indexOf(Math.min(...log.support.slice(1))) - 1]!.replaceAll('"', '""');
    const before = Array.from({ length: 200 }, (_, e) => `b${e >> 1},"${rarest}",${e}\n`).join('');
    await writeFile(join(place, 'before.csv'), RING_LOG + before);
    const config = { layers: [8], batchSize: 8, nSample: 8 };
    const shared = { model: 'gru4rec', backend: 'cpu', refit: 'no', valid: 'last:20%' } as const;
    const validationOf = async (name: string, options: Partial<TrainOptions>) =>
      (await trainOn(nodeHost, { ...shared, epochs: 1, data, out: join(place, name), ...options }, true)).validation!;
    const alone = await validationOf('alone', { config, preset: 'none' });
    await validationOf('before', { data: join(place, 'before.csv'), config, preset: 'none' });
    const further = await validationOf('further', { from: join(place, 'before') });
    await rm(place, { recursive: true });
    expect(further.counting).toEqual(alone.counting);
    const sizes = ({ byLastItem }: Validation) => byLastItem.map(({ label, predictions }) => [label, predictions]);
    expect(sizes(further)).toEqual(sizes(alone));
  });

  test('leaves out models that would count too many pairs of one long session, and says so', async () => {
    const { itemIds } = parts.log;
    const items = Int32Array.from({ length: 32_000 }, (_, e) => (e % itemIds.length) + 1);
    const sessions = { items, times: Float64Array.from(items.keys()), offsets: Int32Array.of(0, items.length) };
    const { userIds: _, ...log } = parts.log;
    const messages: string[] = [];
    const long = { ...parts, log: { ...log, sessions, support: countSupport(items, itemIds.length) } };
    const { counting } = await run(async (slice) => {
      await startFirst(slice, 'cpu', {});
      return measure(trained, long, { onMessage: ({ text }) => messages.push(text) });
    });
    expect(counting.map((row) => row.model).toSorted()).toEqual([...ONE_PASS, ...NEIGHBOURS].sort());
    expect(messages).toEqual([
      expect.stringMatching(/^item-knn and ar would take 1,024,000,000 pairs of clicks .*: left out of the comparison/),
    ]);
  });

  test('leaves out each of the neighbours that would take too many comparisons, and says so', () => {
    const { itemIds } = parts.log;
    const messages: string[] = [];
    /** With one long session, of items that so many past sessions have. */
    const models = (clicks: number, support: number, validProtocol: 'events' | 'leave-one-out' = 'events') => {
      const items = Int32Array.from({ length: clicks }, (_, e) => (e % itemIds.length) + 1);
      const sessions = { items, times: Float64Array.from(items.keys()), offsets: Int32Array.of(0, items.length) };
      const log = { ...parts.log, support: new Int32Array(itemIds.length + 1).fill(support) };
      return quickModels(
        { ...parts, log, valid: { sessions }, validProtocol },
        { onMessage: ({ text }) => messages.push(text) },
      );
    };
    const others = [...ONE_PASS, ...ALL_PAIRS];
    expect(models(30_000, 1, 'leave-one-out')).toEqual([...others, ...NEIGHBOURS]);
    expect(messages).toEqual([]);
    expect(models(30_000, 1)).toEqual(others);
    const left = (model: string) =>
      expect.stringMatching(
        RegExp(
          `^${model} would take \\d{3},\\d{3},\\d{3} comparisons .*, more than 400,000,000: left out of .*aisle compare has`,
        ),
      );
    expect(messages).toEqual([left('v-sknn'), left('vstan')]);
    // v-sknn compares with 1,000 of them, vstan with 5,000.
    expect(models(1.2e8 / (1000 * itemIds.length), 5000)).toEqual([...others, 'v-sknn']);
    expect(messages.slice(2)).toEqual([left('vstan')]);
  });

  test('that fails is a warning, and the trained model is written', async () => {
    const place = await mkdtemp(join(tmpdir(), 'aisle-validation-'));
    const [data, out] = [join(place, 'events.csv'), join(place, 'model')];
    await writeFile(data, RING_LOG);
    const warnings: string[] = [];
    const config = { layers: [8], batchSize: 8, nSample: 8, nEpochs: 1 };
    const { baseline, best } = await train({
      ...{ data, out, config, model: 'gru4rec', preset: 'none', backend: 'cpu', valid: 'last:20%' },
      onProgress({ label }) {
        if (label.startsWith('Comparing')) throw new Error('no room');
      },
      onMessage: ({ level, text }) => level === 'warning' && warnings.push(text),
    });
    expect({ baseline, epoch: best!.epoch }).toEqual({ baseline: undefined, epoch: 1 });
    expect(warnings).toContain(
      'the comparison with counting models failed, so card and report are without it: no room',
    );
    const { info } = await readArtifactFolder(out);
    expect(info.modelCard).toContain('| mrr@20 |');
    await rm(place, { recursive: true });
  });

  test('is not in the seconds of the training', async () => {
    const place = await mkdtemp(join(tmpdir(), 'aisle-validation-'));
    const [data, out] = [join(place, 'events.csv'), join(place, 'model')];
    await writeFile(data, RING_LOG);
    const config = { layers: [8], batchSize: 8, nSample: 8, nEpochs: 1 };
    const compared: number[] = [];
    const started = performance.now();
    const { seconds } = await train({
      ...{ data, out, config, model: 'gru4rec', preset: 'none', backend: 'cpu', valid: 'last:20%' },
      onProgress: ({ label }) => label.startsWith('Comparing') && compared.push(performance.now()),
    });
    const whole = performance.now() - started;
    expect(1000 * seconds).toBeLessThan(whole - (compared.at(-1)! - compared[0]!));
    await rm(place, { recursive: true });
  });

  test('divides all predictions by clicks seen, and by the item clicked last', () => {
    const { predictions, byClicks, byLastItem, model } = validation;
    for (const slices of [byClicks, byLastItem]) {
      const counts = slices.map((slice) => slice.predictions);
      expect(counts.reduce((sum, count) => sum + count)).toBe(predictions);
      const recall = slices.reduce((sum, slice) => sum + slice.model['recall@20']! * slice.predictions, 0);
      expect(recall / predictions).toBeCloseTo(model.metrics['recall@20']!);
    }
    expect(byClicks[0]).toMatchObject({ label: '1', predictions: validation.sessions });
    expect(byLastItem[2]).toMatchObject({ label: 'unseen', predictions: 1 });
  });

  test('shows ten sessions by their items alone, with the rank of what was clicked next', () => {
    const { examples } = validation;
    expect(examples).toHaveLength(10);
    for (const { clicks, suggestions, next, rank, ...rest } of examples) {
      expect(rest).toEqual({});
      for (const id of [...clicks, ...suggestions, next]) expect(parts.log.itemIds).toContain(id);
      expect(suggestions).toHaveLength(5);
      // Equal scores count against the target, so its rank may be below its place in the list, never above.
      if (suggestions.includes(next)) expect(rank).toBeGreaterThanOrEqual(suggestions.indexOf(next) + 1);
      else expect(rank).toBeGreaterThan(5);
    }
  });
});

test('finds nobody’s next item in leave-one-out where it was clicked before, however few items there are', async () => {
  const place = await mkdtemp(join(tmpdir(), 'aisle-validation-'));
  const [data, out] = [join(place, 'events.csv'), join(place, 'model')];
  const rows = Array.from({ length: 8 }, (_, s) =>
    [s, s + 1, s + 2, s, s + 3].map((item, t) => `s${s},i${item % 8},${10 * s + t}\n`).join(''),
  );
  await writeFile(data, `session_id,item_id,timestamp\n${rows.join('')}`);
  const config = { layers: [8], batchSize: 4, nSample: 8, nEpochs: 1 };
  const options = {
    model: 'gru4rec',
    preset: 'none',
    backend: 'cpu',
    holdout: 2,
    valid: 'held-out',
    refit: 'no',
  } as const;
  const { best, baseline } = await train({ ...options, data, out, config });
  const report = await readFile(join(out, 'report.html'), 'utf8');
  await rm(place, { recursive: true });
  expect([best!.value, baseline!.metrics['recall@20']]).toEqual([0, 0]);
  expect(report).toContain('no candidate, because it was clicked before');
});

describe('the verdict', () => {
  const say = (
    own: [mrr: number, recall: number],
    other: [mrr: number, recall: number],
    best = 3,
    config = {},
    counter = 'sr',
  ) => {
    const measured = (model: string, [mrr, recall]: [number, number]) => ({
      model,
      metrics: { 'mrr@20': mrr, 'recall@20': recall },
    });
    const epochs = [1, 2, 3];
    const difference = (mean: number) => ({ mean, low: mean - 0.01, high: mean + 0.01 });
    const behind = { 'mrr@20': difference(own[0] - other[0]), 'recall@20': difference(own[1] - other[1]) };
    return verdict(
      { model: measured('gru4rec', own), baseline: { ...measured(counter, other), config, behind } },
      { epochs, best: { epoch: best } },
    );
  };

  test('is for the network where an interval is above 0 and none below', () => {
    expect(say([0.3, 0.6], [0.27, 0.605])).toBe(
      'gru4rec .3000, counting (sr) .2700 on the same predictions (MRR@20, +.0300 [+.0200, +.0400]; ' +
        'Recall@20 .6000 and .6050, −.0050 [−.0150, +.0050]): the network is better in MRR@20; in Recall@20 the difference may be chance.',
    );
  });

  test('is for counting where an interval is below 0 and none above, and says what may help and how to count', () => {
    expect(say([0.256, 0.5], [0.2704, 0.505])).toMatch(
      /^gru4rec \.2560, counting \(sr\) \.2704 .*: counting is better in MRR@20; in Recall@20 the difference may be chance\. Train longer, or ship sr\.$/,
    );
    expect(say([0.27, 0.5], [0.27, 0.55], 2)).toMatch(
      /: counting is better in Recall@20; in MRR@20 the difference may be chance\. Look for better settings with aisle search, or ship sr\.$/,
    );
    expect(say([0.2, 1], [0.27, 1], 3, { remind: false })).toMatch(
      /counting \(sr --set remind=false\) .*: counting is better in MRR@20; in Recall@20 the difference may be chance\. Train longer, or ship sr --set remind=false\.$/,
    );
  });

  test('says that session neighbours have sessions of the log inside', () => {
    expect(say([0.2, 0.5], [0.27, 0.6])).toMatch(/: counting is better in MRR@20 and Recall@20\. Train longer/);
    expect(say([0.2, 0.5], [0.27, 0.5], 3, {}, 'vstan')).toMatch(
      /, or ship vstan, which has sessions of the log inside\.$/,
    );
  });

  test('is for neither where both intervals hold 0', () => {
    expect(say([0.275, 0.5], [0.27, 0.495])).toMatch(/: the difference may be chance\. Train longer, or ship sr\.$/);
  });

  test('says which is better in what where they disagree', () => {
    expect(say([0.3, 0.5], [0.27, 0.55])).toMatch(
      /: counting is better in Recall@20, the network in MRR@20\. Train longer, or ship sr\.$/,
    );
    expect(say([0.2, 0.6], [0.27, 0.5])).toMatch(/: counting is better in MRR@20, the network in Recall@20\. /);
  });
});
