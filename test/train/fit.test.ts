import { beforeAll, describe, expect, test } from 'vitest';
import { configure } from '../../src/models/configuration';
import { type Gru4RecConfig, gru4rec } from '../../src/models/gru4rec';
import { gru4recTraining } from '../../src/models/gru4rec-training';
import { upload } from '../../src/models/tensors';
import type { Training } from '../../src/models/training';
import { neuralScorer } from '../../src/ranking/neural-scorer';
import { random } from '../../src/session/random';
import { WeightAverage } from '../../src/train/average';
import { evaluate } from '../../src/train/evaluate';
import { type FitOptions, type FitState, fitModel, Interrupted } from '../../src/train/fit';
import type { NdArrays } from '../../src/types';
import { expectNoTensorsLeft, start } from '../compute/backends/start';
import { bitsOf, logOf, supportOf } from './helpers';

const ITEMS = 10;

/** Sessions that walk a ring, with one click in five at random. */
function noisyRing(count: number, seed: number) {
  const { integer } = random(seed, 'log');
  return logOf(
    Array.from({ length: count }, () => {
      let at = integer(ITEMS);
      return Array.from({ length: 4 }, () => {
        at = integer(5) === 0 ? integer(ITEMS) : (at + 1) % ITEMS;
        return 1 + at;
      });
    }),
  );
}

const sessions = noisyRing(40, 1);
const valid = noisyRing(12, 2);
const catalogue = { items: ITEMS, support: supportOf(sessions, ITEMS) };

const training = gru4recTraining as Training<Gru4RecConfig>;

const optionsOf = (over: Partial<FitOptions<Gru4RecConfig>> = {}, given = {}): FitOptions<Gru4RecConfig> => ({
  training,
  config: configure(gru4rec, { layers: [8], batchSize: 8, nSample: 5, learningRate: 0.1, momentum: 0.2, ...given }),
  catalogue,
  sessions,
  seed: 3,
  epochs: 4,
  ...over,
});

/** The training, with `onStep` called at each loss and each validation. */
const watched = (onStep: () => void): Training<Gru4RecConfig> => ({
  ...training,
  network: {
    ...gru4rec,
    outputs(params, config) {
      onStep();
      return gru4rec.outputs(params, config);
    },
  },
  loss(...args) {
    onStep();
    return training.loss(...args);
  },
});

/** Everything of a result but the seconds, which no two runs share. */
function lasting(result: Awaited<ReturnType<typeof fitModel>>) {
  return {
    best: result.best,
    weights: bitsOf(result.weights),
    epochs: result.epochs.map(({ seconds: _, ...rest }) => rest),
  };
}

/** Runs until the signal ends it. */
async function interrupted(options: FitOptions<Gru4RecConfig>): Promise<FitState> {
  const error = await fitModel(options).then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(Interrupted);
  expect(error.code).toBe('aborted');
  return structuredClone((error as Interrupted).state);
}

beforeAll(() => start('cpu'));

expectNoTensorsLeft();

test('without validation the last epoch is the result', async () => {
  const { epochs, best, weights } = await fitModel(optionsOf());
  expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
  expect(epochs[3]!.loss).toBeLessThan(epochs[0]!.loss);
  expect(best).toEqual({ epoch: 4, metric: 'loss', value: epochs[3]!.loss });
  expect(Object.keys(weights)).toEqual(Object.keys(gru4rec.parameters(optionsOf().config, catalogue)));
});

