/** State dicts of whole Transformers4Rec models, made up here by the names of its sources. No trained checkpoint of it was at hand. */
import { describe, expect, test } from 'vitest';
import { importers } from '../../src/checkpoint/imports/index';
import { toOurs } from '../../src/checkpoint/imports/name-map';
import { run } from '../../src/compute/executor';
import { configure } from '../../src/models/configuration';
import { transformers4rec } from '../../src/models/transformers4rec/transformers4rec';
import { startFirst } from '../../src/pipeline/files/backend';
import { random } from '../../src/session/random';
import { importWeights } from '../../src/train/import-weights';
import type { NdArray } from '../../src/types';

type Weights = Readonly<Record<string, NdArray>>;

const N = 7;
const LIBRARY = { n_items: N, d_model: 4, n_head: 2, n_layer: 2, total_seq_length: 5 };
const GPT2 = { ...LIBRARY, arch: 'gpt2', masking: 'CausalLanguageModeling', build_kwargs: { n_inner: 6 } };
const XLNET = { ...LIBRARY, arch: 'xlnet', masking: 'MaskedLanguageModeling' };

/** The tensors that the importer reads, and its map. */
function made(reference: Record<string, unknown>) {
  const { config } = importers.transformers4rec.config(reference);
  const complete = configure(transformers4rec, config) as unknown as Record<string, unknown>;
  const map = importers.transformers4rec.map(complete, N);
  const { normal } = random(3, 'transformers4rec');
  const weights: Record<string, NdArray> = {};
  for (const [name, shape] of Object.entries(map.theirs)) {
    const length = shape.reduce((a, b) => a * b, 1);
    weights[name] = { data: Float32Array.from({ length }, () => 0.4 * normal()), shape };
  }
  return { config: complete, map, weights };
}

const TASK = 'heads.0.prediction_task_dict.next-item';

/** As `state_dict()` of a model lists them: what modules share stands under each of them. */
function whole(weights: Weights, projection = 'heads.0.body.0.projection_module.0.0'): Record<string, NdArray> {
  const all: Record<string, NdArray> = {};
  const names = (name: string): string[] => {
    if (name === 'item_embedding') {
      return [
        'heads.0.body.0.to_merge.categorical_module.embedding_tables.item_id.weight',
        `${TASK}.embeddings.embedding_tables.item_id.weight`,
        `${TASK}.item_embedding_table.weight`,
        `${TASK}.pre.module.item_embedding_table.weight`,
      ];
    }
    if (name === 'masked_item_embedding') {
      return [`heads.0.body.0._masking.${name}`, `heads.0.body.2.masking.${name}`, `${TASK}.masking.${name}`];
    }
    if (name.startsWith('input_projection')) return [name.replace('input_projection', projection)];
    return [`heads.0.body.2.${name}`, `heads.0.body.2.prepare_module.${name}`];
  };
  for (const [name, tensor] of Object.entries(weights)) for (const long of names(name)) all[long] = tensor;
  all['heads.0.body.2.transformer.h.0.attn.bias'] = { data: new Float32Array(25).fill(1), shape: [1, 1, 5, 5] };
  all[`${TASK}.pre.module.output_layer_bias`] = { data: new Float32Array(N + 1), shape: [N + 1] };
  return all;
}

const fold = (weights: Weights, reference: Record<string, unknown> = GPT2) =>
  importers.transformers4rec.fold!(weights, made(reference).config, N, 'w.st');

describe.each([
  ['GPT-2', GPT2],
  ['XLNet', XLNET],
])('a whole model on %s', (_, reference) => {
  test('is its language model, item table and mask under longer names', () => {
    const { weights } = made(reference);
    expect(fold(whole(weights), reference)).toEqual(weights);
    expect(fold(weights, reference)).toBe(weights);
  });

  test.each(['heads.0.body.0.projection_module.0.0', 'heads.0.body.1.0.0'])('may project items by %s', (projection) => {
    const { map, weights } = made({ ...reference, item_embedding_dim: 4 });
    const ours = toOurs(map, fold(whole(weights, projection), reference), 'w.st');
    const { data } = weights['input_projection.weight']!;
    expect(Array.from(ours['merge.w']!.data)).toEqual(
      Array.from({ length: 16 }, (_, i) => data[(i % 4) * 4 + Math.floor(i / 4)]!),
    );
    expect(ours['merge.b']!.data).toEqual(weights['input_projection.bias']!.data);
  });

  test('answers as the same tensors by their short names', async () => {
    const { weights } = made({ ...reference, item_embedding_dim: 4 });
    const itemIds = Array.from({ length: N }, (_, i) => `item ${i + 1}`);
    const names = { weights: 'w.st', config: 'config.json', items: 'items.json' };
    const golden = (weights: Weights) =>
      run(async (slice) => {
        await startFirst(slice, 'cpu', {});
        const given = { from: 'transformers4rec', reference: { ...reference, item_embedding_dim: 4 } };
        return (await importWeights({ ...given, weights, itemIds, names })).golden;
      });
    expect(await golden(whole(weights))).toEqual(await golden(weights));
  });
});

test('what a whole model has besides is refused by name', () => {
  const { weights } = made(GPT2);
  const table = weights.item_embedding!;
  const other = { ...table, data: table.data.map((x) => x + 1) } as NdArray;
  const category = 'heads.0.body.0.to_merge.categorical_module.embedding_tables.category.weight';
  expect(() => fold({ ...whole(weights), [category]: other })).toThrow(
    /w\.st: tensors ".*item_id\.weight" and ".*category\.weight" differ.*item id alone/,
  );
  expect(() => fold({ ...whole(weights), [`${TASK}.pre.module.output_weights`]: other })).toThrow('tied weights');
  const bias = `${TASK}.pre.module.output_layer_bias`;
  expect(() => fold({ ...whole(weights), [bias]: { data: new Float32Array(8).fill(0.1), shape: [8] } })).toThrow(
    `tensor "${bias}" is of a part that is not imported`,
  );
  expect(() => importers.transformers4rec.config({ ...GPT2, item_embedding_dim: 8 })).toThrow(
    '"item_embedding_dim" must be "d_model", 4, got 8',
  );
});
