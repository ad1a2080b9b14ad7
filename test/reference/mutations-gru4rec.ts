/**
 * The errors that GRU4Rec's authors found in re-implementations of it ("The effect of third party implementations on
 * reproducibility", RecSys 2023, https://arxiv.org/abs/2307.14956), each as an edit of our sources.
 */
export interface Mutation {
  /** The published error, in a few words. */
  readonly error: string;
  readonly file: string;
  /** Text that occurs once in the file, and what replaces it. */
  readonly edits: readonly (readonly [from: string, to: string])[];
  /** Test files of which some test must fail. */
  readonly tests: readonly string[];
}

const MODEL = 'src/models/gru4rec.ts';
const OBJECTIVE = 'src/objectives/objective.ts';
const LOSSES = 'src/objectives/losses.ts';
const BPR_MAX = 'src/compute/kernels/shared/bpr-max.ts';
const BATCHES = 'src/train/batches.ts';
const SCORER = 'src/ranking/neural-scorer.ts';

const losses = ['test/objectives/losses.test.ts'];
const reference = ['test/models/gru4rec-reference.test.ts'];
const batches = ['test/train/batches.test.ts'];
const step = ['test/train/step.test.ts'];
const optimiser = ['test/train/optimiser.test.ts'];
const parameters = ['test/models/parameters.test.ts'];
const scorer = ['test/ranking/neural-scorer.test.ts'];
const model = ['test/models/gru4rec.test.ts'];