describe('with validation', () => {
  test('every epoch is measured, and the best one is the result with its own weights', async () => {
    const options = optionsOf({ valid, epochs: 8, patience: 8 }, { learningRate: 0.6 });
    const { epochs, best, weights } = await fitModel(options);
    const values = epochs.map(({ valid: metrics }) => metrics!['mrr@20']!);
    expect(values).toHaveLength(8);
    expect(best).toEqual({
      epoch: 1 + values.indexOf(Math.max(...values)),
      metric: 'mrr@20',
      value: Math.max(...values),
    });
    expect(best.epoch, 'this log should overfit, or the test shows nothing').toBeLessThan(8);
    const params = upload(weights);
    const scorer = neuralScorer(gru4rec, params, options.config, catalogue);
    const { metrics } = await evaluate(scorer, valid, { protocol: 'events', support: catalogue.support });
    expect(metrics.conservative['mrr@20']).toBe(best.value);
    scorer.dispose();
    for (const value of Object.values(params)) value.dispose();
  });

  test('another metric selects the best epoch, and ends the training', async () => {
    const options = optionsOf({ valid, epochs: 8, patience: 2, metric: 'recall@1' }, { learningRate: 0.6 });
    const { epochs, best } = await fitModel(options);
    const values = epochs.map(({ valid: metrics }) => metrics!['recall@1']!);
    const most = Math.max(...values);
    expect(best).toEqual({ epoch: 1 + values.indexOf(most), metric: 'recall@1', value: most });
    expect(epochs).toHaveLength(Math.min(8, best.epoch + 2));
    const usual = await fitModel({ ...options, metric: 'mrr@20' });
    expect(usual.best.epoch, 'the metrics should not agree, or the test shows nothing').not.toBe(best.epoch);
  });

  test('training ends once it has not got better for so many epochs', async () => {
    const whole = await fitModel(optionsOf({ valid, epochs: 8, patience: 8 }, { learningRate: 0.6 }));
    const values = whole.epochs.map(({ valid: metrics }) => metrics!['mrr@20']!);
    const patience = 2;
    const stop = values.findIndex(
      (_, i) => i + 1 - (1 + values.indexOf(Math.max(...values.slice(0, i + 1)))) >= patience,
    );
    const stopped = await fitModel(optionsOf({ valid, epochs: 8, patience }, { learningRate: 0.6 }));
    expect(stop, 'this log should stop early, or the test shows nothing').toBeGreaterThan(0);
    expect(stopped.epochs).toHaveLength(stop + 1);
    expect(stopped.epochs.map(({ loss }) => loss)).toEqual(whole.epochs.slice(0, stop + 1).map(({ loss }) => loss));
    expect(stopped.best.epoch).toBe(stop + 1 - patience);
    // The model's own, where nothing else is asked for.
    const patient = { ...training, plan: (config: Gru4RecConfig) => ({ ...training.plan(config), patience }) };
    const alike = await fitModel(optionsOf({ training: patient, valid, epochs: 8 }, { learningRate: 0.6 }));
    expect(alike.epochs).toHaveLength(stop + 1);
  });
});

describe('an interrupted training', () => {
  const whole = () => fitModel(optionsOf({ valid }));

  test('between two steps ends, resumed, bit for bit like one that was not', async () => {
    const expected = lasting(await whole());
    for (const stopAt of [1, 9, 21]) {
      const abort = new AbortController();
      let steps = 0;
      const counting = watched(() => {
        steps++;
        if (steps === stopAt) abort.abort();
      });
      const resume = await interrupted(optionsOf({ valid, training: counting, signal: abort.signal }));
      expect(lasting(await fitModel(optionsOf({ valid, resume })))).toEqual(expected);
    }
  });

  test('during validation repeats the validation, not the epoch', async () => {
    const expected = lasting(await whole());
    const abort = new AbortController();
    // Between the last step of an epoch and its end the item side is read by the validation alone.
    let validations = 0;
    const network: typeof gru4rec = {
      ...gru4rec,
      outputs(params, config) {
        if (inValidation) {
          validations++;
          if (epochsDone === 1) abort.abort();
        }
        return gru4rec.outputs(params, config);
      },
    };
    let inValidation = false;
    let epochsDone = 0;
    const resume = await interrupted(
      optionsOf({
        valid,
        training: { ...training, network },
        signal: abort.signal,
        onProgress: ({ step, steps }) => {
          inValidation = step === steps;
        },
        onEpoch: () => {
          inValidation = false;
          epochsDone++;
        },
      }),
    );
    expect(validations).toBeGreaterThan(0);
    expect(resume).toMatchObject({ unvalidated: expected.epochs[1]!.loss, trainer: { epoch: 2, stepInEpoch: 0 } });
    expect(resume.epochs).toHaveLength(1);
    expect(lasting(await fitModel(optionsOf({ valid, resume })))).toEqual(expected);
  });

  test('says in which epoch it was, and counts the seconds of that epoch', async () => {
    const abort = new AbortController();
    const error = await fitModel(
      optionsOf({
        signal: abort.signal,
        onEpoch: ({ epoch }) => {
          if (epoch === 2) abort.abort();
        },
      }),
    ).catch((reason) => reason);
    expect(error.message).toBe('Training was interrupted in epoch 3.');
    expect(error.state.epochs).toHaveLength(2);
    expect(error.state.seconds).toBeGreaterThan(0);
  });

  test('resumes from the state that each epoch hands out', async () => {
    const expected = lasting(await whole());
    let saved: FitState | undefined;
    await fitModel(
      optionsOf({
        valid,
        onEpoch: async ({ epoch }, state) => {
          if (epoch === 2) saved = structuredClone(await state());
        },
      }),
    );
    expect(lasting(await fitModel(optionsOf({ valid, resume: saved! })))).toEqual(expected);
  });

  test('that was finished is not trained further', async () => {
    const first = await fitModel(optionsOf());
    let saved: FitState | undefined;
    await fitModel(
      optionsOf({
        onEpoch: async ({ epoch }, state) => {
          if (epoch === 4) saved = await state();
        },
      }),
    );
    expect(lasting(await fitModel(optionsOf({ resume: saved! })))).toEqual(lasting(first));
  });
});

