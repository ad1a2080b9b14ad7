/**
 * The errors that GRU4Rec's authors found in re-implementations of it ("The effect of third party implementations on
 * reproducibility", RecSys 2023, https://arxiv.org/abs/2307.14956), each as an edit of our sources.
 */
import type { Mutation } from './mutation';

const MODEL = 'src/models/gru4rec.ts';
const SPEC = 'src/models/gru4rec-spec.ts';
const TRAINING = 'src/models/gru4rec-training.ts';
const SCORES = 'src/nn/scores.ts';
const LOSSES = 'src/objectives/losses.ts';
const BPR_MAX = 'src/compute/kernels/shared/bpr-max.ts';
const SESSION_PARALLEL = 'src/objectives/session-parallel.ts';
const SCORER = 'src/ranking/neural-scorer.ts';

const losses = ['test/objectives/losses.test.ts'];
const reference = ['test/models/gru4rec-reference.test.ts'];
const sessionParallel = ['test/objectives/session-parallel.test.ts'];
const step = ['test/train/step.test.ts'];
const optimiser = ['test/train/optimiser.test.ts'];
const parameters = ['test/models/parameters.test.ts'];
const scorer = ['test/ranking/neural-scorer.test.ts'];
const model = ['test/models/gru4rec.test.ts'];
const golden = ['test/reference/golden.test.ts'];

