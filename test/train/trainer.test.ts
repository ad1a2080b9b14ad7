import { memory } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { cl4srecTraining } from '../../src/models/cl4srec-training';
import { configure } from '../../src/models/configuration';
import { gru4recTraining } from '../../src/models/gru4rec-training';
import { sasrecTraining } from '../../src/models/sasrec-training';
import type { Training } from '../../src/models/training';
import type { Example } from '../../src/objectives/examples';
import { type Progress, Trainer, type TrainerOptions, type TrainerState } from '../../src/train/trainer';
import { backends, expectNoTensorsLeft, start } from '../compute/backends/start';
import { isSoak, slice } from '../soak-slice';
import { bitsOf, logOf, ringLog, supportOf } from './helpers';

const ITEMS = 12;
/** In which no tensor may be left behind. */
const EPOCHS = isSoak ? 20 : 4;
const log = ringLog(ITEMS);
const catalogue = { items: ITEMS, support: supportOf(log, ITEMS) };

type Options = TrainerOptions<Record<string, unknown>>;
type Case = [name: string, training: Training<Record<string, unknown>>, given: Record<string, unknown>];

const gru = {
  layers: [8],
  batchSize: 10,
  nSample: 6,
  momentum: 0.3,
  dropoutPHidden: 0.2,
  dropoutPEmbed: 0.1,
  learningRate: 0.1,
};
const sas = { hiddenUnits: 8, maxlen: 4, numHeads: 2, batchSize: 16, dropoutRate: 0.2, lr: 0.01 };
const asAny = <C, R, B>(training: Training<C, R, B>) => training as unknown as Case[1];

const cases: Case[] = [
  ['gru4rec, cross-entropy with logq', asAny(gru4recTraining), { ...gru, logq: 1 }],
  [
    'gru4rec, bpr-max, two layers, separate embedding',
    asAny(gru4recTraining),
    {
      ...gru,
      loss: 'bpr-max',
      layers: [6, 8],
      constrainedEmbedding: false,
      embedding: 5,
    },
  ],
  ['sasrec, full softmax', asAny(sasrecTraining), { ...sas }],
  ['sasrec, sampled softmax', asAny(sasrecTraining), { ...sas, loss: 'sampled', nSample: 5 }],
  ['sasrec, batches of one length', asAny(sasrecTraining), { ...sas, batching: 'same-length', batchClicks: 9 }],
  ['cl4srec, with its measures', asAny(cl4srecTraining), { ...sas, lambda: 0.5, loss: 'gbce', negatives: 3 }],
  ['sasrec, binary cross-entropy', asAny(sasrecTraining), { ...sas, loss: 'bce', negatives: 2 }],
];

const FEW = /logq|full softmax|measures/;

const optionsOf = (training: Case[1], given: Case[2], over: Partial<Options> = {}): Options => ({
  training,
  config: configure(training.network, given),
  catalogue,
  sessions: log,
  seed: 5,
  ...over,
});

/** Trains some epochs and gives what is left: losses, parameters and optimiser state. */
async function run(options: Options, epochs: number): Promise<{ losses: number[]; state: TrainerState }> {
  const trainer = new Trainer(options);
  const losses: number[] = [];
  try {
    for (let epoch = 0; epoch < epochs; epoch++) losses.push(await trainer.runEpoch());
    return { losses, state: await trainer.save() };
  } finally {
    trainer.dispose();
  }
}

