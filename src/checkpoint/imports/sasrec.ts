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
import { bad, type Importer, translate } from './importer';
import type { Block, NameMap } from './name-map';

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
      user_num: { ignored: true },
      dataset: { ignored: true },
      train_dir: { ignored: true },
      device: { ignored: true },
      inference_only: { ignored: true },
      state_dict_path: { ignored: true },
    });
    // The port knows one loss.
    return { ...imported, config: { ...imported.config, loss: 'bce', negatives: 1 } };
  },

  map(config, items) {
    const { hiddenUnits: d, maxlen, numBlocks, norm } = config as unknown as Config;
    const theirs: Record<string, readonly number[]> = {};
    const ours: Record<string, readonly number[]> = {};
    const blocks: Block[] = [];
    const same = (their: string, our: string, shape: readonly number[]) => {
      theirs[their] = ours[our] = shape;
      blocks.push({ theirs: their, ours: our });
    };
    const norms = (their: string, our: string) => {
      same(`${their}.weight`, `${our}.gain`, [d]);
      same(`${their}.bias`, `${our}.bias`, [d]);
    };
    const linear = (their: string, our: string, shape: readonly number[]) => {
      theirs[`${their}.weight`] = shape;
      ours[`${our}.w`] = [d, d];
      blocks.push({ theirs: `${their}.weight`, ours: `${our}.w`, transpose: true });
      same(`${their}.bias`, `${our}.b`, [d]);
    };

    same('item_emb.weight', 'items', [items + 1, d]);
    same('pos_emb.weight', 'positions', [norm === 'tf' ? maxlen : maxlen + 1, d]);
    for (let b = 0; b < numBlocks; b++) {
      const attention = `blocks.${b}.attention`;
      norms(`attention_layernorms.${b}`, `${attention}.norm`);
      const weight = `attention_layers.${b}.in_proj_weight`;
      const bias = `attention_layers.${b}.in_proj_bias`;
      theirs[weight] = [3 * d, d];
      theirs[bias] = [3 * d];
      ['query', 'key', 'value'].forEach((part, k) => {
        ours[`${attention}.${part}.w`] = [d, d];
        ours[`${attention}.${part}.b`] = [d];
        const size = [d, d] as const;
        blocks.push({ theirs: weight, ours: `${attention}.${part}.w`, from: [k * d, 0], size, transpose: true });
        blocks.push({ theirs: bias, ours: `${attention}.${part}.b`, from: [0, k * d], size: [1, d] });
      });
      linear(`attention_layers.${b}.out_proj`, `${attention}.output`, [d, d]);
      norms(`forward_layernorms.${b}`, `blocks.${b}.feed.norm`);
      linear(`forward_layers.${b}.conv1`, `blocks.${b}.feed.inner`, [d, d, 1]);
      linear(`forward_layers.${b}.conv2`, `blocks.${b}.feed.outer`, [d, d, 1]);
    }
    norms('last_layernorm', 'norm');
    const zeroRows = norm === 'tf' ? ['item_emb.weight'] : ['item_emb.weight', 'pos_emb.weight'];
    return { theirs, ours, blocks, zeroRows } satisfies NameMap;
  },
};

function formOf(normFirst: unknown): Record<string, string> {
  if (normFirst === null) return { norm: 'tf', outputProjection: 'true', maskPadding: 'false' };
  if (typeof normFirst === 'boolean') return { norm: normFirst ? 'pre' : 'post' };
  throw bad(WHAT, `"norm_first" must be true, false or null, got ${JSON.stringify(normFirst)}.`);
}
