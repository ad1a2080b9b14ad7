/**
 * Transformers4Rec — de Souza Pereira Moreira et al., "Transformers4Rec: Bridging the Gap between NLP and Sequential /
 * Session-Based Recommendation", RecSys 2021, https://doi.org/10.1145/3460231.3474255.
 *
 *     f = LN(E[x]), LN(features)             each feature's vector on its own; numbers and angles as they are
 *     m = tanh(dropout([f]) Wm + bm)         merged: side by side, or element by element; library: relu
 *     m ← μ where a click is hidden          one learned vector
 *     h = lm(m)                              gru, gpt2, transformer-xl, bert, electra or xlnet
 *     c = tanh(h Wo + bo)                    library: h, or h Wo + bo where its width is not the item vector's
 *     sⱼ = c · E[j] + bⱼ                     the input table scores; library: no b
 *
 * `scoring: 'cosine'`, see `../scoring.ts`: E[x], E[j] and c have length 1, no b, and c is divided by the temperature.
 *
 * Forms: `paper` is the code that gave the paper's tables, `library` the one released after it. Either way the model
 * predicts the next click, which the library does not do for plm (see `transformers4rec-sessions.ts`).
 *
 * rtd: the same network tells which clicks a draw from its scores replaced: z = a(h Wd + bd) Wz + bz with tanh for a,
 * `hiddenAct` in the library.
 *
 * Differs from both: padding gets no probability in `paper`, and attention does not see it there; a column that nothing
 * reads is left out of batches.
 */
import {
  add,
  cast,
  concat,
  customGrad,
  equal,
  gather,
  mul,
  relu,
  reshape,
  slice,
  sub,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tanh,
  zerosLike,
} from '@tensorflow/tfjs';
import { activate } from '../../nn/activation';
import { layerNorm } from '../../nn/layer-norm';
import { linear } from '../../nn/linear';
import type { Params, PreparedTensors, Run, SessionModel } from '../model';
import { repeatsOf } from '../repeat-bias';
import { clickVectors, scoringTable, scoringVector } from '../scoring';
import type { ScoringConfig } from '../scoring-options';
import { bert } from './bert';
import { elementWise, featureVectors } from './feature-vectors';
import { gpt2 } from './gpt2';
import { gru } from './gru';
import { type LanguageModel, linearAt, type Named } from './language-model';
import type { LanguageModelName, T4RecConfig } from './options';
import { FEATURE_EPSILON, inputLayer, projects, seesPadding, sizeOf } from './settings';
import { transformerXl } from './transformer-xl';
import { transformers4recSpec } from './transformers4rec-spec';
import { xlnet } from './xlnet';

const LANGUAGE_MODELS: Readonly<Record<LanguageModelName, LanguageModel>> = {
  gru,
  gpt2,
  'transformer-xl': transformerXl,
  bert,
  electra: bert, // embeddings and hidden vectors are equally wide; what ELECTRA adds is the objective rtd and its head
  xlnet,
};

const named =
  (params: Params, prefix = ''): Named =>
  (name) =>
    params[prefix + name]!;

/** The options of scoring by the names that all architectures share; with `dot` the loss alone has the temperature. */
const cosineOf = ({ scoring, softmaxTemperature }: T4RecConfig): ScoringConfig => ({
  scoring,
  temperature: scoring === 'cosine' ? softmaxTemperature : 1,
});

/** E[x], `[B · W, d]`. */
function itemVectors(params: Params, items: Tensor2D, config: T4RecConfig): Tensor2D {
  const table = params.items as Tensor2D;
  const x = clickVectors(table, items, cosineOf(config), 1);
  if (config.form === 'paper' || !seesPadding(config)) return x;
  // The library's padding row learns as a column of the softmax, but not from being looked up.
  const isPadding = cast(equal(reshape(items, [items.size, 1]), 0), 'float32');
  const padding = scoringTable(slice(table, 0, 1), cosineOf(config));
  return add(mul(x, sub(1, isPadding)), mul(constant(padding), isPadding));
}

/** x itself, without a gradient. */
const constant = customGrad((x) => ({ value: (x as Tensor).clone(), gradFunc: (dy: Tensor) => zerosLike(dy) }));

