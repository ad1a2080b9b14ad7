/**
 * Weights of the library, https://github.com/NVIDIA-Merlin/Transformers4Rec, on the language models of Hugging Face: the
 * item table feeds the language model as it is, and the softmax is tied to it.
 *
 *     item_embedding [n + 1, d]                   items; row 0, padding, may be trained
 *     masked_item_embedding [d]                   mask
 *     transformer.…                               lm.…, see `transformers4rec-lm.ts`
 *     transformer.discriminator_predictions.…     discriminator.…, of ELECTRA's replaced-token detection
 *
 * The state dict of a whole model, `heads.0.body…`, has the same tensors under longer names, some of them several times
 * (`torch/features/sequence.py`, `torch/block/mlp.py`, `torch/block/transformer.py`, `torch/masking.py`, `torch/model/prediction_task.py`):
 *
 *     ….embedding_tables.ITEM.weight              item_embedding
 *     ….masked_item_embedding                     masked_item_embedding
 *     ….projection_module.0.0, body.1.0.0         input_projection: a linear layer and ReLU before the language model
 *     ….transformer.…                             transformer.…
 *
 * The configuration is that of the golden files: the arguments of `build`, of the masking and of the prediction task, and what
 * Hugging Face made of them as `resolved_hf_config`, which goes first.
 */
import { RecommenderError } from '../../errors';
import type { NdArray } from '../../types';
import { bad, type ConfigValue, type Importer } from './importer';
import { MapBuilder } from './map-builder';
import { type Config, languageModelMap } from './transformers4rec-lm';

const WHAT = 'transformers4rec configuration';

const ARCHITECTURES: Readonly<Record<string, string>> = {
  gpt2: 'gpt2',
  xl: 'transformer-xl',
  bert: 'bert',
  electra: 'electra',
  xlnet: 'xlnet',
};

const MASKINGS: Readonly<Record<string, string>> = {
  CausalLanguageModeling: 'clm',
  MaskedLanguageModeling: 'mlm',
  PermutationLanguageModeling: 'plm',
  ReplacementLanguageModeling: 'rtd',
};

/** Keys of Hugging Face's configurations that have one of ours, by any of their names. */
const RESOLVED: Readonly<Record<string, readonly string[]>> = {
  dModel: ['d_model', 'n_embd', 'hidden_size'],
  nLayer: ['n_layer', 'num_hidden_layers'],
  nHead: ['n_head', 'num_attention_heads'],
  dInner: ['d_inner', 'n_inner', 'intermediate_size'],
};

/** Hugging Face's names of what we have; Transformer-XL does not read its own. */
const ACTIVATIONS: Readonly<Record<string, string>> = {
  gelu: 'gelu',
  gelu_new: 'gelu_new',
  relu: 'relu',
  silu: 'silu',
  swish: 'silu',
  tanh: 'tanh',
};

/** Arguments of the masking and of the prediction task that are options of ours. */
const OF_THE_TASK: Readonly<Record<string, string>> = {
  mlm_probability: 'mlmProbability',
  plm_probability: 'plmProbability',
  max_span_length: 'maxSpanLength',
  label_smoothing: 'labelSmoothing',
  softmax_temperature: 'softmaxTemperature',
};

/** What the models compute whatever a configuration says; it must say this or nothing. */
const FIXED: Readonly<Record<string, ConfigValue>> = {
  pre_lnorm: false,
  untie_r: true,
  bi_data: false,
  position_embedding_type: 'absolute',
  scale_attn_weights: true,
};

type Json = Readonly<Record<string, unknown>>;

