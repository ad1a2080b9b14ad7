import { memory, slice, tidy } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { BaseModel, Delta } from '../../../src/checkpoint/delta';
import { decodeDelta, encodeDelta } from '../../../src/checkpoint/delta-file';
import { configure } from '../../../src/models/configuration';
import { models } from '../../../src/models/index';
import { initialise } from '../../../src/models/initialise';
import { upload } from '../../../src/models/tensors';
import { INFERENCE, neuralScorer } from '../../../src/ranking/neural-scorer';
import { random } from '../../../src/session/random';
import type { FrozenModel, TuneEvent } from '../../../src/train/tuning/frozen-model';
import { Full, type TunedNetwork } from '../../../src/train/tuning/full';
import { FULL, SAMPLE, SAMPLE_ABOVE } from '../../../src/train/tuning/settings';
import { Tuning } from '../../../src/train/tuning/tune';
import { start } from '../../compute/backends/start';
import { SMALL } from '../../engine/parity';

const N = 20;
const support = Int32Array.from({ length: N + 1 }, (_, i) => (i === 0 ? 0 : 5 + i));
const catalogue = { items: N, support };
const base: BaseModel = { name: 'small', version: '1', architecture: 'any', hash: 'ab'.repeat(32), items: N };

beforeAll(() => start('wasm'));

/** Each architecture, and one that has scores of their own for items of the session. */
const REPEATS = 'sasrec with repeats';
const CASES = [...Object.keys(models), REPEATS];

/** An untrained model and a visitor who goes round 3, 4, 5, 6 in each session. */
async function visited(name: string, replay: TunedNetwork['replay'] = []) {
  const architecture = name === REPEATS ? 'sasrec' : name;
  const model = await models[architecture]!.network();
  const given = { ...SMALL[architecture], ...(name === REPEATS && { repeatLags: 3 }) };
  const config = configure(model, given);
  const repeats = name === REPEATS && { repeats: { data: Float32Array.of(0.5, -1, 0.25), shape: [3] } };
  const tensors = { ...initialise(model.parameters(config, catalogue), 3), ...repeats };
  const network: TunedNetwork = { model: model as never, config, catalogue, tensors, replay };
  const params = upload(tensors);
  const encode = (items: number[]) =>
    tidy(() =>
      model.encode(params, upload(model.prepare([{ items }], config, catalogue)), config, INFERENCE).dataSync(),
    ) as Float32Array;
  const [table, bias] = tidy(() => {
    const outputs = model.outputs(params, config);
    return [
      slice(outputs.table, [1, 0], [N, -1]).dataSync() as Float32Array,
      outputs.bias && (slice(outputs.bias, 1, N).dataSync() as Float32Array),
    ];
  });
  const itemIds = Array.from({ length: N }, (_, k) => `item ${k + 1}`);
  const priors = repeats && { repeats: repeats.repeats.data };
  const frozen: FrozenModel = { base, itemIds, table: table!, scale: 1, support, ...(bias && { bias }), ...priors };
  const round = [3, 4, 5, 6];
  const events = Array.from({ length: 24 }, (_, t): TuneEvent => {
    const before = round.slice(0, t % 4);
    const begun = before.length > 0 && { vector: encode(before), session: { items: before } };
    return { item: round[t % 4]!, time: 1000 * t, ...begun };
  });
  for (const tensor of Object.values(params)) tensor.dispose();
  return { network, frozen, events };
}

const tuningOf = (frozen: FrozenModel, network: TunedNetwork, delta?: Delta) =>
  new Tuning({
    frozen,
    method: 'full',
    fineTuner: new Full(frozen, network, delta),
    ...(delta && { delta }),
  });

test('a drawn item that is the target itself is no negative, in a catalogue of which a sample is drawn', async () => {
  const items = SAMPLE_ABOVE + 1;
  const large = { items, support: new Int32Array(items + 1).fill(1) };
  const drawnAt = (step: number) => {
    const { integer } = random(0, 'candidates', step);
    return Array.from({ length: SAMPLE }, () => 1 + integer(items));
  };
  const target = drawnAt(0)[0]!;
  const without = Array.from({ length: 50 }, (_, step) => step).find((step) => !drawnAt(step).includes(target))!;

  // All other items are alike, and the target is as likely as the sample of them together.
  const model = (await models.gru4rec!.network()) as TunedNetwork['model'];
  const config = configure(model, { layers: '4' });
  const tensors = initialise(model.parameters(config, large), 3);
  const table = tensors.items!.data;
  for (let row = 2; row <= items; row++) table.copyWithin(4 * row, 4, 8);
  const session = { items: [target === 1 ? 2 : 1] };
  const c = tidy(() =>
    model.encode(upload(tensors), upload(model.prepare([session], config, large)), config, INFERENCE).dataSync(),
  ) as Float32Array;
  const square = c.reduce((sum, x) => sum + x * x, 0);
  for (let k = 0; k < 4; k++) table[4 * target + k]! += c[k]! / square; // so that it scores 1 more than the others
  const frozen = {
    base: { ...base, items },
    itemIds: Array.from({ length: items }, (_, k) => `${k}`),
    support: large.support,
    table: table.subarray(4) as Float32Array,
    scale: Math.log(SAMPLE),
  };
  const squares = async (step: number) => {
    const network = { model, config, catalogue: large, tensors };
    const fineTuner = new Full(frozen, network, { ...new Full(frozen, network).save(), step });
    await fineTuner.update({ item: target, time: 0, session, vector: c });
    const slots = Object.entries(fineTuner.save().arrays).filter(([name]) => name.startsWith('slot.block.'));
    return slots.map(([, { data }]) => data[0]!).filter((sum) => sum > 0);
  };
  const [hit, missed] = [await squares(0), await squares(without)];
  expect(missed.length).toBeGreaterThan(1);
  for (const [i, sum] of missed.entries()) expect(hit[i]! / sum).toBeCloseTo(1, 2);
});