describe.each(backends)('%s', (backend) => {
  beforeAll(() => start(backend));

  expectNoTensorsLeft();

  // In plain JavaScript one of each architecture; `npm run soak` has all.
  describe.each(slice(cases, ([name]) => backend === 'wasm' || FEW.test(name)))('%s', (_, training, given) => {
    test(`over ${EPOCHS} epochs the number of tensors and bytes stays where the first epoch left it`, async () => {
      const trainer = new Trainer(optionsOf(training, given));
      await trainer.runEpoch();
      const { numTensors, numBytes } = memory();
      for (let epoch = 0; epoch < EPOCHS; epoch++) {
        await trainer.runEpoch();
        expect(memory()).toMatchObject({ numTensors, numBytes });
      }
      trainer.dispose();
    });

    test('the same seed gives the same losses, weights and optimiser state, bit for bit; another seed others', async () => {
      const [one, again, other] = [
        await run(optionsOf(training, given), 2),
        await run(optionsOf(training, given), 2),
        await run(optionsOf(training, given, { seed: 6 }), 2),
      ];
      expect(again.losses).toEqual(one.losses);
      expect(bitsOf(again.state.arrays)).toEqual(bitsOf(one.state.arrays));
      expect(other.losses[0]).not.toBe(one.losses[0]);
      expect(bitsOf(other.state.arrays)).not.toEqual(bitsOf(one.state.arrays));
    });

    test('stopped after any step, saved and resumed, it ends bit for bit where it would have ended', async () => {
      const options = optionsOf(training, given, { epochs: 3 });
      const whole = await run(options, 3);
      const { steps } = await stepsOf(options);
      for (const stopAt of [1, steps, steps + 2, 2 * steps + Math.ceil(steps / 2)]) {
        const abort = new AbortController();
        let trainer = new Trainer(stoppingAt(options, stopAt, abort));
        const losses: number[] = [];
        while (!abort.signal.aborted) {
          try {
            losses.push(await trainer.runEpoch(abort.signal));
          } catch (error) {
            expect(error).toMatchObject({ code: 'aborted' });
          }
        }
        // As a file would hold it.
        const saved = structuredClone(await trainer.save());
        expect(saved.step).toBe(stopAt);
        trainer.dispose();
        trainer = new Trainer(options, saved);
        while (losses.length < 3) losses.push(await trainer.runEpoch());
        const state = await trainer.save();
        trainer.dispose();
        expect(losses).toEqual(whole.losses);
        expect(bitsOf(state.arrays)).toEqual(bitsOf(whole.state.arrays));
        expect({ ...state, arrays: {} }).toEqual({ ...whole.state, arrays: {} });
      }
    });

    test('what it was given and what it saved are not written to', async () => {
      const options = optionsOf(training, given);
      const first = await run(options, 1);
      const params = await paramsOf(options);
      const kept = structuredClone({ state: first.state, params });
      const trainer = new Trainer({ ...options, params });
      await trainer.runEpoch();
      trainer.dispose();
      const resumed = new Trainer(options, first.state);
      await resumed.runEpoch();
      resumed.dispose();
      expect({ state: first.state, params }).toEqual(kept);
    });
  });

  test('an aborted epoch keeps its tensors bounded and goes on without a save', async () => {
    const [, training, given] = cases[0]!;
    const options = optionsOf(training, given);
    const whole = await run(options, 2);
    const abort = new AbortController();
    const trainer = new Trainer(stoppingAt(options, 3, abort));
    await expect(trainer.runEpoch(abort.signal)).rejects.toMatchObject({ code: 'aborted' });
    const { numTensors, numBytes } = memory();
    await expect(trainer.runEpoch(abort.signal)).rejects.toMatchObject({ code: 'aborted' });
    expect(memory()).toMatchObject({ numTensors, numBytes });
    expect([await trainer.runEpoch(), await trainer.runEpoch()]).toEqual(whole.losses);
    trainer.dispose();
  });

  test('a loss that is not finite stops it, naming step, learning rate and what to do', async () => {
    const [, training] = cases[0]!;
    const sessions = logOf([
      [1, 2, 3, 4, 5],
      [6, 7, 8, 9, 10],
    ]);
    // Item 5 is the target of step 4, and never drawn before.
    const support = supportOf(sessions, ITEMS).fill(0, 5, 6);
    const given = { layers: [4], batchSize: 2, nSample: 3, learningRate: 0.25 };
    const options = optionsOf(training, given, { sessions, catalogue: { items: ITEMS, support } });
    const params = await paramsOf(options);
    const bias = { data: (params.bias!.data as Float32Array).slice().fill(Number.NaN, 5, 6), shape: [ITEMS + 1] };
    const trainer = new Trainer({ ...options, params: { ...params, bias } });
    await expect(trainer.runEpoch()).rejects.toMatchObject({
      name: 'RecommenderError',
      code: 'diverged',
      message: 'The loss became NaN at step 4 (epoch 1), learning rate 0.25. Train with a smaller learning rate.',
    });
    trainer.dispose();
  });

  test('progress counts the steps of the epoch and gives its loss so far', async () => {
    const [, training, given] = cases[0]!;
    const trainer = new Trainer(optionsOf(training, given));
    const reports: Progress[] = [];
    const loss = await trainer.runEpoch(undefined, (progress) => reports.push(progress));
    expect(reports.at(-1)).toEqual({ epoch: 1, step: trainer.steps, steps: trainer.steps, loss });
    expect(trainer.epoch).toBe(1);
    trainer.dispose();
  });
});