export const transformers4rec: Importer = {
  config(reference) {
    const known = [
      'arch',
      'masking',
      'n_items',
      'd_model',
      'n_head',
      'n_layer',
      'total_seq_length',
      'item_embedding_dim',
      'build_kwargs',
      'resolved_hf_config',
      'weight_tying',
      ...Object.keys(OF_THE_TASK),
    ];
    const unknown = Object.keys(reference).find((key) => !known.includes(key));
    if (unknown !== undefined) throw bad(WHAT, `the key "${unknown}" is not known; known are ${known.join(', ')}.`);
    const { weight_tying: tied = true } = reference;
    if (tied !== true) {
      throw bad(WHAT, `"weight_tying" must be true, got ${JSON.stringify(tied)}: the softmax reads the item table.`);
    }
    const lm = named(reference, 'arch', ARCHITECTURES);
    const objective = named(reference, 'masking', MASKINGS);
    const items = reference.n_items as number;
    if (!Number.isSafeInteger(items) || items < 1) {
      throw bad(WHAT, `"n_items" must be a whole number from 1, got ${JSON.stringify(items)}.`);
    }
    const resolved: Json = {
      ...(reference.build_kwargs as Json | undefined),
      ...(reference.resolved_hf_config as Json | undefined),
    };
    return { items, config: { ...ofTheLibrary(lm, objective, reference), ...ofTheModel(lm, objective, resolved) } };
  },

  map(config, items) {
    const { lm, objective, dModel: d } = config as unknown as Config;
    const map = new MapBuilder();
    map.same('item_embedding', 'items', [items + 1, d]);
    map.same('masked_item_embedding', 'mask', [d]);
    if (config.inputLayer === 'relu') map.linear('input_projection', 'merge', [d, d]);
    const isElectraPair = lm === 'electra' && objective === 'rtd';
    languageModelMap(map, config as unknown as Config, isElectraPair ? 'transformer.electra.' : 'transformer.');
    if (objective === 'rtd') {
      map.linear('transformer.discriminator_predictions.dense', 'discriminator.dense', [d, d]);
      map.linear('transformer.discriminator_predictions.dense_prediction', 'discriminator.score', [d, 1]);
    }
    return map.build();
  },

  fold(weights, _config, _items, what) {
    if (!Object.keys(weights).some((name) => name.startsWith('heads.'))) return weights;
    const found: Record<string, NdArray> = {};
    const from: Record<string, string> = {};
    for (const [name, tensor] of Object.entries(weights)) {
      if (BUFFERS.test(name) || (NO_BIAS.test(name) && tensor.data.every((x) => x === 0))) continue;
      const [pattern, short] = WHOLE_MODEL.find(([pattern]) => pattern.test(name)) ?? [];
      if (!pattern) {
        const message = `${what}: tensor "${name}" is of a part that is not imported: models of the item id alone are, with tied weights.`;
        throw new RecommenderError('weights-mismatch', message);
      }
      const ours = pattern.exec(name)![0].replace(pattern, short!);
      if (found[ours] && !isEqual(found[ours], tensor)) {
        const message =
          `${what}: tensors "${from[ours]}" and "${name}" differ, but one of them has to serve as both: models of the item id ` +
          'alone are imported, with one projection at most and with tied weights.';
        throw new RecommenderError('weights-mismatch', message);
      }
      found[ours] ??= tensor;
      from[ours] ??= name;
    }
    return found;
  },
};

/** What a whole model calls the tensors of `map`; the first that matches counts. */
const WHOLE_MODEL: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/\.(?:embedding_tables\.[^.]+|item_embedding_table)\.weight$|\.output_weights$/, 'item_embedding'],
  [/\.masked_item_embedding$/, 'masked_item_embedding'],
  [/\.(?:projection_module|body\.\d+)(?:\.0)+\.(weight|bias)$/, 'input_projection.$1'],
  [/\.transformer\.(.+)$/, 'transformer.$1'],
];

/** Constants that some versions of Hugging Face's models store. */
const BUFFERS = /\.(?:attn\.(?:bias|masked_bias)|position_ids|token_type_ids)$/;

/** Early versions of the library add it to the scores; it starts at 0. */
const NO_BIAS = /\.output_layer_bias$/;

const isEqual = (a: NdArray, b: NdArray): boolean =>
  a.data.length === b.data.length && a.data.every((x, i) => x === b.data[i]);

const maskingOf = (objective: string) => Object.keys(MASKINGS).find((name) => MASKINGS[name] === objective);

function named(given: Json, key: string, names: Readonly<Record<string, string>>): string {
  const value = String(given[key]);
  if (Object.hasOwn(names, value)) return names[value]!;
  throw bad(WHAT, `"${key}" must be one of ${Object.keys(names).join(', ')}, got ${JSON.stringify(given[key])}.`);
}

