/**
 * Weights of RecBole, https://github.com/RUCAIBox/RecBole (`recbole/model/sequential_recommender`), as its trainer stores them under
 * `state_dict`. Of its models these two compute what ours do. Its SASRec is a BERT encoder that reads from left to right, and its Caser
 * scores by the input table after a second ReLU: neither is the architecture of that name here.
 *
 * Item indices count padding as 0 in both tables.
 */
import type { NdArray } from '../../types';
import { verifyParameters } from '../verify-parameters';
import { gru4rec as official } from './gru4rec';
import { bad, type ConfigValue, type Importer, ignored, translate } from './importer';
import { MapBuilder } from './map-builder';
import { srgnnMap } from './srgnn';

/** Of its data, its search for the best epoch, and where it computes: nothing that a model is made of. */
const ITS_OWN = ignored(
  'model',
  'dataset',
  'data_path',
  'seed',
  'device',
  'use_gpu',
  'eval_batch_size',
  'stopping_step',
  'train_neg_sample_args',
);

interface GruConfig {
  readonly layers: readonly number[];
  readonly embedding: number;
}

/**
 * GRU4Rec. It has a linear layer after the last state h and scores by its input table E: multiplied out, an output table and a bias.
 *
 *     item_embedding.weight E [n + 1, e]                       E
 *     gru_layers.weight_ih_li, weight_hh_li                    G.i.weight_ih, G.i.weight_hh, without biases
 *     dense.weight D [e, h], dense.bias c [e]                  E (D h + c) = (E D) h + E c:  Wy = E D, By = E c
 */
export const recboleGru4rec: Importer = {
  architecture: 'gru4rec',
  config(reference) {
    const what = 'recbole-gru4rec configuration';
    const { num_layers: count = 1, hidden_size: width, loss_type: loss = 'CE', ...rest } = reference;
    if (!Number.isSafeInteger(width)) throw bad(what, '"hidden_size" is missing: the width of the GRU.');
    if (!Number.isSafeInteger(count))
      throw bad(what, `"num_layers" must be a whole number, got ${JSON.stringify(count)}.`);
    if (loss !== 'CE' && loss !== 'BPR') throw bad(what, `"loss_type" must be CE or BPR, got ${JSON.stringify(loss)}.`);
    const imported = translate(what, rest, {
      n_items: { items: true, withPadding: true },
      embedding_size: 'embedding',
      dropout_prob: 'dropoutPEmbed',
      learning_rate: 'learningRate',
      train_batch_size: 'batchSize',
      epochs: 'nEpochs',
      // Ours carries the state on, however long the session is.
      MAX_ITEM_LIST_LENGTH: { ignored: true },
      ...ITS_OWN,
    });
    const config: Record<string, ConfigValue> = {
      embedding: 64, // RecBole's own, where the configuration leaves it out
      ...imported.config,
      layers: Array<number>(count as number).fill(width as number),
      constrainedEmbedding: false,
      loss: loss === 'CE' ? 'cross-entropy' : 'bpr',
      finalAct: 'linear',
    };
    return { ...imported, config };
  },
  map: official.map,
  fold(weights, given, items, what) {
    const { layers, embedding: e } = given as unknown as GruConfig;
    const h = layers.at(-1)!;
    const shapes: Record<string, { readonly shape: readonly number[] }> = {
      'item_embedding.weight': { shape: [items + 1, e] },
      'dense.weight': { shape: [e, h] },
      'dense.bias': { shape: [e] },
    };
    const cells: Record<string, NdArray> = {};
    layers.forEach((width, i) => {
      const before = i === 0 ? e : layers[i - 1]!;
      shapes[`gru_layers.weight_ih_l${i}`] = { shape: [3 * width, before] };
      shapes[`gru_layers.weight_hh_l${i}`] = { shape: [3 * width, width] };
      for (const side of ['ih', 'hh']) {
        cells[`G.${i}.weight_${side}`] = weights[`gru_layers.weight_${side}_l${i}`]!;
        cells[`G.${i}.bias_${side}`] = { data: new Float32Array(3 * width), shape: [3 * width] };
      }
    });
    verifyParameters(weights, shapes, what);
    const table = weights['item_embedding.weight']!.data.subarray(e);
    const [dense, bias] = [weights['dense.weight']!.data, weights['dense.bias']!.data];
    return {
      ...cells,
      'E.weight': { data: Float32Array.from(table), shape: [items, e] },
      'Wy.weight': { data: product(table, dense, items, e, h), shape: [items, h] },
      'By.weight': { data: product(table, bias, items, e, 1), shape: [items, 1] },
    };
  },
};

/** `[rows, inner] × [inner, columns]`, summed in 64 bits. */
function product(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  rows: number,
  inner: number,
  columns: number,
): Float32Array {
  const out = new Float32Array(rows * columns);
  const sums = new Float64Array(columns);
  for (let r = 0; r < rows; r++) {
    sums.fill(0);
    for (let k = 0; k < inner; k++) {
      const left = a[r * inner + k]!;
      for (let c = 0; c < columns; c++) sums[c]! += left * b[k * columns + c]!;
    }
    out.set(sums, r * columns);
  }
  return out;
}

/**
 * SR-GNN: the official code's tensors except three names, and a gate that is written the other way round:
 *
 *     official  h′ = (1 − z) c + z h      RecBole  h′ = (1 − z) h + z c
 */
export const recboleSrgnn: Importer = {
  architecture: 'srgnn',
  config(reference) {
    const what = 'recbole-srgnn configuration';
    const { loss_type: loss = 'CE', ...rest } = reference;
    if (loss !== 'CE')
      throw bad(what, `"loss_type" must be CE, got ${JSON.stringify(loss)}: ours does not learn by another.`);
    const imported = translate(what, rest, {
      n_items: { items: true, withPadding: true },
      embedding_size: 'hiddenSize',
      step: 'step',
      MAX_ITEM_LIST_LENGTH: 'maxlen',
      learning_rate: 'lr',
      train_batch_size: 'batchSize',
      epochs: 'epoch',
      ...ITS_OWN,
    });
    return { ...imported, config: { hiddenSize: 64, ...imported.config } };
  },
  map(config, items) {
    const map = new MapBuilder();
    srgnnMap(map, config, items, { table: 'item_embedding.weight', outBias: 'gnn.b_ioh', isGateReversed: true });
    return map.build();
  },
};
