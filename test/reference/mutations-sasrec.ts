/** Where ports of SASRec and gSASRec go astray, by their specification and codes: each as an edit of our sources. */
import type { Mutation } from './mutation';

const MODEL = 'src/models/sasrec.ts';
const SPEC = 'src/models/sasrec-spec.ts';
const SCORING = 'src/models/scoring.ts';
const TRAINING = 'src/models/sasrec-training.ts';
const LOSSES = 'src/objectives/losses.ts';

const reference = ['test/models/sasrec-reference.test.ts'];
const model = ['test/models/sasrec.test.ts'];
const options = ['test/models/sasrec-options.test.ts'];
const gbce = ['test/objectives/gbce.test.ts'];

export const mutations: readonly Mutation[] = [
  {
    error: 'SASRec: a session of a later group read at the cells of the first',
    file: 'src/objectives/examples.ts',
    edits: [['      first += width;\n', '      first = width * place;\n']],
    tests: ['test/objectives/examples.test.ts', 'test/objectives/bucketing.test.ts'],
  },
  {
    error: 'SASRec: a batch cut by length though padding keys take part',
    file: SPEC,
    edits: [["config.positions === 'start' || masksPadding(config);", 'config.maxlen > 0;']],
    tests: [...reference, ...model],
  },
  {
    error: 'SASRec: embedded clicks not scaled by √d',
    file: SCORING,
    edits: [['{ sqrt: Math.sqrt(d),', '{ sqrt: 1,']],
    tests: reference,
  },
  {
    error: 'SASRec: scores from the scaled table',
    file: SCORING,
    edits: [['normaliseRows(table) : table;', 'normaliseRows(table) : mul(table, Math.sqrt(table.shape[1]));']],
    tests: reference,
  },
  {
    error: 'SASRec: padding not zeroed after a block',
    file: MODEL,
    edits: [['return mask(add(ffn(w), w));', 'return add(ffn(w), w);']],
    tests: reference,
  },
  {
    error: 'SASRec: padding keys take part in the official form',
    file: SPEC,
    edits: [["choose(maskPadding, norm === 'tf')", 'choose(maskPadding, false)']],
    tests: [...reference, ...model],
  },
  {
    error: 'SASRec: padding keys hidden in the port’s forms',
    file: SPEC,
    edits: [["choose(maskPadding, norm === 'tf')", 'choose(maskPadding, true)']],
    tests: reference,
  },
  {
    error: 'SASRec: no causal mask',
    file: MODEL,
    edits: [
      [
        'return keys ? minimum(causalBias(width), keys) : causalBias(width);',
        'return keys ?? mul(causalBias(width), 0);',
      ],
      ['  minimum,\n', ''],
    ],
    tests: model,
  },
  {
    error: 'SASRec: the residual adds the raw query',
    file: MODEL,
    edits: [['ln2(add(attention(q, e), q))', 'ln2(add(attention(q, e), pick(e)))']],
    tests: reference,
  },
  {
    error: 'SASRec: the feed-forward adds what is not normalised',
    file: MODEL,
    edits: [
      ['const w = ln2(add(attention(q, e), q));', 'const u = add(attention(q, e), q);\n  const w = ln2(u);'],
      ['return mask(add(ffn(w), w));', 'return mask(add(ffn(w), u));'],
    ],
    tests: reference,
  },
  {
    error: 'SASRec: keys and values normalised in the official form',
    file: MODEL,
    edits: [['ln2(add(attention(q, e), q))', 'ln2(add(attention(q, ln1(e)), q))']],
    tests: reference,
  },
  {
    error: 'SASRec: keys and values raw in pre-norm',
    file: MODEL,
    edits: [['attention(pick(n), n)', 'attention(pick(n), e)']],
    tests: reference,
  },
  {
    error: 'SASRec: an output projection in the official form',
    file: SPEC,
    edits: [["choose(outputProjection, norm !== 'tf')", 'choose(outputProjection, true)']],
    tests: model,
  },
  {
    error: 'SASRec: positions of the port counted from 0',
    file: MODEL,
    edits: [['const offset = firstPosition(config) + (', 'const offset = (']],
    tests: reference,
  },
  {
    error: 'SASRec: the newest click has position 0',
    file: MODEL,
    edits: [["(positions === 'end' ? maxlen - width : 0)", '0']],
    tests: model,
  },
  {
    error: 'SASRec: padded on the other side',
    file: SPEC,
    edits: [["config.positions === 'end' ? 'left' : 'right'", "config.positions === 'end' ? 'right' : 'left'"]],
    tests: model,
  },
  {
    error: 'SASRec: the last column read where padding is on the right',
    file: 'src/models/padding.ts',
    edits: [
      [
        "last[row] = side === 'left' ? (row + 1) * width - 1 : first + Math.max(n, 1) - 1;",
        'last[row] = (row + 1) * width - 1;',
      ],
    ],
    tests: model,
  },
  {
    error: 'SASRec: long sessions keep their oldest clicks',
    file: 'src/models/padding.ts',
    edits: [['data[start + t] = items[items.length - length + t]!', 'data[start + t] = items[t]!']],
    tests: model,
  },
  {
    error: 'SASRec: the layer norm epsilon of TensorFlow.js, 1e-3',
    file: MODEL,
    edits: [['as Tensor1D, config.layerNormEps);', 'as Tensor1D, 1e-3);']],
    tests: reference,
  },
  {
    error: 'SASRec: attention scaled by √d instead of √(d / heads)',
    file: 'src/nn/attention.ts',
    edits: [
      ['scale: Math.sqrt(heads / d)', 'scale: Math.sqrt(1 / d)'],
      ['mul(linear(x, query), Math.sqrt(heads / d))', 'mul(linear(x, query), Math.sqrt(1 / d))'],
    ],
    tests: reference,
  },
  {
    error: 'SASRec: negatives may be items of the session',
    file: TRAINING,
    edits: [["config.loss === 'bce' ? itemsOf", "config.loss === 'gbce' ? itemsOf"]],
    tests: ['test/objectives/negatives.test.ts'],
  },
  {
    error: 'SASRec: β₂ of Adam as everywhere else',
    file: SPEC,
    edits: [['beta2: number(0.98,', 'beta2: number(0.999,']],
    tests: ['test/models/sasrec-training.test.ts'],
  },
  {
    error: 'SASRec: the tanh form of GELU',
    file: 'src/nn/gelu.ts',
    edits: [
      [
        'mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5)',
        'mul(add(tanh(mul(add(x, mul(0.044715, mul(x, square(x)))), Math.sqrt(2 / Math.PI))), 1), 0.5)',
      ],
    ],
    tests: ['test/nn/activation.test.ts'],
  },
  {
    error: 'gSASRec: α counts the target, K / n',
    file: LOSSES,
    edits: [['negatives / (items - 1)', 'negatives / items']],
    tests: gbce,
  },
  {
    error: 'gSASRec: β weighs the negatives too',
    file: 'src/nn/sampled-binary.ts',
    edits: [['[[beta, ...Array<number>(columns - 1).fill(1)]]', '[Array<number>(columns).fill(beta)]']],
    tests: gbce,
  },
  {
    error: 'gSASRec: a sum over target and negatives instead of their mean',
    file: TRAINING,
    edits: [['total = div(total, K + 1);', 'total = div(total, 1);']],
    tests: reference,
  },
  {
    error: 'gSASRec: a mean over the negatives alone',
    file: TRAINING,
    edits: [['total = div(total, K + 1);', 'total = div(total, K);']],
    tests: reference,
  },
  {
    error: 'gSASRec: calibration upside down, t for 1 − t',
    file: LOSSES,
    edits: [['1 - calibration * (1 -', '1 - (1 - calibration) * (1 -']],
    tests: gbce,
  },
  {
    error: 'gSASRec: negatives that collide are drawn again',
    file: TRAINING,
    edits: [["config.loss === 'bce' ? itemsOf", "config.loss !== 'ce' ? itemsOf"]],
    tests: ['test/objectives/negatives.test.ts'],
  },
  {
    error: 'gSASRec: scores from the input table in spite of a table of its own',
    file: MODEL,
    edits: [["params[config.reuseItemEmbeddings ? 'items' : 'outputs']", "params['items']"]],
    tests: reference,
  },
  {
    error: 'gSASRec: √d kept',
    file: SCORING,
    edits: [['none: 1 })[scale]', 'none: Math.sqrt(d) })[scale]']],
    tests: reference,
  },
  {
    error: 'cosine scoring: the session vector keeps its length',
    file: SCORING,
    edits: [['const vector = isCosine(config) ? normaliseRows(c) : c;', 'const vector = c;']],
    tests: reference,
  },
  {
    error: 'cosine scoring: item vectors keep their length on input',
    file: SCORING,
    edits: [['const e = isCosine(config) ? normaliseRows(x) : x;', 'const e = x;']],
    tests: reference,
  },
  {
    error: 'SASRec: no norm above the last block',
    file: MODEL,
    edits: [["return layerNormOf('norm')(e);", 'return e;']],
    tests: reference,
  },
  {
    error: 'SASRec: the position vector stays at padding',
    file: MODEL,
    edits: [['return mask(reshape(e, [batch * width, d]), prepared);', 'return reshape(e, [batch * width, d]);']],
    tests: reference,
  },
  {
    error: 'SASRec: no dropout of attention weights',
    file: MODEL,
    edits: [['queryMask, dropout }', 'queryMask }']],
    tests: options,
  },
  {
    error: 'SASRec: no dropout of the embedded clicks',
    file: MODEL,
    edits: [
      [
        'const e = dropout(add(reshape(x, [batch, width, d]), p), dropoutEmbed < 0 ? dropoutRate : dropoutEmbed);',
        'const e = add(reshape(x, [batch, width, d]), p);',
      ],
      ['maxlen, positions, dropoutRate, dropoutEmbed } = config', 'maxlen, positions } = config'],
      ['config: SasrecConfig, { dropout }: Run): Tensor2D {', 'config: SasrecConfig, _: Run): Tensor2D {'],
    ],
    tests: options,
  },
  {
    error: 'SASRec: a hidden score of −∞, which turns rows without a key into NaN',
    file: 'src/nn/masked.ts',
    edits: [['export const MASKED = -6e4;', 'export const MASKED = Number.NEGATIVE_INFINITY;']],
    tests: [...reference, ...model],
  },
  {
    error: 'SASRec: a wider feed-forward layer, as BERT has',
    file: SPEC,
    edits: [['const inner = innerSize || d;', 'const inner = innerSize || 4 * d;']],
    tests: model,
  },
  {
    error: 'SASRec: matrices of the port not drawn by Xavier’s normal',
    file: SPEC,
    edits: [
      [
        `    table: glorotNormal,
`,
        `    table: glorotUniform,
`,
      ],
    ],
    tests: ['test/models/parameters.test.ts', ...options, ...model],
  },
  {
    error: 'gSASRec: β₂ of SASRec kept',
    file: 'src/checkpoint/imports/gsasrec.ts',
    edits: [["loss: 'gbce', beta2: 0.999 }", "loss: 'gbce' }"]],
    tests: ['test/checkpoint/imports.test.ts'],
  },
  {
    error: 'gSASRec: tables not started by N(0, 1)',
    file: SPEC,
    edits: [["table: () => ({ kind: 'normal', std: 1 })", "table: () => ({ kind: 'normal', std: 0.02 })"]],
    tests: ['test/models/parameters.test.ts', ...options, ...model],
  },
  {
    error: 'Adam: ε inside the root',
    file: 'src/compute/kernels/shared/updates.ts',
    edits: [['(Math.sqrt(square) * scale + epsilon)', 'Math.sqrt(square * scale * scale + epsilon)']],
    tests: ['test/compute/kernels/updates.test.ts', 'test/train/optimiser.test.ts'],
  },
  {
    error: 'Adam: no correction of its first steps',
    file: 'src/compute/kernels/shared/update-shapes.ts',
    edits: [['rate: learningRate / (1 - beta1 ** step),', 'rate: learningRate,']],
    tests: ['test/compute/kernels/updates.test.ts', 'test/train/optimiser.test.ts'],
  },
];
