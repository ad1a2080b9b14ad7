/** What gSASRec's golden files ask for, computed by the product. */
import { dispose, reshape, slice, type Tensor, type Tensor2D, tidy } from '@tensorflow/tfjs';
import type { Run } from '../../../src/models/model';
import { sasrec, sasrecHidden } from '../../../src/models/sasrec';
import { sasrecTraining } from '../../../src/models/sasrec-training';
import { upload } from '../../../src/models/tensors';
import { catalogueScores } from '../../../src/nn/scores';
import { sequences } from '../../../src/objectives/examples';
import { topK } from '../../../src/ranking/top-k';
import { logOf } from '../../train/helpers';
import { drawing, INFERENCE, lossAndGradients } from '../through-training';
import type { Computed, GoldenFile } from './compare';
import { importers } from './importers';
import { imported } from './weights';

export async function gsasrecGolden(file: GoldenFile): Promise<Computed> {
  const { config, catalogue, load, entries } = imported(file, importers.gsasrec, sasrec);
  const padding = catalogue.items + 1;
  const params = load('weights/');
  const computed: Record<string, ArrayLike<number>> = {};
  const rowsOf = (name: string): Int32Array[] => {
    const { data, shape } = file.tensors[name]!;
    const width = shape[1]!;
    return Array.from({ length: shape[0]! }, (_, b) => (data as Int32Array).subarray(b * width, (b + 1) * width));
  };
  const real = (row: Int32Array) => ({ items: row.filter((item) => item !== padding) });

  /** Vectors `[B, L, d]` and attention `[B, heads, L, L]` of padded rows. */
  const forward = async (rows: readonly Int32Array[]) => {
    const length = rows[0]!.length;
    // One session of full length keeps the product from making the batch as narrow as its longest session.
    const full = { items: new Int32Array(length).fill(1) };
    const prepared = sasrec.prepare([...rows.map(real), full], config, catalogue);
    const attention: Tensor[] = [];
    const run: Run = {
      dropout(x) {
        if (x.shape.length === 4) attention.push(slice(x, 0, rows.length));
        return x;
      },
    };
    const [hidden, ...weights] = tidy(() => {
      const vectors = sasrecHidden(params, upload(prepared), config, run, false);
      const all = reshape(vectors, [rows.length + 1, length, -1]);
      return [slice(all, 0, rows.length), ...attention] as Tensor[];
    });
    const results = await Promise.all([hidden!, ...weights].map(async (x) => (await x.data()).slice()));
    dispose([hidden!, ...weights]);
    // Rows of padding queries are zero there. The product leaves them as they come, and zeroes what follows from them.
    const seen = results.slice(1).map((data) => data.map((x, i) => (isReal(i) ? x : 0)));
    function isReal(i: number): boolean {
      const query = Math.floor(i / length);
      const session = Math.floor(query / length / config.numHeads);
      return rows[session]![query % length] !== padding;
    }
    return { hidden: results[0]!, attention: seen };
  };

  const asked = rowsOf('inputs/predict_input');
  const predicted = await forward(asked);
  computed['outputs/hidden'] = predicted.hidden;
  predicted.attention.forEach((data, b) => {
    computed[`outputs/attention_${b}`] = data;
  });
  Object.assign(computed, await scores(asked));

  const positives = rowsOf('inputs/positives');
  const seen = positives.map((row) => row.subarray(0, -1));
  computed['outputs/train_hidden'] = (await forward(seen)).hidden;

  const { data: drawn, shape } = file.tensors['inputs/negatives']!;
  const [, columns, count] = shape as [number, number, number];
  const negatives = seen.flatMap((row, b) => {
    const first = b * columns + columns - real(row).items.length;
    return Array.from(drawn.subarray(first * count, (b + 1) * columns * count));
  });
  const log = { sessions: logOf(positives.map((row) => Array.from(real(row).items))), catalogue, first: 0 };
  const step = sasrecTraining.batch(sequences(log, config.maxlen), log, config, drawing(negatives));
  const { loss, gradients } = lossAndGradients(sasrecTraining, params, step, config, catalogue);
  computed['loss/gbce'] = (await loss.data()).slice();
  Object.assign(computed, await entries('grads/', gradients));
  dispose([loss, ...Object.values(gradients), ...Object.values(params)]);
  return computed;

  /** Scores of all ids, and the best items. */
  async function scores(rows: readonly Int32Array[]): Promise<Record<string, ArrayLike<number>>> {
    const [vectors, ofItems] = tidy(() => {
      const prepared = sasrec.prepare(rows.map(real), config, catalogue);
      const c = sasrec.encode(params, upload(prepared), config, INFERENCE);
      return [c, catalogueScores(c, sasrec.outputs(params, config), catalogue.items)] as [Tensor2D, Tensor2D];
    });
    const [c, items] = (await Promise.all([vectors.data(), ofItems.data()])) as [Float32Array, Float32Array];
    dispose([vectors, ofItems]);
    // The reference scores padding and its unused row too, from rows that the product has no place for.
    const theirs = config.reuseItemEmbeddings ? 'item_embedding' : 'output_embedding';
    const { data: table } = file.tensors[`weights/${theirs}.weight`]!;
    const d = config.hiddenUnits;
    const n = catalogue.items;
    const all = rows.flatMap((_, b) => {
      const row = (id: number) => {
        let score = 0;
        for (let j = 0; j < d; j++) score += c[b * d + j]! * table[id * d + j]!;
        return score;
      };
      return [row(0), ...items.subarray(b * n, (b + 1) * n), row(padding)];
    });
    const k = file.tensors['outputs/top10_ids']!.shape[1]!;
    const best = rows.map((_, b) => topK(items.subarray(b * n, (b + 1) * n), k));
    return {
      'outputs/all_item_scores': all,
      'outputs/top10_ids': best.flatMap((top) => top.map(({ index }) => index)),
      'outputs/top10_scores': best.flatMap((top) => top.map(({ score }) => score)),
    };
  }
}
