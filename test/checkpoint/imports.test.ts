import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeSafetensors } from '../../src/checkpoint/decode-safetensors';
import { importers } from '../../src/checkpoint/imports';
import { type NameMap, toOurs } from '../../src/checkpoint/imports/name-map';
import { caser } from '../../src/models/caser';
import { cl4srec } from '../../src/models/cl4srec';
import { configure } from '../../src/models/configuration';
import { gru4rec } from '../../src/models/gru4rec';
import type { SessionModel } from '../../src/models/model';
import { sasrec } from '../../src/models/sasrec';
import { srgnn } from '../../src/models/srgnn';
import { transformers4rec } from '../../src/models/transformers4rec/transformers4rec';
import type { NdArray } from '../../src/types';
import { toTheirs } from '../reference/golden/weights';
import { GOLDEN } from '../shared';

type Tensors = Record<string, NdArray>;
const models = { cl4srec, gru4rec, sasrec, gsasrec: sasrec, srgnn, caser, transformers4rec } as unknown as Record<
  keyof typeof importers,
  SessionModel<Record<string, unknown>>
>;

function setUp(name: keyof typeof importers, reference: Record<string, unknown>) {
  const { items = 0, config: given } = importers[name].config(reference);
  const config = configure(models[name], given) as Record<string, unknown>;
  const map = importers[name].map(config, items);
  const specs = models[name].parameters(config, { items });
  return { items, config, map, specs };
}

const shapes = (tensors: Readonly<Record<string, { readonly shape: readonly number[] }>>) =>
  Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]));

/** Tensors in which no number occurs twice, except for the zero rows. */
function numbered(map: NameMap): Tensors {
  let next = 1;
  const entries = Object.entries(map.theirs).map(([name, shape]) => {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => next++);
    if (map.zeroRows?.includes(name)) data.fill(0, 0, shape[1]);
    for (const row of map.skippedRows?.[name] ?? []) data.fill(0, row * shape[1]!, (row + 1) * shape[1]!);
    return [name, { data, shape }] as const;
  });
  return Object.fromEntries(entries);
}

const gru = { n_items: 7, batch_size: 3, loss: 'cross-entropy' };
const attention = { item_num: 7, hidden_units: 4, maxlen: 5, num_blocks: 2, num_heads: 2 };
const filters = { num_items: 8, num_users: 3, d: 4, L: 3, nh: 2, nv: 5 };
const graph = { n_node: 8, hiddenSize: 4, step: 1 };
const gsasrecConfig = {
  num_items: 7,
  padding_id: 8,
  sequence_length: 5,
  embedding_dim: 4,
  num_heads: 2,
  num_blocks: 2,
  negs_per_pos: 16,
  gbce_t: 0.5,
};
const coserecConfig = {
  item_size: 9,
  mask_id: 8,
  hidden_size: 4,
  max_seq_length: 5,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  hidden_act: 'gelu',
  temperature: 0.5,
  cf_weight: 0.2,
};
const library = { n_items: 7, d_model: 4, n_head: 2, n_layer: 2, total_seq_length: 5 };
const causal = { ...library, masking: 'CausalLanguageModeling' };
const masked = { ...library, masking: 'MaskedLanguageModeling' };
const cases: [string, keyof typeof importers, Record<string, unknown>][] = [
  ['gru4rec constrained', 'gru4rec', { ...gru, layers: [4, 6], embedding: 0, constrained_embedding: true }],
  ['gru4rec separate', 'gru4rec', { ...gru, layers: [4, 6], embedding: 3, constrained_embedding: false }],
  [
    'gru4rec separate, layersize',
    'gru4rec',
    { ...gru, layers: [4], embedding: 'layersize', constrained_embedding: false },
  ],
  ['gru4rec one-hot', 'gru4rec', { ...gru, layers: [4], embedding: 0, constrained_embedding: false }],
  ['gru4rec one-hot, two layers', 'gru4rec', { ...gru, layers: [4, 6], embedding: 0, constrained_embedding: false }],
  ['sasrec pre-norm', 'sasrec', { ...attention, norm_first: true }],
  ['sasrec post-norm', 'sasrec', { ...attention, norm_first: false }],
  ['sasrec of 2020', 'sasrec', { ...attention, norm_first: null }],
  ['srgnn', 'srgnn', { ...graph, nonhybrid: false }],
  ['srgnn, nonhybrid', 'srgnn', { ...graph, nonhybrid: true }],
  ['caser', 'caser', { ...filters, T: 2, ac_conv: 'tanh' }],
  ['gsasrec with a table of its own', 'gsasrec', gsasrecConfig],
  ['gsasrec tied', 'gsasrec', { ...gsasrecConfig, reuse_item_embeddings: true }],
  ['cl4srec of CoSeRec', 'cl4srec', coserecConfig],
  ['transformers4rec on GPT-2', 'transformers4rec', { ...causal, arch: 'gpt2', build_kwargs: { n_inner: 6 } }],
  ['transformers4rec on Transformer-XL', 'transformers4rec', { ...causal, arch: 'xl', build_kwargs: { d_head: 3 } }],
  ['transformers4rec on BERT', 'transformers4rec', { ...masked, arch: 'bert', build_kwargs: { intermediate_size: 6 } }],
  ['transformers4rec on ELECTRA', 'transformers4rec', { ...masked, arch: 'electra' }],
  [
    'transformers4rec on ELECTRA with replaced clicks',
    'transformers4rec',
    { ...library, masking: 'ReplacementLanguageModeling', arch: 'electra' },
  ],
  ['transformers4rec on XLNet', 'transformers4rec', { ...masked, arch: 'xlnet' }],
  [
    'transformers4rec on XLNet, one-way',
    'transformers4rec',
    { ...causal, arch: 'xlnet', build_kwargs: { attn_type: 'uni' } },
  ],
  [
    'transformers4rec on XLNet in permuted order',
    'transformers4rec',
    { ...library, masking: 'PermutationLanguageModeling', arch: 'xlnet' },
  ],
];