export const mutations: readonly Mutation[] = [
  {
    error: 'softmax applied twice',
    file: OBJECTIVE,
    edits: [
      ['return crossEntropy(scores, positive', 'return crossEntropy(softmax(scores), positive'],
      ['  slice,\n', '  slice,\n  softmax,\n'],
    ],
    tests: losses,
  },
  {
    error: 'softmax over the catalogue before the negatives are selected, all items scored',
    file: OBJECTIVE,
    edits: [
      ['productScores(vectors, rowsOfItems(outputs, ids))', 'gather(softmax(productScores(vectors, outputs)), ids, 1)'],
      ['  slice,\n', '  slice,\n  softmax,\n'],
    ],
    tests: losses,
  },
  {
    error: 'all items scored, then the sampled columns picked',
    file: OBJECTIVE,
    edits: [['productScores(vectors, rowsOfItems(outputs, ids))', 'gather(productScores(vectors, outputs), ids, 1)']],
    tests: losses,
  },
  {
    error: 'a step that reads and moves whole item tables',
    file: MODEL,
    edits: [['touchedRows: true', 'touchedRows: false']],
    tests: step,
  },
  {
    error: 'reset mask not renewed: states wiped at later steps too',
    file: BATCHES,
    edits: [
      [
        'rows.map(({ start, at, last }, carriedFrom) => ({ start, at: at + 1, last, carriedFrom }))',
        'rows.map(({ start, at, last, carriedFrom: old }, row) => ({ start, at: at + 1, last, carriedFrom: old < 0 ? -1 : row }))',
      ],
    ],
    tests: batches,
  },
  {
    error: 'state not reset where a session ends, in training',
    file: BATCHES,
    edits: [
      ['(next < count ? [start()] : [])', '(next < count ? [{ ...start(), carriedFrom: row.carriedFrom }] : [])'],
    ],
    tests: batches,
  },
  {
    error: 'a fresh session keeps the state of the row that it takes',
    file: 'src/train/step.ts',
    edits: [["cast(greaterEqual(from, 0), 'float32')", "cast(greaterEqual(from, -1), 'float32')"]],
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
    file: BATCHES,
    edits: [['while (rows.length >= fewestRows)', 'while (rows.length >= batchSize)']],
    tests: batches,
  },
  {
    error: 'BPR-max without score regularisation',
    file: LOSSES,
    edits: [['bprMaxLoss(r, positive, bpreg)', 'bprMaxLoss(r, positive, 0 * bpreg)']],
    tests: losses,
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
  { error: 'bpreg hard-coded', file: MODEL, edits: [['bpreg: config.bpreg', 'bpreg: 1']], tests: parameters },
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
      ['  zeros,\n', '  fill,\n'],
    ],
    tests: optimiser,
  },
  {
    error: 'exponential learning-rate decay added',
    file: MODEL,
    edits: [["schedule: { kind: 'constant' }", "schedule: { kind: 'step', every: 1, factor: 0.96 }"]],
    tests: parameters,
  },
  {
    error: 'learning rate hard-coded',
    file: MODEL,
    edits: [['learningRate: config.learningRate', 'learningRate: 0.001']],
    tests: parameters,
  },
  {
    error: 'batch size hard-coded',
    file: MODEL,
    edits: [['batchSize: config.batchSize', 'batchSize: 50']],
    tests: parameters,
  },
  {
    error: 'hidden size hard-coded',
    file: MODEL,
    edits: [['const { layers, embedding } = config;', 'const { embedding } = config;\n  const layers = [100];']],
    tests: parameters,
  },
  {
    error: 'Adam in place of Adagrad',
    file: MODEL,
    edits: [
      ["kind: 'adagrad'", "kind: 'adam'"],
      ['momentum: config.momentum', "beta1: 0.9, beta2: 0.999, weightDecay: { amount: 0, kind: 'coupled' }"],
    ],
    tests: parameters,
  },
  { error: 'momentum missing', file: MODEL, edits: [['momentum: config.momentum', 'momentum: 0']], tests: parameters },
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
    file: 'src/train/rows.ts',
    edits: [['if (row[id]! < 0) row[id]', 'row[id]']],
    tests: ['test/train/rows.test.ts', 'test/train/step.test.ts'],
  },
  {
    error: 'matrices not started by Glorot',
    file: 'src/models/parameters.ts',
    edits: [['limit: Math.sqrt(6 / (rows + columns))', 'limit: 1 / Math.sqrt(columns)']],
    tests: parameters,
  },
  {
    error: 'Glorot over the three gates together',
    file: MODEL,
    edits: [['init: glorotUniform(h, h)', 'init: glorotUniform(h, 3 * h)']],
    tests: parameters,
  },
  {
    error: 'shared embedding missing',
    file: MODEL,
    edits: [["constrainedEmbedding ? 'constrained' : embedding", "constrainedEmbedding ? 'one-hot' : embedding"]],
    tests: reference,
  },
  { error: 'extra samples missing', file: MODEL, edits: [['extra: config.nSample', 'extra: 0']], tests: parameters },
  { error: 'sampleAlpha ignored', file: MODEL, edits: [['alpha: config.sampleAlpha', 'alpha: 1']], tests: parameters },
  {
    error: 'sampling by popularity whatever alpha says',
    file: 'src/objectives/negatives.ts',
    edits: [['support[i]! ** alpha', 'support[i]!']],
    tests: ['test/train/negatives.test.ts'],
  },
  { error: 'logQ missing', file: MODEL, edits: [['logq: config.logq,', 'logq: 0,']], tests: parameters },
  {
    error: 'logQ by the raw support in the extra columns',
    file: OBJECTIVE,
    edits: [['isShared && negatives.inBatch && j < split ? 1 : (negatives.alpha ?? 0)', '1']],
    tests: losses,
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
    file: MODEL,
    edits: [["reduction: 'nominal'", "reduction: 'mean'"]],
    tests: [...step, ...reference],
  },
  {
    error: 'hard sigmoid in the cell, the default of layer libraries',
    file: 'src/nn/gru.ts',
    edits: [
      ['import { add, matMul, mul, sigmoid, split,', 'import { add, clipByValue, matMul, mul, split,'],
      [
        "} from '@tensorflow/tfjs-core';\n",
        "} from '@tensorflow/tfjs-core';\n\nconst sigmoid = (x: Tensor2D): Tensor2D => clipByValue(add(mul(x, 0.2), 0.5), 0, 1);\n",
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
    file: 'src/train/trainer.ts',
    edits: [['fewestRows: inBatchOnly ? 2 : 1', 'fewestRows: 1']],
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
    file: MODEL,
    edits: [
      [
        "config.resetGate === 'before' || (layer === 0 && inputMode(config) === 'one-hot')",
        "config.resetGate === 'before'",
      ],
    ],
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
    file: OBJECTIVE,
    edits: [
      ['const scores = sharedScores(input, ids);', 'const scores = maskEqual(sharedScores(input, ids), targets, ids);'],
    ],
    tests: [...losses, ...reference],
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
    file: MODEL,
    edits: [["loss === 'top1' ? 'tanh' : 'linear'", "loss === 'top1' ? 'linear' : 'linear'"]],
    tests: [...parameters, ...reference],
  },
  {
    error: 'elu of BPR-max with α of 1 whatever is asked',
    file: MODEL,
    edits: [["return { kind: 'elu', alpha: eluParam };", "return { kind: 'elu', alpha: 1 };"]],
    tests: [...parameters, ...reference],
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
        '/** −log( Σ_{j≠i}',
        `const fixed = customGrad((x) => ({ value: softmax(x as Tensor2D), gradFunc: (dy) => zerosLike(dy as Tensor) })) as (x: Tensor2D) => Tensor2D;

/** −log( Σ_{j≠i}`,
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
    file: OBJECTIVE,
    edits: [
      [
        "const split = logqSplit === 'nominal' ? nominalBatch : targets.length;",
        "const split = logqSplit === 'nominal' ? targets.length : targets.length;",
      ],
    ],
    tests: losses,
  },
  {
    error: 'no guard in the logarithm of cross-entropy',
    file: MODEL,
    edits: [['guard: 1e-24,', 'guard: 0,']],
    tests: [...parameters, ...reference],
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
    file: 'src/train/rows.ts',
    edits: [['if (!this.#shared) {', 'if (this.#shared || !this.#shared) {']],
    tests: ['test/train/rows.test.ts', ...step],
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
    tests: ['test/train/negatives.test.ts'],
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
