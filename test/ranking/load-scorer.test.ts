import { memory } from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Artifact } from '../../src/checkpoint/artifact';
import { models } from '../../src/models/index';
import { baselines } from '../../src/neighbours/index';
import { loadScorer } from '../../src/ranking/load-scorer';
import type { NdArray } from '../../src/types';
import { start } from '../compute/backends/start';
import { smallModel } from '../engine/fixture';
import { allModels } from '../models/all-models';

beforeAll(() => start('cpu'));

const withTensors = (artifact: Artifact, tensors: Record<string, NdArray | undefined>): Artifact => {
  const merged = Object.entries({ ...artifact.tensors, ...tensors }).filter(([, array]) => array !== undefined);
  return { ...artifact, tensors: Object.fromEntries(merged) as Record<string, NdArray> };
};
const zeros = (...shape: number[]): NdArray => ({ data: new Float32Array(shape.reduce((a, b) => a * b, 1)), shape });

describe.each([...Object.keys(models), ...Object.keys(baselines)])('%s', (architecture) => {
  test('scores every item of its artifact, and frees everything it took', async () => {
    const artifact = await smallModel({ architecture, config: {} });
    const before = memory().numTensors;
    const scorer = await loadScorer(artifact);
    expect(scorer.items).toBe(60);
    const scores = await scorer.score([{ items: [1, 60] }, { items: [3] }]);
    expect(scores.length).toBe(120);
    expect(scores.every(Number.isFinite)).toBe(true);
    scorer.dispose();
    expect(memory().numTensors).toBe(before);
  });

  test('refuses an artifact with an array that is none of its own, also among those of its catalogue', async () => {
    const artifact = await smallModel({ architecture, config: {} });
    for (const name of ['more', 'catalogue.more'])
      await expect(loadScorer(withTensors(artifact, { [name]: zeros(1) }))).rejects.toMatchObject({
        code: 'weights-mismatch',
        message: expect.stringContaining(`has the tensor "${name}", which this architecture`),
      });
  });

  test('refuses an artifact without one of its arrays, and takes nothing', async () => {
    const artifact = await smallModel({ architecture, config: {} });
    const before = memory().numTensors;
    for (const name of Object.keys(artifact.tensors)) {
      const broken = withTensors(artifact, { [name]: undefined });
      await expect(loadScorer(broken)).rejects.toMatchObject({
        code: 'weights-mismatch',
        message: expect.stringContaining(`"${name}"`),
      });
    }
    expect(memory().numTensors).toBe(before);
  });
});

test.each(Object.entries(await allModels()).filter(([, { removed }]) => removed))(
  'an artifact of %s from an older version loads with what is left of its options, and with nothing else',
  async (architecture, { removed }) => {
    const artifact = await smallModel({ architecture, config: {} });
    const loaded = (old: Record<string, unknown>) =>
      loadScorer({ ...artifact, info: { ...artifact.info, config: { ...artifact.info.config, ...old } } });
    const values = Object.entries(removed!).map(([key, left]) => [key, [left].flat().at(-1)] as const);
    (await loaded(Object.fromEntries(values))).dispose();
    const [key, left] = Object.entries(removed!)[0]!;
    await expect(loaded({ [key]: 'other' })).rejects.toMatchObject({
      code: 'bad-artifact',
      message: expect.stringContaining(
        `"${key}" is no longer an option and always ${JSON.stringify([left].flat()[0])}, got "other"`,
      ),
    });
  },
);

describe('an artifact that does not fit', () => {
  const message = async (change: (artifact: Artifact) => Artifact): Promise<{ code?: string; message: string }> => {
    const artifact = change(await smallModel());
    try {
      (await loadScorer(artifact)).dispose();
      return { message: 'loaded' };
    } catch (error) {
      return error as { code: string; message: string };
    }
  };

  test('with another number of items in a table names both counts', async () => {
    expect(await message((artifact) => withTensors(artifact, { items: zeros(50, 16) }))).toMatchObject({
      code: 'weights-mismatch',
      message:
        'weights.safetensors: tensor "items" has 50 rows, the catalogue needs 61. Export both from the same vocabulary.',
    });
  });

  test('with another shape, or whole numbers for weights, names the tensor', async () => {
    expect(await message((artifact) => withTensors(artifact, { 'gru.0.wh': zeros(16, 16) }))).toMatchObject({
      code: 'weights-mismatch',
      message: expect.stringContaining('"gru.0.wh" must be float32 [48, 144], got float32 [16, 16]'),
    });
    const whole = { data: new Int32Array(61), shape: [61] };
    expect(await message((artifact) => withTensors(artifact, { bias: whole }))).toMatchObject({
      code: 'weights-mismatch',
      message: expect.stringContaining('"bias" must be float32'),
    });
  });

  test('with a tensor that its architecture does not have names it', async () => {
    expect(await message((artifact) => withTensors(artifact, { 'gru.1.wh': zeros(16, 48) }))).toMatchObject({
      code: 'weights-mismatch',
      message: expect.stringContaining('the tensor "gru.1.wh", which this architecture and configuration do not use'),
    });
  });

  test.each(['transformer', '__proto__', 'constructor', 'toString'])(
    'of the architecture %s is refused',
    async (architecture) => {
      const refused = await message((artifact) => ({ ...artifact, info: { ...artifact.info, architecture } }));
      expect(refused).toMatchObject({ code: 'bad-artifact', message: expect.stringContaining('gru4rec') });
    },
  );

  test('with a configuration that cannot be used is the artifact’s fault', async () => {
    const refused = await message((artifact) => ({ ...artifact, info: { ...artifact.info, config: { layres: 16 } } }));
    expect(refused).toMatchObject({
      code: 'bad-artifact',
      message: expect.stringContaining('the nearest is "layers"'),
    });
  });
});