describe.each(cases)('the name map of %s', (_, name, reference) => {
  const { map, specs } = setUp(name, reference);

  test('makes exactly the parameters of the architecture', () => {
    expect(map.ours).toEqual(shapes(specs));
  });

  test('uses every number of every tensor once, and finds its way back', () => {
    const theirs = numbered(map);
    const ours = toOurs(map, theirs);
    for (const name of map.unused ?? []) theirs[name]!.data.fill(0);
    const values = (tensors: Tensors) =>
      Object.values(tensors)
        .flatMap(({ data }) => [...data].filter((x) => x !== 0))
        .sort((a, b) => a - b);
    expect(values(ours)).toEqual(values(theirs));
    expect(toTheirs(map, ours)).toEqual(theirs);
    for (const [parameter, { rows, zeroRow = rows !== undefined }] of Object.entries(specs)) {
      const { data, shape } = ours[parameter]!;
      // CoSeRec reads its padding row, and the library's may have learnt.
      if (zeroRow === true && name !== 'cl4srec')
        expect(
          [...data.slice(0, data.length / shape[0]!)].every((x) => x === 0),
          parameter,
        ).toBe(true);
    }
  });

  test('names a tensor that is missing, not used, or of another shape', () => {
    const theirs = numbered(map);
    const first = Object.keys(theirs)[0]!;
    const { [first]: tensor, ...rest } = theirs as Record<string, NdArray>;
    expect(() => toOurs(map, rest, 'w.st')).toThrow(`w.st lacks the tensor "${first}", expected float32 [`);
    expect(() => toOurs(map, { ...theirs, extra: tensor! }, 'w.st')).toThrow('w.st has the tensor "extra"');
    const wrong = { ...theirs, [first]: { data: new Float32Array(6), shape: [2, 3] } };
    expect(() => toOurs(map, wrong, 'w.st')).toThrow(/w\.st: tensor ".*" must be float32 \[.*\], got float32 \[2, 3\]/);
  });
});

test('a padding row that is not zero is refused, since the model would not read it', () => {
  const { map } = setUp('sasrec', { ...attention, norm_first: false });
  const theirs = numbered(map);
  theirs['pos_emb.weight']!.data[2] = 0.5;
  expect(() => toOurs(map, theirs, 'w.st')).toThrow(/tensor "pos_emb\.weight" holds 0\.5 in row 0/);
});