describe.each(CASES)('all parameters of %s', (architecture) => {
  test('learn what the visitor does, and predict as a scorer of them does', async () => {
    const { network, frozen, events } = await visited(architecture);
    const before = memory().numTensors;
    const tuning = tuningOf(frozen, network);
    const losses: { base: number; tuned: number }[] = [];
    for (const event of events) {
      const { predicted } = await tuning.step(event);
      if (predicted) losses.push({ base: predicted.base.loss, tuned: predicted.tuned.loss });
    }
    expect(losses[0]!.tuned).toBeCloseTo(losses[0]!.base, 4); // nothing is learnt yet
    const last = losses.slice(-3);
    for (const { base, tuned } of last) expect(tuned).toBeLessThan(base);

    const { model, config } = network;
    const params = upload(tuning.fineTuner.tuned());
    const scorer = neuralScorer(model, params, config, catalogue);
    const scores = await scorer.score([{ items: [3, 4] }]);
    const asked = { ...events[2]!, item: 9 };
    const { tuned } = await tuning.fineTuner.predict(asked);
    const sum = scores.reduce((total, score) => total + Math.exp(score), 0);
    expect(tuned.loss).toBeCloseTo(Math.log(sum) - scores[8]!, 4);
    expect(tuned.rank).toBe(scores.filter((score) => score >= scores[8]!).length);
    scorer.dispose();
    for (const tensor of Object.values(params)) tensor.dispose();
    expect(memory().numTensors).toBe(before);
  });

  test('end where one run ends, bit for bit, whatever the slices, through the file form', async () => {
    const { network, frozen, events } = await visited(architecture, [{ session: { items: [9, 8] }, target: 7 }]);
    const whole = tuningOf(frozen, network);
    for (const event of events.slice(0, 12)) await whole.step(event);
    let delta: Delta | undefined;
    for (let at = 0; at < 12; at += 5) {
      const slice = tuningOf(frozen, network, delta);
      for (const event of events.slice(at, Math.min(12, at + 5))) await slice.step(event);
      delta = decodeDelta(encodeDelta(await slice.save()));
    }
    expect(delta).toEqual(await whole.save());
  });

  test('stay within their caps, and rows of items that the visitor never met as they were', async () => {
    const { network, frozen, events } = await visited(architecture);
    const { integer } = random(5, 'nonsense');
    const fineTuner = new Full(frozen, network);
    for (let n = 0; n < 60; n++) {
      const event = { ...events[1 + (n % 3)]!, item: 1 + integer(10) };
      await fineTuner.predict(event);
      await fineTuner.update(event);
      fineTuner.count(event);
    }
    const specs = network.model.parameters(network.config, catalogue);
    let moved = 0;
    for (const [name, { data, shape }] of Object.entries(fineTuner.tuned())) {
      const start = network.tensors[name]!.data;
      const norm = (values: ArrayLike<number>) => Math.hypot(...Array.from(values));
      const difference = data.map((x, k) => x - start[k]!);
      expect(data.every(Number.isFinite)).toBe(true);
      if (norm(difference) > 0) moved++;
      if (!specs[name]!.rows) {
        const unit = norm(start) || FULL.zero * Math.sqrt(start.length);
        expect(norm(difference)).toBeLessThanOrEqual(FULL.caps.block * unit * 1.001);
        continue;
      }
      const width = data.length / shape[0]!;
      const usual = norm(start) / Math.sqrt(shape[0]!) || 1;
      expect([...data.subarray(0, width)]).toEqual([...start.subarray(0, width)]);
      expect([...data.subarray(11 * width)]).toEqual([...start.subarray(11 * width)]);
      for (let item = 1; item <= 10; item++) {
        const own = norm(difference.subarray(item * width, (item + 1) * width));
        expect(own).toBeLessThanOrEqual(FULL.caps.row * usual * 1.001);
      }
    }
    expect(moved).toBeGreaterThan(1);
    fineTuner.reset();
    for (const [name, { data }] of Object.entries(fineTuner.tuned())) expect(data).toEqual(network.tensors[name]!.data);
  });
});