describe('a trainer', () => {
  beforeAll(() => start('cpu'));

  describe('whose last epochs see only the latest sessions', () => {
    const training = asAny(sasrecTraining);
    const recent = { ...sas, batchSize: 4, lrSchedule: 'linear', recentEpochs: 2, recentShare: 0.3 };

    /** How many steps each epoch takes, and the sessions that it shows the model. */
    const epochsOf = async (epochs: number, given: Case[2] = recent) => {
      const seen = new Set<string>();
      const batch: typeof training.batch = (rows, ...rest) => {
        for (const { from } of rows as Example[]) seen.add(String(log.times[from]));
        return training.batch(rows, ...rest);
      };
      const trainer = new Trainer(optionsOf({ ...training, batch }, given, { epochs }));
      const found: { steps: number; starts: number[] }[] = [];
      for (let epoch = 0; epoch < epochs; epoch++) {
        const { steps } = trainer;
        await trainer.runEpoch();
        found.push({ steps, starts: [...seen].map(Number).sort((a, b) => a - b) });
        seen.clear();
      }
      trainer.dispose();
      return found;
    };
    // Sessions are longer than what the model sees of them in no case, so each begins where it does in the log.
    const starts = Array.from(log.offsets.subarray(0, 30));

    test('shows all at first, then these', async () => {
      const [all, late] = [
        { steps: 8, starts },
        { steps: 3, starts: starts.slice(21) },
      ];
      expect(await epochsOf(4)).toEqual([all, all, late, late]);
    });

    test('shows all in the first epoch, however few there are', async () => {
      expect((await epochsOf(2)).map(({ steps }) => steps)).toEqual([8, 3]);
      expect((await epochsOf(1)).map(({ steps }) => steps)).toEqual([8]);
    });

    test('begins them at a share of its learning rate, which falls to 0', async () => {
      const options = optionsOf(training, recent, { epochs: 3 });
      const { state } = await run(options, 2);
      expect(state.step).toBe(8 + 3);
      const arrays = Object.entries(state.arrays).map(([name, { data, shape }]) => {
        return [name, { data: name.startsWith('slot.') ? data : data.map(() => Number.NaN), shape }] as const;
      });
      const trainer = new Trainer(options, { ...state, arrays: Object.fromEntries(arrays) as TrainerState['arrays'] });
      const rate = 0.01 * 0.3 * (1 - 3 / (3 + 3));
      await expect(trainer.runEpoch()).rejects.toThrow(`at step 12 (epoch 3), learning rate ${rate}.`);
      trainer.dispose();
    });

    test('says so where they hold nothing to learn', () => {
      const sessions = logOf([[1, 2], [2, 3], [3, 4], [5]]);
      const given = { ...recent, recentShare: 0.25 };
      expect(() => new Trainer(optionsOf(training, given, { sessions }))).toThrow('Use a larger recentShare.');
    });
  });

  test.each(cases)('refuses a log without a pair of clicks: %s', (_, training, given) => {
    const options = optionsOf(training, given, { sessions: logOf([[1], [2]]) });
    expect(() => new Trainer(options)).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });

  test('ends an epoch of GRU4Rec where a lone row would have no negative', async () => {
    const sessions = logOf([
      [1, 2, 3],
      [4, 5],
      [6, 7, 8, 9],
      [10, 11],
    ]);
    const stepsWith = async (nSample: number) => {
      const given = { layers: [4], batchSize: 2, nSample, sampleAlpha: 0 };
      const trainer = new Trainer(optionsOf(asAny(gru4recTraining), given, { sessions }));
      await trainer.runEpoch();
      trainer.dispose();
      return trainer.steps;
    };
    expect(await stepsWith(5)).toBe(4);
    expect(await stepsWith(0)).toBe(3);
  });

  test('takes the losses of GRU4Rec as a mean over steps, of SASRec over targets', async () => {
    const sessions = logOf([
      [1, 2, 3, 4],
      [5, 6],
      [7, 8],
    ]);
    const rate = 1e-8;
    const one = async (training: Case[1], given: Case[2], epochSessions: typeof sessions) => {
      const options = { ...optionsOf(training, given), sessions: epochSessions };
      const trainer = new Trainer(options);
      const loss = await trainer.runEpoch();
      trainer.dispose();
      return loss;
    };
    const plain = { ...sas, loss: 'ce', lr: rate, dropoutRate: 0 };
    const [all, each] = [
      await one(asAny(sasrecTraining), { ...plain, batchSize: 3 }, sessions),
      await one(asAny(sasrecTraining), { ...plain, batchSize: 1 }, sessions),
    ];
    expect(each).toBeCloseTo(all, 4);
    // Three steps with rows 2, 2 and 1, each over the nominal size 2.
    const wide = { layers: [4], nSample: 50, learningRate: rate, sampleAlpha: 0 };
    const mean = await one(
      asAny(gru4recTraining),
      { ...wide, batchSize: 2 },
      logOf([
        [1, 2, 3, 4],
        [5, 6, 7],
      ]),
    );
    const perRow = await one(
      asAny(gru4recTraining),
      { ...wide, batchSize: 1 },
      logOf([
        [1, 2, 3, 4],
        [5, 6, 7],
      ]),
    );
    expect(mean / perRow).toBeGreaterThan(0.8);
    expect(mean / perRow).toBeLessThan(0.87);
  });
});

/** The signal fires before step `count` + 1: the loss is the only thing called once a step. */
function stoppingAt(options: Options, count: number, abort: AbortController): Options {
  let steps = 0;
  const counting =
    <A extends unknown[], R>(f: (...args: A) => R) =>
    (...args: A): R => {
      steps++;
      if (steps === count) abort.abort();
      return f(...args);
    };
  const { training } = options;
  return { ...options, training: { ...training, loss: counting(training.loss) } };
}

async function stepsOf(options: Options): Promise<{ steps: number }> {
  const trainer = new Trainer(options);
  const { steps } = trainer;
  trainer.dispose();
  return { steps };
}

async function paramsOf(options: Options) {
  const trainer = new Trainer(options);
  const params = await trainer.weights();
  trainer.dispose();
  return params;
}
