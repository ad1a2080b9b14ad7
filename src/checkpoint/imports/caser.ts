/**
 * Weights of the first author's PyTorch code, https://github.com/graytowne/caser_pytorch, whose items count the padding.
 *
 *     user_embeddings.weight [users, d]               users
 *     item_embeddings.weight [n + 1, d]               items
 *     conv_v.weight [nv, 1, L, 1], conv_v.bias        vertical, transposed
 *     conv_h.i.weight [nh, 1, i + 1, d], conv_h.i.bias    horizontal.(i + 1), transposed
 *     fc1.weight [d, nv · d + nh · L], fc1.bias       hidden, transposed
 *     W2.weight [n + 1, 2d], b2.weight [n + 1, 1]     outputs, bias
 */
import { bad, count, type Importer, ignored, translate } from './importer';
import { MapBuilder } from './map-builder';

interface Config {
  readonly d: number;
  readonly L: number;
  readonly nv: number;
  readonly nh: number;
  readonly users: number;
}

const WHAT = 'caser configuration';

export const caser: Importer = {
  config(reference) {
    if (reference['num_users'] === undefined) throw bad(WHAT, '"num_users" is missing: the rows of its user table.');
    const imported = translate(WHAT, reference, {
      num_items: { items: true, withPadding: true },
      num_users: (value) => ({ users: count(WHAT, 'num_users', value) }),
      d: 'd',
      L: 'L',
      T: 'T',
      nv: 'nv',
      nh: 'nh',
      drop: 'drop',
      dropout: 'drop',
      ac_conv: 'acConv',
      ac_fc: 'acFc',
      neg_samples: 'negSamples',
      batch_size: 'batchSize',
      learning_rate: 'learningRate',
      l2: 'l2',
      n_iter: 'nIter',
      // Its data, where and from which seed it computes, and what a caller did with its users.
      ...ignored('train_root', 'test_root', 'seed', 'use_cuda', 'user_embeddings_all_zero'),
    });
    return { ...imported, config: { ...imported.config, profile: 'user', padding: 'trained' } };
  },

  map(config, items) {
    const { d, L, nv, nh, users } = config as unknown as Config;
    const map = new MapBuilder();
    map.same('item_embeddings.weight', 'items', [items + 1, d]);
    map.linear('conv_v', 'vertical', [L, nv], [nv, 1, L, 1]);
    for (let h = 1; h <= L; h++) map.linear(`conv_h.${h - 1}`, `horizontal.${h}`, [h * d, nh], [nh, 1, h, d]);
    map.linear('fc1', 'hidden', [nv * d + nh * L, d]);
    map.same('user_embeddings.weight', 'users', [users, d]);
    map.same('W2.weight', 'outputs', [items + 1, 2 * d]);
    map.part('b2.weight', [items + 1, 1], 'bias', [items + 1], { transpose: true });
    return map.build();
  },
};
