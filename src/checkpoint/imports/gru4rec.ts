/**
 * Weights of the official PyTorch code, https://github.com/hidasib/GRU4Rec_PyTorch_Official (state dict of its model).
 *
 *     Wy.weight [n, d]        items, below its padding row        By.weight [n, 1]   bias
 *     E.weight [n, k]         inputs, in separate mode
 *     G.i.weight_ih [3h, in]  gru.i.wx, transposed                G.i.weight_hh [3h, h]  gru.i.wh, transposed
 *     G.i.bias_ih, bias_hh    gru.i.bx, gru.i.bh                  gates: reset, update, candidate in both
 *     GE.Wx0.weight [n, 3h]   gru.0.items, in one-hot mode; theirs: candidate, reset, update
 *     GE.Wrz0, GE.Wh0         gru.0.wh: reset, update and candidate
 *     GE.Bh0 [3h]             gru.0.b; theirs: candidate, reset, update
 */
import { type Importer, ignored, translate } from './importer';
import { MapBuilder } from './map-builder';

interface Config {
  readonly layers: readonly number[];
  readonly embedding: number;
  readonly constrainedEmbedding: boolean;
}

export const gru4rec: Importer = {
  config: (reference) =>
    translate('gru4rec configuration', reference, {
      n_items: { items: true },
      layers: 'layers',
      loss: 'loss',
      final_act: 'finalAct',
      batch_size: 'batchSize',
      dropout: (value) => ({ dropoutPEmbed: value as number, dropoutPHidden: value as number }),
      dropout_p_embed: 'dropoutPEmbed',
      dropout_p_hidden: 'dropoutPHidden',
      learning_rate: 'learningRate',
      momentum: 'momentum',
      adagrad_eps: { fixed: 1e-6 },
      n_sample: 'nSample',
      sample_alpha: 'sampleAlpha',
      bpreg: 'bpreg',
      elu_param: 'eluParam',
      constrained_embedding: 'constrainedEmbedding',
      embedding: 'embedding',
      n_epochs: 'nEpochs',
      logq: 'logq',
      // The caller's own: variants of the loss; of a training its first weights, order of sessions, store of negatives and device.
      ...ignored('losses', 'compatibility_mode', 'time_sort', 'train_random_order', 'sample_cache_max_size', 'device'),
    }),

  map(config, items) {
    const { layers, embedding, constrainedEmbedding } = config as unknown as Config;
    const last = layers.at(-1)!;
    const map = new MapBuilder();
    const belowPadding = (their: string, our: string, width: number) =>
      map.part(their, [items, width], our, [items + 1, width], { to: [1, 0] });

    let width = constrainedEmbedding ? last : embedding === -1 ? layers[0]! : embedding;
    const oneHot = !constrainedEmbedding && embedding === 0;
    if (!constrainedEmbedding && !oneHot) belowPadding('E.weight', 'inputs', width);
    layers.forEach((h, i) => {
      if (i === 0 && oneHot) oneHotLayer(map, items, h);
      else {
        // Their list of cells lacks the one-hot layer.
        const cell = `G.${oneHot ? i - 1 : i}`;
        const layer = `gru.${i}`;
        map.transposed(`${cell}.weight_ih`, `${layer}.wx`, [width, 3 * h]);
        map.transposed(`${cell}.weight_hh`, `${layer}.wh`, [h, 3 * h]);
        map.same(`${cell}.bias_ih`, `${layer}.bx`, [3 * h]);
        map.same(`${cell}.bias_hh`, `${layer}.bh`, [3 * h]);
      }
      width = h;
    });
    belowPadding('Wy.weight', 'items', last);
    map.part('By.weight', [items, 1], 'bias', [items + 1], { to: [0, 1], transpose: true });
    return map.build();
  },
};

function oneHotLayer(map: MapBuilder, items: number, h: number): void {
  // Theirs: candidate, reset, update. Ours: reset, update, candidate.
  for (const [their, theirs, our, ours, rows, top] of [
    ['GE.Wx0.weight', [items, 3 * h], 'gru.0.items', [items + 1, 3 * h], items, 1],
    ['GE.Bh0', [3 * h], 'gru.0.b', [3 * h], 1, 0],
  ] as const) {
    map.part(their, theirs, our, ours, { from: [0, h], to: [top, 0], size: [rows, 2 * h] });
    map.part(their, theirs, our, ours, { to: [top, 2 * h], size: [rows, h] });
  }
  map.part('GE.Wrz0', [h, 2 * h], 'gru.0.wh', [h, 3 * h]);
  map.part('GE.Wh0', [h, h], 'gru.0.wh', [h, 3 * h], { to: [0, 2 * h] });
}