export const mutations: readonly Mutation[] = [
  {
    error: 'softmax applied twice',
    file: TRAINING,
    edits: [
      ['return crossEntropy(corrected, own', 'return crossEntropy(softmax(corrected), own'],
      ['  range,\n', '  range,\n  softmax,\n'],
    ],
    tests: reference,
  },
  {
    error: 'softmax over the catalogue before the negatives are selected, all items scored',
    file: TRAINING,
    edits: [
      ['scoresOf(h, outputs, b.columns)', 'gather(softmax(scores(h, outputs)), b.columns, 1)'],
      ['import { scoresOf }', 'import { scores }'],
      ['  expandDims,\n  eye,\n', '  expandDims,\n  eye,\n  gather,\n'],
      ['  range,\n', '  range,\n  softmax,\n'],
    ],
    tests: reference,
  },
  {
    error: 'all items scored, then the sampled columns picked',
    file: SCORES,
    edits: [['scores(vectors, outputsOf(outputs, items))', 'gather(scores(vectors, outputs), items, 1)']],
    tests: ['test/models/gru4rec-training.test.ts', 'test/objectives/softmax.test.ts'],
  },
  {
    error: 'a step that reads and moves whole item tables',
    file: TRAINING,
    edits: [['touchedRows: true', 'touchedRows: false']],
    tests: step,
  },
  {
    error: 'reset mask not renewed: states wiped at later steps too',
    file: SESSION_PARALLEL,
    edits: [
      [
        'rows.map(({ start, at, last }, carriedFrom) => ({ start, at: at + 1, last, carriedFrom }))',
        'rows.map(({ start, at, last, carriedFrom: old }, row) => ({ start, at: at + 1, last, carriedFrom: old < 0 ? -1 : row }))',
      ],
    ],
    tests: sessionParallel,
  },
  {
    error: 'state not reset where a session ends, in training',
    file: SESSION_PARALLEL,
    edits: [
      ['(next < count ? [start()] : [])', '(next < count ? [{ ...start(), carriedFrom: row.carriedFrom }] : [])'],
    ],
    tests: sessionParallel,
  },
  {
    error: 'a fresh session keeps the state of the row that it takes',
    file: SESSION_PARALLEL,
    edits: [["cast(greaterEqual(carriedFrom, 0), 'float32')", "cast(greaterEqual(carriedFrom, -1), 'float32')"]],
    tests: step,
  },
  {
    error: 'state not reset where a session ends, in evaluation',
    file: SCORER,
    edits: [['sources.push(isOver ? 0 : i + 1)', 'sources.push(i + 1)']],
    tests: scorer,
  },
  {
    error: 'epoch ends when the batch can no longer be filled',
    file: SESSION_PARALLEL,
    edits: [['while (rows.length >= fewest)', 'while (rows.length >= batchSize)']],
    tests: sessionParallel,
  },
  {
    error: 'BPR-max without score regularisation',
    file: TRAINING,
    edits: [['bprMax(r, own, config.bpreg)', 'bprMax(r, own, 0 * config.bpreg)']],
    tests: reference,
  },
  {
    error: 'BPR-max weighted by a softmax over all columns',
    file: BPR_MAX,
    edits: [['  share -= own;\n', '']],
    tests: losses,
  },
  {
    error: 'TOP1-max weighted by a softmax over all columns',
    file: LOSSES,
    edits: [["softmax(where(cast(mask, 'bool'), MASKED, r))", "softmax(where(cast(mask, 'bool'), r, r))"]],
    tests: losses,
  },
  {
    error: 'log(0) in BPR-max: no guard',
    file: BPR_MAX,
    edits: [['-Math.log(ranking + TINY)', '-Math.log(ranking)']],
    tests: losses,
  },
  {
    error: 'bpreg hard-coded',
    file: TRAINING,
    edits: [['bprMax(r, own, config.bpreg)', 'bprMax(r, own, 1)']],
    tests: reference,
  },
  {
    error: 'dropout of the last layer missing',
    file: MODEL,
    edits: [
      [
        'x = dropout(next, config.dropoutPHidden)',
        'x = i + 1 < state.length ? dropout(next, config.dropoutPHidden) : next',
      ],
    ],
    tests: step,
  },
  {
    error: 'dropout of a separate embedding missing',
    file: MODEL,
    edits: [['items), config.dropoutPEmbed)', "items), mode === 'separate' ? 0 : config.dropoutPEmbed)"]],
    tests: step,
  },
  {
    error: 'one dropout for both places',
    file: MODEL,
    edits: [['items), config.dropoutPEmbed)', 'items), config.dropoutPHidden)']],
    tests: step,
  },
  {
    error: 'dropout value used as the probability to keep',
    file: 'src/nn/dropout.ts',
    edits: [['{ x }, { rate, seed }', '{ x }, { rate: 1 - rate, seed }']],
    tests: step,
  },
  {
    error: 'dropout hard-coded',
    file: MODEL,
    edits: [['dropout(next, config.dropoutPHidden)', 'dropout(next, 0.2)']],
    tests: step,
  },
  {
    error: 'large accumulator at the start',
    file: 'src/train/optimiser.ts',
    edits: [
      [': zeros(param.shape)', ": fill(param.shape, slot === 'accumulator' ? 0.1 : 0)"],
      [', zeros }', ', fill }'],
    ],
    tests: optimiser,
  },
  {
    error: 'exponential learning-rate decay added',
    file: TRAINING,
    edits: [["schedule: { kind: 'constant' }", "schedule: { kind: 'step', every: 1, factor: 0.96 }"]],
    tests: parameters,
  },
  {
    error: 'learning rate hard-coded',
    file: TRAINING,
    edits: [['learningRate: config.learningRate', 'learningRate: 0.001']],
    tests: [...parameters, ...golden],
  },
  {
    error: 'batch size hard-coded',
    file: TRAINING,
    edits: [
      ['{ batchSize, nSample }) =>', '{ nSample }) =>'],
      ['sessionParallel(sessions, batchSize,', 'sessionParallel(sessions, 50,'],
    ],
    tests: ['test/train/epochs.test.ts', 'test/train/trainer.test.ts', ...golden],
  },
  {
    error: 'hidden size hard-coded',
    file: SPEC,
    edits: [['const { layers, embedding } = config;', 'const { embedding } = config;\n  const layers = [100];']],
    tests: parameters,
  },
  {
    error: 'Adam in place of Adagrad',
    file: TRAINING,
    edits: [
      ["kind: 'adagrad'", "kind: 'adam'"],
      ['momentum: config.momentum', "beta1: 0.9, beta2: 0.999, weightDecay: { amount: 0, kind: 'coupled' }"],
    ],
    tests: [...parameters, ...golden],
  },
  {
    error: 'momentum missing',
    file: TRAINING,
    edits: [['momentum: config.momentum', 'momentum: 0']],
    tests: [...parameters, ...golden],
  },
  {
    error: 'momentum moves rows that the step does not touch',
    file: 'src/train/step.ts',
    edits: [
      [
        'this.optimiser.update(name, this.params[name]!, gradient, rowsOf(name), learningRate, step + 1);',
        `const velocity = rowsOf(name) && this.optimiser.slots[\`\${name}.velocity\`];
        const before = velocity && this.params[name]!.dataSync().slice();
        this.optimiser.update(name, this.params[name]!, gradient, rowsOf(name), learningRate, step + 1);
        if (velocity && before) {
          const [p, v] = [this.params[name]!.dataSync(), velocity.dataSync()];
          for (let k = 0; k < p.length; k++) if (p[k] === before[k]) p[k]! += 0.5 * v[k]!;
        }`,
      ],
    ],
    tests: step,
  },
  {
    error: 'gradients of an id that occurs twice applied one by one',
    file: 'src/train/row-finder.ts',
    edits: [['if (row[item]! < 0) row[item]', 'row[item]']],
    tests: ['test/train/row-finder.test.ts', ...step],
  },
  {
    error: 'matrices not started by Glorot',
    file: 'src/models/parameters.ts',
    edits: [['limit: Math.sqrt(6 / (rows + columns))', 'limit: 1 / Math.sqrt(columns)']],
    tests: parameters,
  },
  {
    error: 'Glorot over the three gates together',
    file: SPEC,
    edits: [['init: glorotUniform(h, h)', 'init: glorotUniform(h, 3 * h)']],
    tests: parameters,
  },
  {
    error: 'shared embedding missing',
    file: SPEC,
    edits: [["constrainedEmbedding ? 'constrained' : embedding", "constrainedEmbedding ? 'one-hot' : embedding"]],
    tests: reference,
  },
  {
    error: 'extra samples missing',
    file: TRAINING,
    edits: [['config.sampleAlpha, config.nSample,', 'config.sampleAlpha, 0,']],
    tests: reference,
  },
  {
    error: 'sampleAlpha ignored',
    file: TRAINING,
    edits: [['config.sampleAlpha, config.nSample,', '1, config.nSample,']],
    tests: reference,
  },
  {
    error: 'sampling by popularity whatever alpha says',
    file: 'src/objectives/negatives.ts',
    edits: [['support[i]! ** alpha', 'support[i]!']],
    tests: ['test/objectives/negatives.test.ts'],
  },
  {
    error: 'logQ missing',
    file: TRAINING,
    edits: [
      ["config.loss === 'cross-entropy' && config.logq > 0", "config.loss === 'cross-entropy' && config.logq < 0"],
    ],
    tests: golden,
  },
  {
    error: 'logQ by the raw support in the extra columns',
    file: TRAINING,
    edits: [['(j < split ? 1 : config.sampleAlpha)', '1']],
    tests: golden,
  },
  {
    error: 'logQ applied at inference',
    file: SCORER,
    edits: [
      [
        'const outputs = itemSide(model, params, config, n);',
        `const side = itemSide(model, params, config, n);
  const { logq = 0 } = config as { logq?: number };
  const q = Float32Array.from({ length: n }, (_, k) => logq * Math.log(catalogue.support?.[k + 1] ?? 1));
  const outputs: ItemSide = { ...side, scores: (v) => add(side.scores(v), tensor1d(q.map((x) => -x))) };`,
      ],
    ],
    tests: model,
  },
  {
    error: 'loss divided by the live rows instead of the nominal batch size',
    file: TRAINING,
    edits: [['div(sum(rows), config.batchSize)', 'div(sum(rows), rows.shape[0])']],
    tests: [...step, ...reference],
  },
  {
    error: 'hard sigmoid in the cell, the default of layer libraries',
    file: 'src/nn/gru.ts',
    edits: [
      ['import { add, matMul, mul, sigmoid, split,', 'import { add, clipByValue, matMul, mul, split,'],
      [
        "} from '@tensorflow/tfjs';\n",
        "} from '@tensorflow/tfjs';\n\nconst sigmoid = (x: Tensor2D): Tensor2D => clipByValue(add(mul(x, 0.2), 0.5), 0, 1);\n",
      ],
    ],
    tests: reference,
  },
  {
    error: 'crashes on unknown items of a session',
    file: 'src/engine/model-items.ts',
    edits: [['session.filter(({ itemId }) => indices.has(itemId))', 'session.filter(() => true)']],
    tests: ['test/engine/local-engine.test.ts'],
  },
  {
    error: 'sessions in the order of the file, not of their first event',
    file: 'src/session/build.ts',
    edits: [
      [
        'sortByTime(order, 0, order.length, (s) => first(rows[offsets[s]!]!));',
        'sortByTime(order, 0, order.length, () => first(rows[0]!));',
      ],
    ],
    tests: ['test/session/properties.test.ts', 'test/session/read-text.test.ts'],
  },
  {
    error: 'one row left without extra samples, and so without a negative',
    file: TRAINING,
    edits: [['nSample === 0 ? 2 : 1', '1']],
    tests: ['test/train/trainer.test.ts'],
  },
  {
    error: 'the state carried on is the one before dropout',
    file: MODEL,
    edits: [
      [
        `    return x;
  });`,
        `    return next;
  });`,
      ],
    ],
    tests: step,
  },
  {
    error: 'dropout of the input in one-hot mode, as in the PyTorch code',
    file: MODEL,
    edits: [
      [
        'x = dropout(next, config.dropoutPHidden)',
        "x = dropout(next, mode === 'one-hot' && i === 0 ? config.dropoutPEmbed : config.dropoutPHidden)",
      ],
    ],
    tests: step,
  },
  {
    error: 'no item bias',
    file: MODEL,
    edits: [[' bias: params.bias as Tensor1D,', '']],
    tests: reference,
  },
  {
    error: 'the one-hot layer resets after the product',
    file: SPEC,
    edits: [["layer === 0 && inputMode(config) === 'one-hot'", "layer < 0 && inputMode(config) === 'one-hot'"]],
    tests: [...reference, ...parameters],
  },
  {
    error: 'gates of an imported one-hot layer in the order of the file',
    file: 'src/checkpoint/imports/gru4rec.ts',
    edits: [
      ['from: [0, h], to: [top, 0], size: [rows, 2 * h]', 'to: [top, 0], size: [rows, 2 * h]'],
      ['to: [top, 2 * h], size: [rows, h]', 'from: [0, 2 * h], to: [top, 2 * h], size: [rows, h]'],
    ],
    tests: ['test/checkpoint/imports.test.ts'],
  },
  {
    error: 'equal ids masked for each other',
    file: TRAINING,
    edits: [
      [
        'const s = scoresOf(h, outputs, b.columns);',
        'const s = maskEqual(scoresOf(h, outputs, b.columns), slice(b.columns, 0, h.shape[0]), b.columns);',
      ],
      ['  range,\n', '  range,\n  slice,\n'],
      ["} from '@tensorflow/tfjs';\n", "} from '@tensorflow/tfjs';\nimport { maskEqual } from '../nn/masked';\n"],
    ],
    tests: reference,
  },
  {
    error: 'TOP1 with the square term of its own positive',
    file: LOSSES,
    edits: [
      [
        'return sub(mean(add(sigmoid(sub(r, target)), sigmoid(square(r))), 1), own);',
        'return sub(mean(add(sigmoid(sub(r, target)), sigmoid(square(r))), 1), mul(own, 0));',
      ],
    ],
    tests: losses,
  },
  {
    error: 'TOP1 without tanh',
    file: TRAINING,
    edits: [["loss === 'top1' ? 'tanh' : 'linear'", "loss === 'top1' ? 'linear' : 'linear'"]],
    tests: reference,
  },
  {
    error: 'elu of BPR-max with α of 1 whatever is asked',
    file: TRAINING,
    edits: [["return { kind: 'elu', alpha: eluParam };", "return { kind: 'elu', alpha: 1 };"]],
    tests: reference,
  },
  {
    error: 'no gradient through the weights of BPR-max',
    file: BPR_MAX,
    edits: [
      [
        'slope[j] = pull * (turn - w * (s - ranking)) + push * w * (x * x - squares + 2 * x);',
        'slope[j] = pull * turn + push * w * 2 * x;',
      ],
    ],
    tests: [...losses, ...reference],
  },
  {
    error: 'no gradient through the weights of TOP1-max',
    file: LOSSES,
    edits: [
      [
        'const negativeWeights = (r: Tensor2D, mask: Tensor2D): Tensor2D => softmax(where(',
        'const negativeWeights = (r: Tensor2D, mask: Tensor2D): Tensor2D => fixed(where(',
      ],
      [
        '/** Softmax over the negatives alone:',
        `const fixed = customGrad((x) => ({ value: softmax(x as Tensor2D), gradFunc: (dy) => zerosLike(dy as Tensor) })) as (x: Tensor2D) => Tensor2D;

/** Softmax over the negatives alone:`,
      ],
      [
        `  cast,
`,
        `  cast,
  customGrad,
  zerosLike,
`,
      ],
    ],
    tests: [...losses, ...reference],
  },
  {
    error: 'BPR over the negatives only',
    file: LOSSES,
    edits: [
      [
        'return sum(softplus(sub(r, positiveScore(r, isPositive(r, positive)))), 1);',
        'return sum(mul(softplus(sub(r, positiveScore(r, isPositive(r, positive)))), sub(1, isPositive(r, positive))), 1);',
      ],
    ],
    tests: losses,
  },
  {
    error: 'logq splits at the live rows where the port splits at the nominal batch',
    file: TRAINING,
    edits: [['logq(columns, config.batchSize, support', 'logq(columns, targets.length, support']],
    tests: golden,
  },
  {
    error: 'no guard in the logarithm of cross-entropy',
    file: TRAINING,
    edits: [['const GUARD = 1e-24;', 'const GUARD = 0;']],
    tests: reference,
  },
  {
    error: 'ε of Adagrad outside the root',
    file: 'src/compute/kernels/shared/updates.ts',
    edits: [['Math.sqrt(sum + epsilon)', '(Math.sqrt(sum) + epsilon)']],
    tests: ['test/compute/kernels/updates.test.ts', ...optimiser],
  },
  {
    error: 'Nesterov momentum, as the documentation calls it',
    file: 'src/compute/kernels/shared/updates.ts',
    edits: [['p[at]! += speed;', 'p[at]! += momentum * speed - step;']],
    tests: ['test/compute/kernels/updates.test.ts', ...optimiser],
  },
  {
    error: 'gradients of an id that is input and target not added',
    file: 'src/train/row-finder.ts',
    edits: [['if (!this.#shared) {', 'if (this.#shared || !this.#shared) {']],
    tests: ['test/train/row-finder.test.ts', ...step],
  },
  {
    error: 'dropout without the scale 1 / (1 − p)',
    file: 'src/compute/kernels/shared/dropout.ts',
    edits: [['Float64Array.of(0, 1 / (1 - rate))', 'Float64Array.of(0, 1)']],
    tests: ['test/compute/kernels/dropout.test.ts'],
  },
  {
    error: 'the share below which no draw falls: the last item never drawn',
    file: 'src/objectives/negatives.ts',
    edits: [['let high = cumulative.length - 1;', 'let high = cumulative.length - 2;']],
    tests: ['test/objectives/negatives.test.ts'],
  },
  {
    error: 'deeper layers read the item, not the layer below',
    file: MODEL,
    edits: [
      [
        `x = dropout(next, config.dropoutPHidden);
    return x;`,
        `const out = dropout(next, config.dropoutPHidden);
    if (state[i + 1]?.shape[1] !== x?.shape[1]) x = out;
    return out;`,
      ],
    ],
    tests: reference,
  },
];
