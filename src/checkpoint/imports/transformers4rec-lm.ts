/** How Hugging Face's language models lie in ours. PyTorch keeps a linear layer as `[out, in]`, we as `[in, out]`. */
import type { MapBuilder } from './map-builder';

/** What the map depends on. */
export interface Config {
  readonly lm: string;
  readonly objective: string;
  readonly dModel: number;
  readonly nLayer: number;
  readonly nHead: number;
  readonly dHead: number;
  readonly dInner: number;
  readonly totalSeqLength: number;
}

const PROJECTIONS = ['query', 'key', 'value'] as const;

type Part = (map: MapBuilder, config: Config, prefix: string) => void;

/** @param prefix Of all names of theirs. */
export function languageModelMap(map: MapBuilder, config: Config, prefix: string): void {
  const parts: Readonly<Record<string, Part>> = { gpt2, 'transformer-xl': transformerXl, xlnet };
  (parts[config.lm] ?? encoder)(map, config, prefix);
}

/** `Conv1D` layers, which are `[in, out]` there too; `c_attn` holds query, key and value side by side. */
function gpt2(map: MapBuilder, { dModel: d, nLayer, dInner, totalSeqLength }: Config, prefix: string): void {
  map.unused(`${prefix}wte.weight`, [1, d]);
  map.same(`${prefix}wpe.weight`, 'lm.positions', [totalSeqLength, d]);
  for (let l = 0; l < nLayer; l++) {
    const theirs = `${prefix}h.${l}`;
    const ours = `lm.layers.${l}`;
    const conv = (their: string, our: string, rows: number, columns: number) => {
      map.same(`${theirs}.${their}.weight`, `${ours}.${our}.w`, [rows, columns]);
      map.same(`${theirs}.${their}.bias`, `${ours}.${our}.b`, [columns]);
    };
    map.norm(`${theirs}.ln_1`, `${ours}.attention.norm`, d);
    PROJECTIONS.forEach((name, k) => {
      const [w, b] = [`${ours}.attention.${name}.w`, `${ours}.attention.${name}.b`];
      map.part(`${theirs}.attn.c_attn.weight`, [d, 3 * d], w, [d, d], { from: [0, k * d], size: [d, d] });
      map.part(`${theirs}.attn.c_attn.bias`, [3 * d], b, [d], { from: [0, k * d], size: [1, d] });
    });
    conv('attn.c_proj', 'attention.output', d, d);
    map.norm(`${theirs}.ln_2`, `${ours}.feed.norm`, d);
    conv('mlp.c_fc', 'feed.inner', d, dInner);
    conv('mlp.c_proj', 'feed.outer', dInner, d);
  }
  map.norm(`${prefix}ln_f`, 'lm.norm', d);
}

/** BERT and ELECTRA: of the two segments only the first is ever read; BERT's pooler is not. */
function encoder(map: MapBuilder, config: Config, prefix: string): void {
  const { lm, dModel: d, nLayer, dInner, totalSeqLength } = config;
  const embeddings = `${prefix}embeddings`;
  map.unused(`${embeddings}.word_embeddings.weight`, [1, d]);
  map.same(`${embeddings}.position_embeddings.weight`, 'lm.positions', [totalSeqLength + 2, d]);
  map.part(`${embeddings}.token_type_embeddings.weight`, [2, d], 'lm.segment', [d], { size: [1, d] });
  map.skipped(`${embeddings}.token_type_embeddings.weight`, [1]);
  map.norm(`${embeddings}.LayerNorm`, 'lm.norm', d);
  for (let l = 0; l < nLayer; l++) {
    const theirs = `${prefix}encoder.layer.${l}`;
    const ours = `lm.layers.${l}`;
    for (const name of PROJECTIONS) map.linear(`${theirs}.attention.self.${name}`, `${ours}.attention.${name}`, [d, d]);
    map.linear(`${theirs}.attention.output.dense`, `${ours}.attention.output`, [d, d]);
    map.norm(`${theirs}.attention.output.LayerNorm`, `${ours}.attention.norm`, d);
    map.linear(`${theirs}.intermediate.dense`, `${ours}.feed.inner`, [d, dInner]);
    map.linear(`${theirs}.output.dense`, `${ours}.feed.outer`, [dInner, d]);
    map.norm(`${theirs}.output.LayerNorm`, `${ours}.feed.norm`, d);
  }
  if (lm === 'bert') {
    map.unused(`${prefix}pooler.dense.weight`, [d, d]);
    map.unused(`${prefix}pooler.dense.bias`, [d]);
  }
}