function ofTheLibrary(lm: string, objective: string, given: Json): Record<string, ConfigValue> {
  const dModel = wholeNumber(given, 'd_model');
  const projects = given.item_embedding_dim !== undefined;
  if (projects && given.item_embedding_dim !== dModel) {
    const got = JSON.stringify(given.item_embedding_dim);
    throw bad(
      WHAT,
      `"item_embedding_dim" must be "d_model", ${dModel}, got ${got}: else the library puts another layer before its tied softmax.`,
    );
  }
  return {
    form: 'library',
    lm,
    objective,
    dModel,
    itemEmbeddingDim: dModel,
    dInner: lm === 'bert' ? 3072 : 4 * dModel,
    ...(lm === 'transformer-xl' && { dHead: 64 }),
    nLayer: wholeNumber(given, 'n_layer'),
    nHead: wholeNumber(given, 'n_head'),
    totalSeqLength: wholeNumber(given, 'total_seq_length'),
    inputLayer: projects ? 'relu' : 'none',
    inputNorm: false,
    inputDropout: 0,
    padding: 'seen',
    maskPosition: 'beyond', // as the library asks, so that imported models answer as there
    labelSmoothing: 0,
    ...Object.fromEntries(
      Object.entries(OF_THE_TASK).flatMap(([theirs, ours]) => (theirs in given ? [[ours, given[theirs]]] : [])),
    ),
  };
}

function wholeNumber(reference: Json, key: string): number {
  const value = reference[key];
  if (Number.isSafeInteger(value)) return value as number;
  throw bad(WHAT, `"${key}" must be a whole number, got ${JSON.stringify(value)}.`);
}

function ofTheModel(lm: string, objective: string, resolved: Json): Record<string, ConfigValue> {
  const config: Record<string, ConfigValue> = {};
  for (const [ours, theirs] of Object.entries(RESOLVED)) {
    const key = theirs.find((name) => typeof resolved[name] === 'number');
    if (key !== undefined) config[ours] = resolved[key] as number;
  }
  if (config.dModel !== undefined) config.itemEmbeddingDim = config.dModel;
  for (const [key, expected] of Object.entries(FIXED)) {
    const value = resolved[key];
    if (value !== undefined && value !== expected) {
      throw bad(WHAT, `"${key}" must be ${JSON.stringify(expected)}, got ${JSON.stringify(value)}.`);
    }
  }
  const attention = objective === 'clm' ? 'uni' : 'bi';
  if (lm === 'xlnet' && (resolved.attn_type ?? 'bi') !== attention) {
    throw bad(
      WHAT,
      `xlnet with ${maskingOf(objective)} needs "attn_type" "${attention}", got ${JSON.stringify(resolved.attn_type)}: ` +
        'who predicts the next click must not see it, who fills gaps must see both sides.',
    );
  }
  if (lm === 'xlnet' && objective === 'clm' && resolved.same_length === true) {
    throw bad(WHAT, '"same_length" must be false, got true: with "attn_type" "uni" each click would see itself alone.');
  }
  const activation = resolved.hidden_act ?? resolved.activation_function ?? resolved.ff_activation ?? 'gelu';
  if (lm !== 'transformer-xl') config.hiddenAct = named({ activation }, 'activation', ACTIVATIONS);
  const epsilon =
    lm === 'gpt2' || lm === 'transformer-xl' ? (resolved.layer_norm_epsilon ?? 1e-5) : resolved.layer_norm_eps;
  if (typeof epsilon === 'number') config.layerNormEps = epsilon;
  if ((lm === 'transformer-xl' || lm === 'xlnet') && typeof resolved.clamp_len === 'number') {
    config.clampLen = Math.max(0, resolved.clamp_len);
  }
  if (lm === 'transformer-xl') {
    if (typeof resolved.d_head === 'number') config.dHead = resolved.d_head;
    if (typeof resolved.same_length === 'boolean') config.sameLength = String(resolved.same_length);
    if (typeof resolved.mem_len === 'number') config.memLen = resolved.mem_len;
  }
  if (lm === 'electra' && resolved.embedding_size !== undefined && resolved.embedding_size !== config.dModel) {
    throw bad(
      WHAT,
      `"embedding_size" must be the hidden size, ${config.dModel}, got ${JSON.stringify(resolved.embedding_size)}.`,
    );
  }
  return config;
}