describe('reference configurations', () => {
  test('keep the official values under our names', () => {
    const official = {
      loss: 'bpr-max',
      constrained_embedding: true,
      embedding: 0,
      elu_param: 0.5,
      layers: [224],
      n_epochs: 10,
      batch_size: 80,
      dropout_p_embed: 0.5,
      dropout_p_hidden: 0.05,
      learning_rate: 0.05,
      momentum: 0.4,
      n_sample: 2048,
      sample_alpha: 0.4,
      bpreg: 1.95,
      logq: 0,
    };
    const { items, config } = importers.gru4rec.config(official);
    expect(items).toBeUndefined();
    expect(configure(gru4rec, config)).toEqual(configure(gru4rec, official));
  });

  test('of the 2020 code become form tf with its projection and without a key mask', () => {
    expect(importers.sasrec.config({ ...attention, norm_first: null, dropout: 0.2 })).toEqual({
      items: 7,
      config: {
        hiddenUnits: 4,
        maxlen: 5,
        numBlocks: 2,
        numHeads: 2,
        norm: 'tf',
        outputProjection: 'true',
        maskPadding: 'false',
        dropoutRate: 0.2,
        loss: 'bce',
        negatives: 1,
      },
    });
  });

  test('of gSASRec become form tf without √d, with its loss, its starts, and its own defaults', () => {
    const { items, config } = importers.gsasrec.config({ ...gsasrecConfig, dropout_rate: 0.5 });
    expect(items).toBe(7);
    expect(configure(sasrec, config)).toMatchObject({
      norm: 'tf',
      inputScale: 'none',
      layerNormEps: 1e-5,
      init: 'torch',
      loss: 'gbce',
      negatives: 16,
      gbceT: 0.5,
      reuseItemEmbeddings: false,
      beta2: 0.999,
      dropoutRate: 0.5,
    });
  });

  test('of CoSeRec become CL4SRec on its encoder', () => {
    const { items, config } = importers.cl4srec.config({ ...coserecConfig, weight_decay: 0.01, tao: 0.2 });
    expect(items).toBe(7);
    expect(configure(cl4srec, config)).toMatchObject({
      encoder: 'coserec',
      loss: 'bce',
      activation: 'gelu',
      layerNormEps: 1e-12,
      lambda: 0.2,
      recWeight: 1,
      tau: 0.5,
      similarity: 'dot',
      cropRatio: 0.2,
      weightDecay: 0.01,
      decay: 'coupled',
    });
  });

  test('that leave something out mean what their code does, not what ours does', () => {
    expect(configure(cl4srec, importers.cl4srec.config({ item_size: 9 }).config)).toMatchObject({
      hiddenUnits: 64,
      maxlen: 50,
      numBlocks: 2,
      numHeads: 2,
      dropoutRate: 0.5,
      batchSize: 256,
      numEpochs: 300,
      cropRatio: 0.2,
      maskRatio: 0.7,
      reorderRatio: 0.2,
      lambda: 0.1,
      tau: 1,
    });
    const port = (norm_first: boolean | null) =>
      configure(sasrec, importers.sasrec.config({ item_num: 7, norm_first }).config);
    expect(port(false)).toMatchObject({ maxlen: 200, dropoutRate: 0.2 });
    expect(port(null)).toMatchObject({ maxlen: 50, dropoutRate: 0.5 });
  });

  test('of SR-GNN keep whole sessions, and the attention alone where they are not hybrid', () => {
    const given = { ...graph, l2: 1e-5, lr_dc: 0.1, lr_dc_step: 3, batchSize: 100, patience: 10 };
    const rest = {
      hiddenSize: 4,
      step: 1,
      l2: 1e-5,
      lrDc: 0.1,
      lrDcStep: 3,
      batchSize: 100,
      maxlen: 4096,
      patience: 10,
    };
    const of = (nonhybrid: boolean) => importers.srgnn.config({ ...given, nonhybrid });
    expect(of(true)).toEqual({ items: 7, config: { ...rest, readout: 'global' } });
    expect(of(false)).toEqual({ items: 7, config: { ...rest, readout: 'hybrid' } });
  });

  test('of Caser have users, and padding that was trained', () => {
    const given = { ...filters, T: 3, neg_samples: 2, ac_conv: 'sigm', ac_fc: 'iden', drop: 0.5, use_cuda: true };
    expect(importers.caser.config(given)).toEqual({
      items: 7,
      config: {
        d: 4,
        L: 3,
        nh: 2,
        nv: 5,
        T: 3,
        drop: 0.5,
        acConv: 'sigm',
        acFc: 'iden',
        negSamples: 2,
        profile: 'user',
        users: 3,
        padding: 'trained',
      },
    });
  });

  test('of Transformers4Rec follow what became of the arguments, activation and clamp among it', () => {
    const of = (arch: string, resolved: Record<string, unknown>, masking = 'CausalLanguageModeling') => {
      const given = { ...library, masking, arch, build_kwargs: {}, resolved_hf_config: resolved };
      return configure(transformers4rec, importers.transformers4rec.config(given).config);
    };
    expect(of('gpt2', { n_inner: 9, activation_function: 'gelu_new', layer_norm_epsilon: 1e-6 })).toMatchObject({
      form: 'library',
      lm: 'gpt2',
      objective: 'clm',
      dInner: 9,
      hiddenAct: 'gelu_new',
      layerNormEps: 1e-6,
    });
    expect(of('xl', { hidden_act: 'quick_gelu', clamp_len: -1, mem_len: 3, same_length: false })).toMatchObject({
      lm: 'transformer-xl',
      dHead: 64,
      clampLen: 0,
      memLen: 3,
      sameLength: 'false',
      hiddenAct: 'gelu',
    });
    expect(of('bert', { hidden_act: 'swish' }, 'MaskedLanguageModeling')).toMatchObject({
      lm: 'bert',
      objective: 'mlm',
      dInner: 3072,
      hiddenAct: 'silu',
      maskPosition: 'beyond',
      padding: 'seen',
    });
    expect(
      of('xlnet', { ff_activation: 'relu', clamp_len: 4, same_length: true }, 'PermutationLanguageModeling'),
    ).toMatchObject({
      lm: 'xlnet',
      objective: 'plm',
      hiddenAct: 'relu',
      clampLen: 4,
    });
  });

  test('of Transformers4Rec keep what its masking and its task say', () => {
    const given = { ...masked, arch: 'bert', weight_tying: true, mlm_probability: 0.2, label_smoothing: 0.4 };
    const config = { ...given, plm_probability: 0.6, max_span_length: 3, softmax_temperature: 2 };
    expect(configure(transformers4rec, importers.transformers4rec.config(config).config)).toMatchObject({
      mlmProbability: 0.2,
      plmProbability: 0.6,
      maxSpanLength: 3,
      labelSmoothing: 0.4,
      softmaxTemperature: 2,
    });
  });

  test.each<[keyof typeof importers, Record<string, unknown>, RegExp]>([
    ['gru4rec', { layer: [100] }, /the key "layer" is not known; the nearest is "layers"/],
    ['gru4rec', { n_items: 0 }, /"n_items" must be a whole number from 1, got 0/],
    ['gru4rec', { layers: { a: 1 } }, /"layers" must be a number, a text/],
    ['gru4rec', { adagrad_eps: 1e-8 }, /"adagrad_eps" must be 0\.000001, as in the reference code, got 1e-8/],
    ['gru4rec', { constructor: 1 }, /the key "constructor" is not known/],
    ['srgnn', { n_node: 1 }, /"n_node" must be a whole number from 2, got 1/],
    ['srgnn', { ...graph, nonhybrid: 1 }, /"nonhybrid" must be true or false, got 1/],
    ['srgnn', { ...graph, hidden_size: 4 }, /the key "hidden_size" is not known; the nearest is "hiddenSize"/],
    ['caser', { num_items: 8 }, /"num_users" is missing/],
    ['caser', { ...filters, num_users: 0 }, /"num_users" must be a whole number from 1, got 0/],
    ['caser', { ...filters, nhh: 3 }, /the key "nhh" is not known; the nearest is "nh"/],
    ['sasrec', attention, /"norm_first" is missing/],
    ['sasrec', { ...attention, norm_first: 'yes' }, /"norm_first" must be true, false or null, got "yes"/],
    ['sasrec', { ...attention, norm_first: true, layer_norm_eps: 1e-5 }, /"layer_norm_eps" must be 1e-8/],
    ['gsasrec', { ...gsasrecConfig, padding_id: 0 }, /"padding_id" must be num_items \+ 1 = 8, got 0/],
    ['cl4srec', { ...coserecConfig, mask_id: 0 }, /"mask_id" must be item_size - 1 = 8, got 0/],
    ['cl4srec', { ...coserecConfig, item_size: 2 }, /"item_size" counts padding and the mask token/],
    ['cl4srec', { ...coserecConfig, attention_probs_dropout_prob: 0.1 }, /"attention_probs_dropout_prob" must be/],
    [
      'transformers4rec',
      { ...causal, arch: 'gpt3' },
      /"arch" must be one of gpt2, xl, bert, electra, xlnet, got "gpt3"/,
    ],
    ['transformers4rec', { ...causal, arch: 'gpt2', d_model: '4' }, /"d_model" must be a whole number, got "4"/],
    ['transformers4rec', { ...causal, arch: 'gpt2', dim: 4 }, /the key "dim" is not known; known are arch, masking/],
    ['transformers4rec', { ...causal, arch: 'gpt2', weight_tying: false }, /"weight_tying" must be true, got false/],
    ['transformers4rec', { ...causal, arch: 'xlnet' }, /needs "attn_type" "uni", got undefined/],
    [
      'transformers4rec',
      { ...causal, arch: 'xlnet', build_kwargs: { attn_type: 'uni', same_length: true } },
      /"same_length" must be false, got true/,
    ],
    [
      'transformers4rec',
      { ...masked, arch: 'bert', build_kwargs: { hidden_act: 'mish' } },
      /"activation" must be one of gelu, gelu_new, relu, silu, swish, tanh, got "mish"/,
    ],
    [
      'transformers4rec',
      { ...causal, arch: 'xl', build_kwargs: { pre_lnorm: true } },
      /"pre_lnorm" must be false, got true/,
    ],
    ['gsasrec', { ...gsasrecConfig, gbce: 1 }, /the key "gbce" is not known; the nearest is "gbce_t"/],
  ])('%s %j is refused', (name, reference, message) => {
    expect(() => importers[name].config(reference)).toThrow(message);
    expect(() => importers[name].config(reference)).toThrow(expect.objectContaining({ code: 'bad-config' }));
  });
});

