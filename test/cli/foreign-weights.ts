/** Small weights of the reference implementations, as they write them. */
import { importers } from '../../src/checkpoint/imports';
import type { Importer } from '../../src/checkpoint/imports/importer';
import { configure } from '../../src/models/configuration';
import { random } from '../../src/session/random';
import type { NdArray } from '../../src/types';
import { allModels } from '../models/all-models';

/** Small configurations in the references' own words, each with seven items. */
export const REFERENCES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  gru4rec: { n_items: 7, layers: [4], embedding: 0, constrained_embedding: true },
  sasrec: { item_num: 7, hidden_units: 4, maxlen: 5, num_blocks: 1, num_heads: 1, norm_first: true },
  gsasrec: {
    num_items: 7,
    padding_id: 8,
    sequence_length: 5,
    embedding_dim: 4,
    num_heads: 2,
    num_blocks: 1,
    negs_per_pos: 2,
    gbce_t: 0.5,
  },
  cl4srec: {
    item_size: 9,
    mask_id: 8,
    hidden_size: 4,
    max_seq_length: 5,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    hidden_act: 'gelu',
    temperature: 0.5,
    cf_weight: 0.2,
  },
  srgnn: { n_node: 8, hiddenSize: 4, step: 1, nonhybrid: true },
  caser: { num_items: 8, num_users: 2, d: 4, L: 3, nh: 2, nv: 2 },
  'recbole-srgnn': { n_items: 8, embedding_size: 4, step: 1, loss_type: 'CE' },
  transformers4rec: {
    arch: 'xlnet',
    masking: 'MaskedLanguageModeling',
    n_items: 7,
    d_model: 4,
    n_head: 2,
    n_layer: 1,
    total_seq_length: 5,
    build_kwargs: {},
  },
};
const models = await allModels();
export const architectureOf = (from: string): string =>
  (importers[from as keyof typeof importers] as Importer | undefined)?.architecture ?? from;
export const IDS = ['a', 'b,c', '"d"', 'e', '🧦', '__proto__', 'g'];

export function mapOf(from: string) {
  const importer = importers[from as keyof typeof importers];
  const { config: given } = importer.config(REFERENCES[from]!);
  const config = configure(models[architectureOf(from)]!, given) as Record<string, unknown>;
  return { map: importer.map(config, IDS.length) };
}

/** Random weights by the reference's names. */
export function weightsOf(from: string): Record<string, NdArray> {
  const { map } = mapOf(from);
  const { normal } = random(1, from);
  const tensors = Object.entries(map.theirs).map(([name, shape]) => {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 0.5 * normal());
    if (map.zeroRows?.includes(name)) data.fill(0, 0, shape[1]);
    for (const row of map.skippedRows?.[name] ?? []) data.fill(0, row * shape[1]!, (row + 1) * shape[1]!);
    return [name, { data, shape }] as const;
  });
  return Object.fromEntries(tensors);
}
