/**
 * Weights of the PyTorch port, https://github.com/pmixer/SASRec.pytorch: today's code with `norm_first` true (our form
 * `pre`) or false (`post`), and that of 2020 (`tf` with an output projection and without a key mask).
 *
 *     item_emb.weight [n + 1, d]                  items, row 0 zero
 *     pos_emb.weight                              positions: [L + 1, d], row 0 zero; [L, d] in the code of 2020
 *     attention_layernorms.b, forward_layernorms.b, last_layernorm    norms: weight is the gain
 *     attention_layers.b.in_proj_weight [3d, d]   query, key and value, each transposed
 *     attention_layers.b.out_proj                 output, transposed
 *     forward_layers.b.conv1, conv2 [d, d, 1]     feed.inner, feed.outer, transposed
 */
import { bad, type Importer, ignored, translate } from './importer';
import { MapBuilder } from './map-builder';

interface Config {
  readonly hiddenUnits: number;
  readonly maxlen: number;
  readonly numBlocks: number;
  readonly norm: 'tf' | 'pre' | 'post';
}

const WHAT = 'sasrec configuration';

export const sasrec: Importer = {
  config(reference) {
    if (reference['norm_first'] === undefined) {
      throw bad(WHAT, '"norm_first" is missing: true for pre-norm, false for post-norm, null for the code of 2020.');
    }
    const imported = translate(WHAT, reference, {
      item_num: { items: true },
      hidden_units: 'hiddenUnits',
      maxlen: 'maxlen',
      num_blocks: 'numBlocks',
      num_heads: 'numHeads',
      norm_first: formOf,
      l2_emb: 'l2Emb',
      dropout: 'dropoutRate',
      dropout_rate: 'dropoutRate',
      layer_norm_eps: { fixed: 1e-8 },
      lr: 'lr',
      batch_size: 'batchSize',
      num_epochs: 'numEpochs',
      // Where its data and results are, and where to compute.
      ...ignored('user_num', 'dataset', 'train_dir', 'device', 'inference_only', 'state_dict_path'),
    });
    // The port's own defaults, where the configuration leaves them out; in 2020 they were those of the official code.
    const defaults = reference['norm_first'] === null ? {} : { maxlen: 200, dropoutRate: 0.2 };
    // The port knows one loss.
    return { ...imported, config: { ...defaults, ...imported.config, loss: 'bce', negatives: 1 } };
  },

  map(config, items) {
    const { hiddenUnits: d, maxlen, numBlocks, norm } = config as unknown as Config;
    const map = new MapBuilder();
    map.same('item_emb.weight', 'items', [items + 1, d]);
    map.same('pos_emb.weight', 'positions', [norm === 'tf' ? maxlen : maxlen + 1, d]);
    for (let b = 0; b < numBlocks; b++) {
      const attention = `blocks.${b}.attention`;
      map.norm(`attention_layernorms.${b}`, `${attention}.norm`, d);
      // PyTorch keeps the three below each other.
      ['query', 'key', 'value'].forEach((part, k) => {
        const [weight, bias] = [`attention_layers.${b}.in_proj_weight`, `attention_layers.${b}.in_proj_bias`];
        const block = { from: [k * d, 0], size: [d, d], transpose: true } as const;
        map.part(weight, [3 * d, d], `${attention}.${part}.w`, [d, d], block);
        map.part(bias, [3 * d], `${attention}.${part}.b`, [d], { from: [0, k * d], size: [1, d] });
      });
      map.linear(`attention_layers.${b}.out_proj`, `${attention}.output`, [d, d]);
      map.norm(`forward_layernorms.${b}`, `blocks.${b}.feed.norm`, d);
      map.linear(`forward_layers.${b}.conv1`, `blocks.${b}.feed.inner`, [d, d], [d, d, 1]);
      map.linear(`forward_layers.${b}.conv2`, `blocks.${b}.feed.outer`, [d, d], [d, d, 1]);
    }
    map.norm('last_layernorm', 'norm', d);
    return map.build(norm === 'tf' ? ['item_emb.weight'] : ['item_emb.weight', 'pos_emb.weight']);
  },
};

function formOf(normFirst: unknown): Record<string, string> {
  if (normFirst === null) return { norm: 'tf', outputProjection: 'true', maskPadding: 'false' };
  if (typeof normFirst === 'boolean') return { norm: normFirst ? 'pre' : 'post' };
  throw bad(WHAT, `"norm_first" must be true, false or null, got ${JSON.stringify(normFirst)}.`);
}
