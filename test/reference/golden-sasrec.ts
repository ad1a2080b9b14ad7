/** The reference tensors of pmixer's SASRec as this project's parameters. */
import { readFileSync } from 'node:fs';
import { decodeSafetensors } from '../../src/checkpoint/decode-safetensors';
import type { SasrecConfig } from '../../src/models/sasrec';
import type { NdArray } from '../../src/types';

export interface GoldenSasrec {
  readonly config: Partial<SasrecConfig>;
  readonly itemCount: number;
  /** Inputs, outputs and losses by their names in the file. */
  readonly tensors: Record<string, NdArray>;
  readonly weights: Record<string, NdArray<Float32Array>>;
  readonly grads: Record<string, NdArray<Float32Array>>;
}

export function readGoldenSasrec(path: string): GoldenSasrec {
  const { tensors, metadata } = decodeSafetensors(readFileSync(path), path);
  const config = JSON.parse((metadata as Record<string, string>).config!);
  const { item_num, hidden_units, maxlen, num_blocks, num_heads, norm_first, l2_emb, dropout } = config;
  return {
    config: {
      hiddenUnits: hidden_units,
      maxlen,
      numBlocks: num_blocks,
      numHeads: num_heads,
      l2Emb: l2_emb,
      dropoutRate: dropout,
      // The port of 2020 has no such switch: its blocks are the TensorFlow code's, with PyTorch's projection.
      ...(norm_first === null
        ? { norm: 'tf', outputProjection: 'true', maskPadding: 'false' }
        : { norm: norm_first ? 'pre' : 'post' }),
    },
    itemCount: item_num,
    tensors,
    weights: named(tensors, 'weights/', num_blocks),
    grads: named(tensors, 'grads/', num_blocks),
  };
}

function named(
  tensors: Record<string, NdArray>,
  prefix: string,
  blocks: number,
): Record<string, NdArray<Float32Array>> {
  const get = (name: string) => tensors[prefix + name] as NdArray<Float32Array>;
  /** PyTorch keeps a linear map as [out, in]. */
  const transposed = ({ data, shape: [rows, columns] }: NdArray<Float32Array>): NdArray<Float32Array> => ({
    data: Float32Array.from(data, (_, k) => data[(k % rows!) * columns! + Math.floor(k / rows!)]!),
    shape: [columns!, rows!],
  });
  const d = get('last_layernorm.weight').shape[0]!;
  const third = ({ data, shape }: NdArray<Float32Array>, part: number): NdArray<Float32Array> => {
    const size = data.length / 3;
    return { data: data.slice(part * size, (part + 1) * size), shape: [d, ...shape.slice(1)] };
  };
  const result: Record<string, NdArray<Float32Array>> = {
    items: get('item_emb.weight'),
    positions: get('pos_emb.weight'),
    'norm.gain': get('last_layernorm.weight'),
    'norm.bias': get('last_layernorm.bias'),
  };
  for (let b = 0; b < blocks; b++) {
    const norms = { attention: 'attention_layernorms', feed: 'forward_layernorms' };
    for (const [ours, theirs] of Object.entries(norms)) {
      result[`blocks.${b}.${ours}.norm.gain`] = get(`${theirs}.${b}.weight`);
      result[`blocks.${b}.${ours}.norm.bias`] = get(`${theirs}.${b}.bias`);
    }
    ['query', 'key', 'value'].forEach((part, i) => {
      result[`blocks.${b}.attention.${part}.w`] = transposed(third(get(`attention_layers.${b}.in_proj_weight`), i));
      result[`blocks.${b}.attention.${part}.b`] = third(get(`attention_layers.${b}.in_proj_bias`), i);
    });
    result[`blocks.${b}.attention.output.w`] = transposed(get(`attention_layers.${b}.out_proj.weight`));
    result[`blocks.${b}.attention.output.b`] = get(`attention_layers.${b}.out_proj.bias`);
    ['inner', 'outer'].forEach((part, i) => {
      const { data } = get(`forward_layers.${b}.conv${i + 1}.weight`);
      result[`blocks.${b}.feed.${part}.w`] = transposed({ data, shape: [d, d] });
      result[`blocks.${b}.feed.${part}.b`] = get(`forward_layers.${b}.conv${i + 1}.bias`);
    });
  }
  return result;
}