const goldenCases: [string, keyof typeof importers, string[]][] = [
  ['gru4rec-constrained', 'gru4rec', ['weights/', 'grads/xe/', 'grads/bprmax/']],
  ['gru4rec-constrained-2layer', 'gru4rec', ['weights/', 'grads/xe_logq/']],
  ['gru4rec-separate', 'gru4rec', ['weights/', 'grads/bprmax_noelu/']],
  ['gru4rec-onehot', 'gru4rec', ['weights/', 'grads/xe/']],
  ['gru4rec-fit-xe', 'gru4rec', ['before/', 'after/', 'opt_acc/']],
  ['gru4rec-fit-xe-logq-momentum', 'gru4rec', ['before/', 'after/', 'opt_acc/', 'opt_mom/']],
  ['gru4rec-fit-bprmax-separate', 'gru4rec', ['before/', 'after/', 'opt_acc/', 'opt_mom/']],
  ['sasrec-prenorm', 'sasrec', ['weights/', 'grads/']],
  ['sasrec-postnorm', 'sasrec', ['weights/', 'grads/']],
  ['sasrec-classic2020', 'sasrec', ['weights/', 'grads/']],
  ['srgnn-step1', 'srgnn', ['weights/', 'grads/', 'after/']],
  ['srgnn-step3-nonhybrid', 'srgnn', ['weights/', 'grads/']],
  ['caser', 'caser', ['weights/', 'grads/']],
  ['caser-tanh-zero-user', 'caser', ['weights/', 'grads/']],
  ['cl4srec-encoder', 'cl4srec', ['weights/', 'grads/rec/', 'grads/joint/']],
  ['gsasrec-tied', 'gsasrec', ['grads/']],
  ['gsasrec-untied', 'gsasrec', ['grads/']],
  ['t4r-gpt2-clm', 'transformers4rec', ['weights/']],
  ['t4r-transfoxl-clm', 'transformers4rec', ['weights/']],
  ['t4r-bert-mlm', 'transformers4rec', ['weights/']],
  ['t4r-electra-rtd', 'transformers4rec', ['weights/']],
  ['t4r-xlnet-plm', 'transformers4rec', ['weights/']],
];

