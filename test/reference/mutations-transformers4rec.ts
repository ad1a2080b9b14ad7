// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of sources.
/** Where ports of Transformers4Rec go astray, by its paper, its library and Hugging Face: each as an edit of our sources. */
import type { Mutation } from './mutations-gru4rec';

const FOLDER = 'src/models/transformers4rec';
const reference = ['test/models/transformers4rec-reference.test.ts'];
const model = ['test/models/transformers4rec.test.ts'];
const masking = ['test/objectives/masking.test.ts'];

const one = (error: string, file: string, before: string, after: string, tests: readonly string[]): Mutation => ({
  error: `Transformers4Rec: ${error}`,
  file,
  edits: [[before, after]],
  tests,
});
const ours = (error: string, file: string, before: string, after: string, tests = reference): Mutation =>
  one(error, `${FOLDER}/${file}.ts`, before, after, tests);

export const mutations: readonly Mutation[] = [
  ours(
    'ε of the library, 0.03, in the paper’s form',
    'settings',
    'given(layerNormEps, 1e-12)',
    'given(layerNormEps, 0.03)',
  ),
  ours('no tanh above the language model', 'model', "config.form === 'paper' ? tanh(c) : c", 'c'),
  ours('relu where the paper merges by tanh', 'model', "layer === 'tanh' ? tanh(m) : relu(m)", 'relu(m)'),
  ours('no bias of the tied softmax', 'model', '...(bias && { bias: bias as Tensor1D })', ''),
  ours(
    'the mask vector added to the click, not in its place',
    'model',
    'add(mul(x, sub(1, masked)), mul(params.mask!, masked))',
    'add(x, mul(params.mask!, masked))',
  ),
  ours(
    'the last click predicted again, not the next one',
    'prepare',
    "objective === 'clm' ? Math.max(0, count - 1) : count",
    'Math.max(0, count - 1)',
  ),
  ours(
    'the next click asked for at a position that training never reached',
    'settings',
    "totalSeqLength - Number(maskPosition === 'trained')",
    "totalSeqLength - Number(maskPosition === 'beyond')",
  ),
  ours('the empty column of plm seen by all', 'prepare', '(cell % width)] = 1', '(cell % width)] = 0'),
  ours(
    'a target sees itself in the order of prediction',
    'prepare',
    'Number(rank(i) <= rank(j))',
    'Number(rank(i) < rank(j))',
    model,
  ),
  ours('padding seen in the paper’s form', 'prepare', 'seen.some((count) => count < width)', 'false', model),
  ours('XLNet: later clicks seen in clm', 'xlnet', 'causal ? causalBias(width) : undefined', 'undefined'),
  ours(
    'XLNet: the content stream does not see its own column',
    'xlnet',
    'content: withOwnColumn(hidden, width), query',
    'content: hidden, query',
  ),
  ours('XLNet: feed-forward with relu', 'xlnet', 'drop(gelu(linear(u,', 'drop(((x: Tensor2D) => x.relu())(linear(u,'),
  ours(
    'Transformer-XL: feed-forward with gelu',
    'transformer-xl',
    "`layers.${l}.feed.inner`), 'relu'))",
    '`layers.${l}.feed.inner`)))',
  ),
  ours(
    'Transformer-XL: each click sees itself only, as the library is set',
    'settings',
    "sameLength === 'auto' ? form === 'library'",
    "sameLength === 'auto' ? true",
  ),
  ours('GPT-2: no norm above the last block', 'gpt2', "normAt(at, 'norm', e, epsilon)", 'e'),
  ours('BERT: no norm of the embedded clicks', 'bert', "drop(normAt(at, 'norm', placed, epsilon))", 'drop(placed)'),
  ours(
    'BERT: no vector of the segment',
    'bert',
    "add(slice(at('positions') as Tensor2D, 0, width), at('segment'))",
    "slice(at('positions') as Tensor2D, 0, width)",
  ),
  ours('no "1 +" where features meet element by element', 'features', 'plusOne ? add(sum, 1) : sum', 'sum', model),
  ours(
    'swap noise takes padding for a value',
    'prepare',
    'values.filter((value) => value !== 0)',
    'values.slice()',
    model,
  ),
  ours(
    'smoothed labels of the library in the paper’s form',
    'training',
    "isPaper ? 'others' : 'all'",
    "isPaper ? 'all' : 'all'",
    model,
  ),
  one(
    'u and w exchanged',
    'src/nn/relative-attention.ts',
    'asking(params.contentBias), k',
    'asking(params.distanceBias), k',
    reference,
  ),
  one(
    'distances with the wrong sign',
    'src/nn/relative-attention.ts',
    'data[c * d + k] = Math.sin(angle)',
    'data[c * d + k] = -Math.sin(angle)',
    reference,
  ),
  one(
    'scores scaled by the whole width',
    'src/nn/relative-attention.ts',
    'const width = params.query.shape[1] / heads;',
    'const width = params.query.shape[1];',
    reference,
  ),
  one(
    'nothing left to predict from',
    'src/objectives/masking.ts',
    'if (!targets.includes(0)) targets',
    'if (targets.length === 0) targets',
    masking,
  ),
  one(
    'the most likely replacement instead of a draw',
    'src/objectives/replaced.ts',
    'add(scores, tensor2d(gumbel(count * columns, random), [count, columns]))',
    'scores',
    reference,
  ),
  one(
    'replaced clicks told at the targets only',
    'src/train/discriminate.ts',
    'flat(notEqual(prepared.items!, 0))',
    'flat(labels)',
    reference,
  ),
  one(
    'a draw of the same item counted as replaced',
    'src/train/step.ts',
    'notEqual(draws, targets)',
    'notEqual(draws, 0)',
    reference,
  ),
  one(
    'a draw compared with the noise that stood there',
    'src/train/step.ts',
    "const labels = into(zerosLike(inputs.items!), cast(notEqual(draws, targets), 'int32'))",
    'const labels = notEqual(into(inputs.items!, draws), inputs.items!)',
    reference,
  ),
  one(
    'replacements drawn at another temperature than the loss',
    'src/train/step.ts',
    'atTemperature(lossInput(asked!, asked!), temperature)',
    'atTemperature(lossInput(asked!, asked!), 1)',
    reference,
  ),
];