/** `qkv_net` holds query, key and value below one another; `inv_freq` follows from the width. */
function transformerXl(map: MapBuilder, { dModel: d, nLayer, nHead, dHead, dInner }: Config, prefix: string): void {
  const width = nHead * dHead;
  map.unused(`${prefix}word_emb.emb_layers.0.weight`, [1, d]);
  map.unused(`${prefix}pos_emb.inv_freq`, [d / 2]);
  for (let l = 0; l < nLayer; l++) {
    const theirs = `${prefix}layers.${l}`;
    const ours = `lm.layers.${l}`;
    map.same(`${theirs}.dec_attn.r_w_bias`, `${ours}.attention.contentBias`, [nHead, dHead]);
    map.same(`${theirs}.dec_attn.r_r_bias`, `${ours}.attention.distanceBias`, [nHead, dHead]);
    PROJECTIONS.forEach((name, k) => {
      const block = { from: [k * width, 0], size: [d, width], transpose: true } as const;
      const all = [3 * width, d];
      map.part(`${theirs}.dec_attn.qkv_net.weight`, all, `${ours}.attention.${name}`, [d, width], block);
    });
    map.transposed(`${theirs}.dec_attn.r_net.weight`, `${ours}.attention.distance`, [d, width]);
    map.transposed(`${theirs}.dec_attn.o_net.weight`, `${ours}.attention.output`, [width, d]);
    map.norm(`${theirs}.dec_attn.layer_norm`, `${ours}.attention.norm`, d);
    map.linear(`${theirs}.pos_ff.CoreNet.0`, `${ours}.feed.inner`, [d, dInner]);
    map.linear(`${theirs}.pos_ff.CoreNet.3`, `${ours}.feed.outer`, [dInner, d]);
    map.norm(`${theirs}.pos_ff.layer_norm`, `${ours}.feed.norm`, d);
  }
}

/** Projections are `[d, heads, width]`, used as they are, except the output. Segments are switched off, and only plm has
 * a query stream. */
function xlnet(map: MapBuilder, config: Config, prefix: string): void {
  const { objective, dModel: d, nLayer, nHead, dInner } = config;
  const dHead = d / nHead;
  const heads = [d, nHead, dHead];
  map.unused(`${prefix}word_embedding.weight`, [1, d]);
  if (objective === 'plm') map.same(`${prefix}mask_emb`, 'lm.query', [d], [1, 1, d]);
  else map.unused(`${prefix}mask_emb`, [1, 1, d]);
  for (let l = 0; l < nLayer; l++) {
    const theirs = `${prefix}layer.${l}`;
    const ours = `lm.layers.${l}`;
    const parts = { q: 'query', k: 'key', v: 'value', r: 'distance' };
    for (const [their, our] of Object.entries(parts)) {
      map.same(`${theirs}.rel_attn.${their}`, `${ours}.attention.${our}`, [d, d], heads);
    }
    map.transposed(`${theirs}.rel_attn.o`, `${ours}.attention.output`, [d, d], heads);
    map.same(`${theirs}.rel_attn.r_w_bias`, `${ours}.attention.contentBias`, [nHead, dHead]);
    map.same(`${theirs}.rel_attn.r_r_bias`, `${ours}.attention.distanceBias`, [nHead, dHead]);
    map.unused(`${theirs}.rel_attn.r_s_bias`, [nHead, dHead]);
    map.unused(`${theirs}.rel_attn.seg_embed`, [2, nHead, dHead]);
    map.norm(`${theirs}.rel_attn.layer_norm`, `${ours}.attention.norm`, d);
    map.linear(`${theirs}.ff.layer_1`, `${ours}.feed.inner`, [d, dInner]);
    map.linear(`${theirs}.ff.layer_2`, `${ours}.feed.outer`, [dInner, d]);
    map.norm(`${theirs}.ff.layer_norm`, `${ours}.feed.norm`, d);
  }
}