function readGolden(name: string): { tensors: Tensors; config: Record<string, unknown> } {
  const { tensors, metadata } = decodeSafetensors(readFileSync(join(GOLDEN, `${name}.safetensors`)), name);
  return { tensors, config: JSON.parse(metadata['config']!) };
}

const under = (prefix: string, tensors: Tensors): Tensors =>
  Object.fromEntries(
    Object.entries(tensors)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  );

test('golden weights, gradients and optimiser states are mapped whole, and back', () => {
  for (const [name, importer, prefixes] of goldenCases) {
    const { tensors, config } = readGolden(name);
    const { map, specs } = setUp(importer, config);
    for (const prefix of prefixes) {
      const theirs = under(prefix, tensors);
      const ours = toOurs(map, theirs, `${name}: ${prefix}`);
      expect(shapes(ours)).toEqual(shapes(specs));
      const used = { ...theirs };
      for (const unused of map.unused ?? [])
        used[unused] = { ...theirs[unused]!, data: theirs[unused]!.data.map(() => 0) };
      for (const [skipped, rows] of importer === 'transformers4rec' ? Object.entries(map.skippedRows!) : []) {
        const { data, shape } = theirs[skipped]!;
        const without = data.map((x, i) => (rows.includes(Math.floor(i / shape[1]!)) ? 0 : x));
        used[skipped] = { data: without, shape };
      }
      expect(toTheirs(map, ours), `${name} ${prefix}`).toEqual(used);
    }
  }
});

