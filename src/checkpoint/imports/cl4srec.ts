/**
 * Weights of the PyTorch code of CoSeRec, https://github.com/YChen1993/CoSeRec: our CL4SRec with `encoder: 'coserec'`.
 *
 *     item_embeddings.weight [n + 2, d]     items; row 0 is padding, row n + 1 the mask token
 *     position_embeddings.weight [L, d]     positions
 *     LayerNorm                             norm, of the embedded clicks: weight is the gain
 *     item_encoder.layer.b.attention.query, key, value, dense    query, key, value and output, transposed
 *     item_encoder.layer.b.attention.LayerNorm, intermediate.LayerNorm    norms of attention and feed-forward
 *     item_encoder.layer.b.intermediate.dense_1 [4d, d], dense_2 [d, 4d]    feed.inner, feed.outer, transposed
 */
import { bad, type Importer, ignored, translate } from './importer';
import { MapBuilder } from './map-builder';

interface Config {
  readonly hiddenUnits: number;
  readonly maxlen: number;
  readonly numBlocks: number;
}

const WHAT = 'cl4srec configuration';

export const cl4srec: Importer = {
  config(reference) {
    const { items: size, config } = translate(WHAT, reference, {
      item_size: { items: true },
      mask_id: { ignored: true }, // always item_size − 1, see below
      hidden_size: 'hiddenUnits',
      max_seq_length: 'maxlen',
      num_hidden_layers: 'numBlocks',
      num_attention_heads: 'numHeads',
      // Its name for x σ(x) is the older one.
      hidden_act: (value) => ({ activation: value === 'swish' ? 'silu' : (value as string) }),
      temperature: 'tau',
      rec_weight: 'recWeight',
      cf_weight: 'lambda',
      tao: 'cropRatio',
      gamma: 'maskRatio',
      beta: 'reorderRatio',
      layer_norm_eps: 'layerNormEps',
      dropout: 'dropoutRate',
      hidden_dropout_prob: 'dropoutRate',
      attention_probs_dropout_prob: { ignored: true }, // see below
      initializer_range: 'initStd',
      lr: 'lr',
      batch_size: 'batchSize',
      epochs: 'numEpochs',
      weight_decay: (value) => ({ weightDecay: value as number, decay: 'coupled' }),
      adam_beta1: { fixed: 0.9 },
      adam_beta2: 'beta2',
      // Its data and results, where to compute, and augmentations that are CoSeRec's own.
      ...ignored(...OWN),
    });
    const { mask_id: mask, hidden_dropout_prob: dropout, attention_probs_dropout_prob: ofAttention } = reference;
    if (ofAttention !== undefined && ofAttention !== (dropout ?? 0.5)) {
      const got = JSON.stringify(ofAttention);
      throw bad(WHAT, `"attention_probs_dropout_prob" must be that of hidden_dropout_prob, the only rate, got ${got}.`);
    }
    if (size !== undefined && size < 3) {
      throw bad(WHAT, `"item_size" counts padding and the mask token, so it must be at least 3, got ${size}.`);
    }
    if (mask !== undefined && size !== undefined && mask !== size - 1) {
      throw bad(WHAT, `"mask_id" must be item_size - 1 = ${size - 1}, got ${JSON.stringify(mask)}.`);
    }
    const code = {
      encoder: 'coserec',
      layerNormEps: 1e-12,
      loss: 'bce',
      negatives: 1,
      similarity: 'dot',
      beta2: 0.999,
    };
    // The code's own defaults, where the configuration leaves them out.
    const sizes = { hiddenUnits: 64, maxlen: 50, numBlocks: 2, numHeads: 2, dropoutRate: 0.5 };
    const views = { cropRatio: 0.2, maskRatio: 0.7, reorderRatio: 0.2 };
    const defaults = { ...sizes, ...views, batchSize: 256, numEpochs: 300 };
    return { ...(size !== undefined && { items: size - 2 }), config: { ...code, ...defaults, ...config } };
  },

  map(config, items) {
    const { hiddenUnits: d, maxlen, numBlocks } = config as unknown as Config;
    const map = new MapBuilder();
    map.same('item_embeddings.weight', 'items', [items + 2, d]);
    map.same('position_embeddings.weight', 'positions', [maxlen, d]);
    map.norm('LayerNorm', 'norm', d);
    for (let b = 0; b < numBlocks; b++) {
      const [theirs, ours] = [`item_encoder.layer.${b}`, `blocks.${b}`];
      for (const part of ['query', 'key', 'value']) {
        map.linear(`${theirs}.attention.${part}`, `${ours}.attention.${part}`, [d, d]);
      }
      map.linear(`${theirs}.attention.dense`, `${ours}.attention.output`, [d, d]);
      map.norm(`${theirs}.attention.LayerNorm`, `${ours}.attention.norm`, d);
      map.linear(`${theirs}.intermediate.dense_1`, `${ours}.feed.inner`, [d, 4 * d]);
      map.linear(`${theirs}.intermediate.dense_2`, `${ours}.feed.outer`, [4 * d, d]);
      map.norm(`${theirs}.intermediate.LayerNorm`, `${ours}.feed.norm`, d);
    }
    return map.build();
  },
};

const OWN = [
  'data_dir',
  'output_dir',
  'data_name',
  'do_eval',
  'model_idx',
  'gpu_id',
  'no_cuda',
  'log_freq',
  'seed',
  'model_name',
  'noise_ratio',
  'training_data_ratio',
  'augment_threshold',
  'similarity_model_name',
  'augmentation_warm_up_epoches',
  'base_augment_type',
  'augment_type_for_short',
  'substitute_rate',
  'insert_rate',
  'max_insert_num_per_pos',
  'n_views',
] as const;
