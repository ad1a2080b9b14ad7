/**
 * Weights of the official PyTorch code of gSASRec, https://github.com/asash/gSASRec-pytorch: our SASRec in form `tf`
 * without √d.
 *
 *     item_embedding.weight [n + 2, d]      items; row 0 is not used, row n + 1 is padding
 *     output_embedding.weight [n + 2, d]    outputs, where embeddings are not reused
 *     position_embedding.weight [L, d]      positions
 *     transformer_blocks.b.first_norm, second_norm, seq_norm    norms: weight is the gain
 *     transformer_blocks.b.multihead_attention.query_proj, key_proj, val_proj    query, key and value, transposed
 *     transformer_blocks.b.dense1, dense2   feed.inner, feed.outer, transposed
 */
import { bad, type Importer, ignored, translate } from './importer';
import { MapBuilder } from './map-builder';

interface Config {
  readonly hiddenUnits: number;
  readonly maxlen: number;
  readonly numBlocks: number;
  readonly reuseItemEmbeddings: boolean;
}

const WHAT = 'gsasrec configuration';

export const gsasrec: Importer = {
  architecture: 'sasrec',
  config(reference) {
    const imported = translate(WHAT, reference, {
      num_items: { items: true },
      padding_id: { ignored: true }, // always n + 1, see below
      sequence_length: 'maxlen',
      embedding_dim: 'hiddenUnits',
      num_heads: 'numHeads',
      num_blocks: 'numBlocks',
      negs_per_pos: 'negatives',
      gbce_t: 'gbceT',
      reuse_item_embeddings: 'reuseItemEmbeddings',
      dropout: 'dropoutRate',
      dropout_rate: 'dropoutRate',
      layer_norm_eps: 'layerNormEps',
      train_batch_size: 'batchSize',
      max_epochs: 'numEpochs',
      // Its data, its evaluation, and when it stops.
      ...ignored(
        'dataset_name',
        'max_batches_per_epoch',
        'metrics',
        'val_metric',
        'early_stopping_patience',
        'filter_rated',
        'eval_batch_size',
        'recommendation_limit',
      ),
    });
    const padding = reference['padding_id'];
    const { items } = imported;
    if (padding !== undefined && items !== undefined && padding !== items + 1) {
      throw bad(WHAT, `"padding_id" must be num_items + 1 = ${items + 1}, got ${JSON.stringify(padding)}.`);
    }
    const code = { norm: 'tf', inputScale: 'none', layerNormEps: 1e-5, init: 'torch', loss: 'gbce', beta2: 0.999 };
    // The class's own defaults, where the configuration leaves them out.
    const defaults = { reuseItemEmbeddings: false, numHeads: 4, numBlocks: 3, hiddenUnits: 256, maxlen: 200 };
    return { ...imported, config: { ...code, ...defaults, ...imported.config } };
  },

  map(config, items) {
    const { hiddenUnits: d, maxlen, numBlocks, reuseItemEmbeddings } = config as unknown as Config;
    const map = new MapBuilder();
    const table = (their: string, our: string) => {
      map.part(their, [items + 2, d], our, [items + 1, d], { from: [1, 0], to: [1, 0], size: [items, d] });
      map.skipped(their, [0, items + 1]);
    };
    table('item_embedding.weight', 'items');
    if (!reuseItemEmbeddings) table('output_embedding.weight', 'outputs');
    map.same('position_embedding.weight', 'positions', [maxlen, d]);
    for (let b = 0; b < numBlocks; b++) {
      const block = `transformer_blocks.${b}`;
      map.norm(`${block}.first_norm`, `blocks.${b}.attention.norm`, d);
      for (const [their, our] of [
        ['query_proj', 'query'],
        ['key_proj', 'key'],
        ['val_proj', 'value'],
      ] as const) {
        map.linear(`${block}.multihead_attention.${their}`, `blocks.${b}.attention.${our}`, [d, d]);
      }
      map.norm(`${block}.second_norm`, `blocks.${b}.feed.norm`, d);
      map.linear(`${block}.dense1`, `blocks.${b}.feed.inner`, [d, d]);
      map.linear(`${block}.dense2`, `blocks.${b}.feed.outer`, [d, d]);
    }
    map.norm('seq_norm', 'norm', d);
    return map.build();
  },
};