/** One step of every GRU layer from given states, then the scores of some items: float64, straight from our names. */
function scoresAfterStep(p: Tensors, inputs: number[], states: number[][][], outputs: number[]): number[][] {
  const row = (name: string, index: number) => {
    const { data, shape } = p[name]!;
    return [...data.slice(index * shape[1]!, (index + 1) * shape[1]!)];
  };
  const times = (x: number[], name: string, from: number, to: number) =>
    Array.from({ length: to - from }, (_, c) =>
      x.reduce((sum, value, r) => sum + value * p[name]!.data[r * p[name]!.shape[1]! + from + c]!, 0),
    );
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  return inputs.map((item, b) => {
    let x = p['gru.0.items'] ? [] : row(p['inputs'] ? 'inputs' : 'items', item + 1);
    states.forEach((state, layer) => {
      const of = (part: string) => `gru.${layer}.${part}`;
      const h = state[b]!;
      const d = h.length;
      const before = p[of('b')] !== undefined;
      const bias = [...p[of(before ? 'b' : 'bx')]!.data];
      const input = p[of('items')] ? row(of('items'), item + 1) : times(x, of('wx'), 0, 3 * d);
      const a = input.map((value, c) => value + bias[c]!);
      const u = times(h, of('wh'), 0, 3 * d).map((value, c) => value + (before ? 0 : p[of('bh')]!.data[c]!));
      const r = a.slice(0, d).map((value, c) => sigmoid(value + u[c]!));
      const z = a.slice(d, 2 * d).map((value, c) => sigmoid(value + u[d + c]!));
      const recurrent = before
        ? times(
            h.map((value, c) => value * r[c]!),
            of('wh'),
            2 * d,
            3 * d,
          )
        : u.slice(2 * d).map((value, c) => value * r[c]!);
      const n = a.slice(2 * d).map((value, c) => Math.tanh(value + recurrent[c]!));
      x = h.map((old, c) => (before ? (1 - z[c]!) * old + z[c]! * n[c]! : (1 - z[c]!) * n[c]! + z[c]! * old));
    });
    return outputs.map((j) => row('items', j + 1).reduce((sum, e, c) => sum + e * x[c]!, p['bias']!.data[j + 1]!));
  });
}

test('GRU4Rec computed in float64 from the mapped weights gives the golden scores', () => {
  for (const [name, importer] of goldenCases) {
    if (importer !== 'gru4rec' || name.includes('fit')) continue;
    const { tensors, config } = readGolden(name);
    const ours = toOurs(setUp(importer, config).map, under('weights/', tensors));
    const rows = ({ data, shape }: NdArray) =>
      Array.from({ length: shape[0]! }, (_, r) => [...data.slice(r * shape[1]!, (r + 1) * shape[1]!)]);
    const states = (config['layers'] as number[]).map((_, i) => rows(tensors[`inputs/loss_H_${i}`]!));
    const items = (part: string) => [...tensors[`inputs/${part}`]!.data];
    const expected = [...tensors['outputs/loss_scores']!.data];
    const got = scoresAfterStep(ours, items('loss_X'), states, items('loss_Y')).flat();
    expect(got.length).toBe(expected.length);
    got.forEach((score, i) => {
      expect(Math.abs(score - expected[i]!), `${name} score ${i}`).toBeLessThan(1e-5);
    });
  }
});