/** m before clicks are hidden, `[B · W, d]`. */
function merged(params: Params, prepared: PreparedTensors, config: T4RecConfig, { dropout }: Run): Tensor2D {
  const { form, inputNorm, inputDropout, aggregation } = config;
  const early = <T extends Tensor>(x: T) => (form === 'library' ? dropout(x, inputDropout) : x);
  const normed = (name: string, x: Tensor2D, isNormed = true): Tensor2D => {
    const y = early(x);
    if (!(inputNorm && isNormed)) return y;
    const [gain, bias] = ['gain', 'bias'].map((part) => params[`norms.${name}.${part}`] as Tensor1D);
    return layerNorm(y, gain!, bias!, FEATURE_EPSILON);
  };
  const x = normed('items', itemVectors(params, prepared.items as Tensor2D, config));
  const features = featureVectors(params, prepared, config).map(({ name, vectors, isNormed }) =>
    normed(name, vectors, isNormed),
  );
  const together =
    aggregation !== 'concat'
      ? elementWise(x, features, aggregation === 'element-wise')
      : features.length > 0
        ? (concat([x, ...features], 1) as Tensor2D)
        : x;
  const layer = inputLayer(config);
  const y = form === 'library' ? together : dropout(together, inputDropout);
  if (layer === 'none') return y;
  const m = linear(y, linearAt(named(params), 'merge'));
  return layer === 'tanh' ? tanh(m) : relu(m);
}

/** h for every column, `[B · W, d]`. */
function hidden(params: Params, prepared: PreparedTensors, config: T4RecConfig, run: Run): Tensor2D {
  const [batch, width] = (prepared.items as Tensor2D).shape;
  let x = merged(params, prepared, config, run);
  if (prepared.masked) {
    const masked = prepared.masked as Tensor2D;
    x = add(mul(x, sub(1, masked)), mul(params.mask!, masked));
  }
  run.observe?.('inputs', x);
  const clicks = {
    x,
    batch,
    width,
    real: prepared.real as Tensor2D | undefined,
    hiddenPairs: prepared.hiddenPairs as Tensor3D | undefined,
  };
  const h = LANGUAGE_MODELS[config.lm](named(params, 'lm.'), clicks, sizeOf(config), run);
  run.observe?.('hidden', h);
  return h;
}

/** What scores of h, `[rows, d]`: c, with cosine scoring of length 1 over the temperature. */
function vectors(params: Params, h: Tensor2D, config: T4RecConfig): Tensor2D {
  const scored = (c: Tensor2D) => scoringVector(c, cosineOf(config));
  if (!projects(config)) return scored(h);
  const c = linear(h, linearAt(named(params), 'output'));
  return scored(config.form === 'paper' ? tanh(c) : c);
}

/** c after each column, `[B · W, d]`. */
export const clickScorers = (params: Params, prepared: PreparedTensors, config: T4RecConfig, run: Run): Tensor2D =>
  vectors(params, hidden(params, prepared, config, run), config);

/**
 * rtd: whether the click in each column of `items` was replaced, as a logit z, `[B · W]`. `prepared` holds the replacements in
 * `items`, and nothing is masked.
 */
export function discriminate(params: Params, prepared: PreparedTensors, config: T4RecConfig, run: Run): Tensor1D {
  const at = named(params, 'discriminator.');
  const h = hidden(params, prepared, config, run);
  const dense = linear(h, linearAt(at, 'dense'));
  const a = config.form === 'paper' ? tanh(dense) : activate(dense, { kind: config.hiddenAct });
  return reshape(linear(a, linearAt(at, 'score')), [h.shape[0]]);
}

export const transformers4rec: SessionModel<T4RecConfig> = {
  ...transformers4recSpec,
  encode(params, prepared, config, run) {
    const h = hidden(params, prepared, config, run);
    return vectors(params, gather(h, prepared.last as Tensor1D), config);
  },
  outputs: (params, config) => ({
    table: scoringTable(params.items as Tensor2D, cosineOf(config)),
    ...(params.bias && { bias: params.bias as Tensor1D }),
    ...repeatsOf(params),
  }),
};
