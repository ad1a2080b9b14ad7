/** How Hugging Face's language models lie in ours. PyTorch keeps a linear layer as `[out, in]`, we as `[in, out]`. */
import type { Block, NameMap } from './name-map';

type Shape = readonly number[];

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

/** Collects a name map. */
export class MapWriter {
  readonly #theirs: Record<string, Shape> = {};
  readonly #ours: Record<string, Shape> = {};
  readonly #blocks: Block[] = [];
  readonly #unused: string[] = [];
  readonly #skippedRows: Record<string, readonly number[]> = {};

  get map(): NameMap {
    const [theirs, ours, blocks] = [this.#theirs, this.#ours, this.#blocks];
    return { theirs, ours, blocks, unused: this.#unused, skippedRows: this.#skippedRows };
  }

  /** A tensor of the same numbers in the same order. */
  same(theirs: string, ours: string, shape: Shape, theirShape = shape): void {
    this.#theirs[theirs] = theirShape;
    this.#ours[ours] = shape;
    this.#blocks.push({ theirs, ours });
  }

  /** A matrix that they keep transposed. */
  transposed(theirs: string, ours: string, rows: number, columns: number, theirShape: Shape = [columns, rows]): void {
    this.#theirs[theirs] = theirShape;
    this.#ours[ours] = [rows, columns];
    this.#blocks.push({ theirs, ours, transpose: true });
  }

  linear(theirs: string, ours: string, rows: number, columns: number): void {
    this.transposed(`${theirs}.weight`, `${ours}.w`, rows, columns);
    this.same(`${theirs}.bias`, `${ours}.b`, [columns]);
  }

  norm(theirs: string, ours: string, d: number): void {
    this.same(`${theirs}.weight`, `${ours}.gain`, [d]);
    this.same(`${theirs}.bias`, `${ours}.bias`, [d]);
  }

  /** Part of one of their tensors. */
  part(theirs: string, theirShape: Shape, ours: string, shape: Shape, block: Omit<Block, 'theirs' | 'ours'>): void {
    this.#theirs[theirs] = theirShape;
    this.#ours[ours] = shape;
    this.#blocks.push({ theirs, ours, ...block });
  }

  /** Rows of theirs that nothing reads. */
  skipped(theirs: string, rows: readonly number[]): void {
    this.#skippedRows[theirs] = rows;
  }

  /** A tensor that nothing reads. */
  unused(theirs: string, shape: Shape): void {
    this.#theirs[theirs] = shape;
    this.#unused.push(theirs);
  }
}

const PROJECTIONS = ['query', 'key', 'value'] as const;

type Part = (writer: MapWriter, config: Config, prefix: string) => void;

/** @param prefix Of all names of theirs. */
export function languageModelMap(writer: MapWriter, config: Config, prefix: string): void {
  const parts: Readonly<Record<string, Part>> = { gpt2, 'transformer-xl': transformerXl, xlnet };
  (parts[config.lm] ?? encoder)(writer, config, prefix);
}

/** `Conv1D` layers, which are `[in, out]` there too; `c_attn` holds query, key and value side by side. */
function gpt2(writer: MapWriter, { dModel: d, nLayer, dInner, totalSeqLength }: Config, prefix: string): void {
  writer.unused(`${prefix}wte.weight`, [1, d]);
  writer.same(`${prefix}wpe.weight`, 'lm.positions', [totalSeqLength, d]);
  for (let l = 0; l < nLayer; l++) {
    const theirs = `${prefix}h.${l}`;
    const ours = `lm.layers.${l}`;
    const conv = (their: string, our: string, rows: number, columns: number) => {
      writer.same(`${theirs}.${their}.weight`, `${ours}.${our}.w`, [rows, columns]);
      writer.same(`${theirs}.${their}.bias`, `${ours}.${our}.b`, [columns]);
    };
    writer.norm(`${theirs}.ln_1`, `${ours}.attention.norm`, d);
    PROJECTIONS.forEach((name, k) => {
      const [w, b] = [`${ours}.attention.${name}.w`, `${ours}.attention.${name}.b`];
      writer.part(`${theirs}.attn.c_attn.weight`, [d, 3 * d], w, [d, d], { from: [0, k * d], size: [d, d] });
      writer.part(`${theirs}.attn.c_attn.bias`, [3 * d], b, [d], { from: [0, k * d], size: [1, d] });
    });
    conv('attn.c_proj', 'attention.output', d, d);
    writer.norm(`${theirs}.ln_2`, `${ours}.feed.norm`, d);
    conv('mlp.c_fc', 'feed.inner', d, dInner);
    conv('mlp.c_proj', 'feed.outer', dInner, d);
  }
  writer.norm(`${prefix}ln_f`, 'lm.norm', d);
}

/** BERT and ELECTRA: of the two segments only the first is ever read; BERT's pooler is not. */
function encoder(writer: MapWriter, config: Config, prefix: string): void {
  const { lm, dModel: d, nLayer, dInner, totalSeqLength } = config;
  const embeddings = `${prefix}embeddings`;
  writer.unused(`${embeddings}.word_embeddings.weight`, [1, d]);
  writer.same(`${embeddings}.position_embeddings.weight`, 'lm.positions', [totalSeqLength + 2, d]);
  writer.part(`${embeddings}.token_type_embeddings.weight`, [2, d], 'lm.segment', [d], { size: [1, d] });
  writer.skipped(`${embeddings}.token_type_embeddings.weight`, [1]);
  writer.norm(`${embeddings}.LayerNorm`, 'lm.norm', d);
  for (let l = 0; l < nLayer; l++) {
    const theirs = `${prefix}encoder.layer.${l}`;
    const ours = `lm.layers.${l}`;
    for (const name of PROJECTIONS)
      writer.linear(`${theirs}.attention.self.${name}`, `${ours}.attention.${name}`, d, d);
    writer.linear(`${theirs}.attention.output.dense`, `${ours}.attention.output`, d, d);
    writer.norm(`${theirs}.attention.output.LayerNorm`, `${ours}.attention.norm`, d);
    writer.linear(`${theirs}.intermediate.dense`, `${ours}.feed.inner`, d, dInner);
    writer.linear(`${theirs}.output.dense`, `${ours}.feed.outer`, dInner, d);
    writer.norm(`${theirs}.output.LayerNorm`, `${ours}.feed.norm`, d);
  }
  if (lm === 'bert') {
    writer.unused(`${prefix}pooler.dense.weight`, [d, d]);
    writer.unused(`${prefix}pooler.dense.bias`, [d]);
  }
}

/** `qkv_net` holds query, key and value below one another; `inv_freq` follows from the width. */
function transformerXl(writer: MapWriter, { dModel: d, nLayer, nHead, dHead, dInner }: Config, prefix: string): void {
  const width = nHead * dHead;
  writer.unused(`${prefix}word_emb.emb_layers.0.weight`, [1, d]);
  writer.unused(`${prefix}pos_emb.inv_freq`, [d / 2]);
  for (let l = 0; l < nLayer; l++) {
    const theirs = `${prefix}layers.${l}`;
    const ours = `lm.layers.${l}`;
    writer.same(`${theirs}.dec_attn.r_w_bias`, `${ours}.attention.contentBias`, [nHead, dHead]);
    writer.same(`${theirs}.dec_attn.r_r_bias`, `${ours}.attention.distanceBias`, [nHead, dHead]);
    PROJECTIONS.forEach((name, k) => {
      const block = { from: [k * width, 0], size: [d, width], transpose: true } as const;
      const all = [3 * width, d];
      writer.part(`${theirs}.dec_attn.qkv_net.weight`, all, `${ours}.attention.${name}`, [d, width], block);
    });
    writer.transposed(`${theirs}.dec_attn.r_net.weight`, `${ours}.attention.distance`, d, width);
    writer.transposed(`${theirs}.dec_attn.o_net.weight`, `${ours}.attention.output`, width, d);
    writer.norm(`${theirs}.dec_attn.layer_norm`, `${ours}.attention.norm`, d);
    writer.linear(`${theirs}.pos_ff.CoreNet.0`, `${ours}.feed.inner`, d, dInner);
    writer.linear(`${theirs}.pos_ff.CoreNet.3`, `${ours}.feed.outer`, dInner, d);
    writer.norm(`${theirs}.pos_ff.layer_norm`, `${ours}.feed.norm`, d);
  }
}

/** Projections are `[d, heads, width]`, used as they are, but for the output. Segments are switched off, and only plm has
 * a query stream. */
function xlnet(writer: MapWriter, config: Config, prefix: string): void {
  const { objective, dModel: d, nLayer, nHead, dInner } = config;
  const dHead = d / nHead;
  const heads = [d, nHead, dHead];
  writer.unused(`${prefix}word_embedding.weight`, [1, d]);
  if (objective === 'plm') writer.same(`${prefix}mask_emb`, 'lm.query', [d], [1, 1, d]);
  else writer.unused(`${prefix}mask_emb`, [1, 1, d]);
  for (let l = 0; l < nLayer; l++) {
    const theirs = `${prefix}layer.${l}`;
    const ours = `lm.layers.${l}`;
    const maps = { q: 'query', k: 'key', v: 'value', r: 'distance' };
    for (const [their, our] of Object.entries(maps)) {
      writer.same(`${theirs}.rel_attn.${their}`, `${ours}.attention.${our}`, [d, d], heads);
    }
    writer.transposed(`${theirs}.rel_attn.o`, `${ours}.attention.output`, d, d, heads);
    writer.same(`${theirs}.rel_attn.r_w_bias`, `${ours}.attention.contentBias`, [nHead, dHead]);
    writer.same(`${theirs}.rel_attn.r_r_bias`, `${ours}.attention.distanceBias`, [nHead, dHead]);
    writer.unused(`${theirs}.rel_attn.r_s_bias`, [nHead, dHead]);
    writer.unused(`${theirs}.rel_attn.seg_embed`, [2, nHead, dHead]);
    writer.norm(`${theirs}.rel_attn.layer_norm`, `${ours}.attention.norm`, d);
    writer.linear(`${theirs}.ff.layer_1`, `${ours}.feed.inner`, d, dInner);
    writer.linear(`${theirs}.ff.layer_2`, `${ours}.feed.outer`, dInner, d);
    writer.norm(`${theirs}.ff.layer_norm`, `${ours}.feed.norm`, d);
  }
}