describe('averaged weights', () => {
  const averageEpochs = 3;

  /** The plain weights at the end of each epoch, and the losses. */
  async function plain() {
    const ends: NdArrays[] = [];
    const { epochs } = await fitModel(
      optionsOf({
        onEpoch: async (_, state) => {
          const { arrays } = structuredClone((await state()).trainer);
          const names = Object.keys(gru4rec.parameters(optionsOf().config, catalogue));
          ends.push(Object.fromEntries(names.map((name) => [name, arrays[name]!])));
        },
      }),
    );
    return { ends, losses: epochs.map(({ loss }) => loss) };
  }
  const meanOf = (ends: readonly NdArrays[]) => new WeightAverage(averageEpochs, ends).mean();

  test('are the result, and training goes on from the plain ones', async () => {
    const { ends, losses } = await plain();
    const result = await fitModel(optionsOf({}, { averageEpochs }));
    expect(bitsOf(result.weights)).toEqual(bitsOf(meanOf(ends.slice(1))));
    expect(bitsOf(result.weights)).not.toEqual(bitsOf(ends.at(-1)!));
    expect(result.epochs.map(({ loss }) => loss)).toEqual(losses);
  });

  test('are what every epoch is validated with', async () => {
    const { ends } = await plain();
    const { epochs, best, weights } = await fitModel(optionsOf({ valid }, { averageEpochs }));
    for (const { epoch, valid: measured } of epochs) {
      const params = upload(meanOf(ends.slice(Math.max(0, epoch - averageEpochs), epoch)));
      const scorer = neuralScorer(gru4rec, params, optionsOf().config, catalogue);
      const { metrics } = await evaluate(scorer, valid, { protocol: 'events', support: catalogue.support });
      expect(measured, `epoch ${epoch}`).toEqual(metrics.conservative);
      scorer.dispose();
      for (const value of Object.values(params)) value.dispose();
    }
    const { epoch } = best;
    expect(bitsOf(weights)).toEqual(bitsOf(meanOf(ends.slice(Math.max(0, epoch - averageEpochs), epoch))));
  });

  test.each([undefined, valid])(
    'are the same bit for bit where the training was interrupted, validated: %o',
    async (valid) => {
      const options = (over: Partial<FitOptions<Gru4RecConfig>> = {}) =>
        optionsOf({ ...(valid && { valid }), ...over }, { averageEpochs });
      const states: FitState[] = [];
      const expected = lasting(
        await fitModel(options({ onEpoch: async (_, state) => void states.push(structuredClone(await state())) })),
      );
      expect(states.map(({ ends }) => ends!.length)).toEqual([1, 2, 3, 3]);
      for (const resume of states) expect(lasting(await fitModel(options({ resume })))).toEqual(expected);
      for (const stopAt of [9, 33, 50]) {
        const abort = new AbortController();
        let calls = 0;
        const counting = watched(() => {
          calls++;
          if (calls === stopAt) abort.abort();
        });
        const resume = await interrupted(options({ training: counting, signal: abort.signal }));
        expect(lasting(await fitModel(options({ resume })))).toEqual(expected);
      }
    },
  );
});

test('other errors pass through, and leave no tensor behind', async () => {
  const failing = fitModel(
    optionsOf({
      onEpoch: () => {
        throw new Error('the disk is full');
      },
    }),
  );
  await expect(failing).rejects.toThrow('the disk is full');
});
