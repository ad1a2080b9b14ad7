/** Where ports of Caser go astray, by its specification, its code and RecBole's port: each as an edit of our sources. */
import type { Mutation } from './mutation';

const MODEL = 'src/models/caser.ts';
const SPEC = 'src/models/caser-spec.ts';
const SESSIONS = 'src/models/caser-sessions.ts';
const CONVOLUTION = 'src/nn/convolution.ts';
const TRAINING = 'src/models/caser-training.ts';

const reference = ['test/models/caser-reference.test.ts'];
const model = ['test/models/caser.test.ts'];
const imports = ['test/checkpoint/imports.test.ts'];
const examples = ['test/objectives/examples.test.ts'];

export const mutations: readonly Mutation[] = [
  {
    error: 'Caser: an activation after the vertical filters',
    file: CONVOLUTION,
    edits: [['linear(columns, params)', "linear(columns, params, 'relu')"]],
    tests: reference,
  },
  {
    error: 'Caser: vertical filters flattened dimension by dimension',
    file: CONVOLUTION,
    edits: [['reshape(transpose(found, [0, 2, 1]), [batch, filters * d])', 'reshape(found, [batch, filters * d])']],
    tests: reference,
  },
  {
    error: 'Caser: horizontal filters flipped, as a true convolution',
    file: CONVOLUTION,
    edits: [['b * length + i + j', 'b * length + i + height - 1 - j']],
    tests: reference,
  },
  {
    error: 'Caser: mean over time instead of the maximum',
    file: CONVOLUTION,
    edits: [
      ['const most = max(x, 1) as Tensor2D;', 'const most = mean(x, 1) as Tensor2D;'],
      ['  gather,\n', '  gather,\n  mean,\n'],
    ],
    tests: reference,
  },
  {
    error: 'Caser: the gradient of the maximum to all equal windows',
    file: CONVOLUTION,
    edits: [
      ['mul(firstOf(saved), expandDims(dy, 1))', 'mul(sub(1, step(sub(expandDims(saved[1]!, 1), saved[0]!))), expandDims(dy, 1))'], // biome-ignore format: one line
    ],
    tests: reference,
  },
  {
    error: 'Caser: horizontal before vertical',
    file: MODEL,
    edits: [['concat([v, ...o], 1)', 'concat([...o, v], 1)']],
    tests: reference,
  },
  {
    error: 'Caser: no activation after the fully connected layer',
    file: MODEL,
    edits: [['activate(hidden(params, found), activation(config.acFc))', 'hidden(params, found)']],
    tests: reference,
  },
  {
    error: 'Caser: user before z',
    file: MODEL,
    edits: [['concat([z, P], 1)', 'concat([P, z], 1)']],
    tests: reference,
  },
  {
    error: 'Caser: dropout of the embedded clicks too',
    file: MODEL,
    edits: [
      ['run.dropout(convolve(params, prepared, config, run), config.drop);', 'run.dropout(convolve({ ...params, items: run.dropout(params.items!, config.drop) }, prepared, config, run), config.drop);'], // biome-ignore format: one line
    ],
    tests: model,
  },
  {
    error: 'Caser: padding on the right',
    file: SESSIONS,
    edits: [["padItems(sessions, 'left', L, checkedWidth(L))", "padItems(sessions, 'right', L, checkedWidth(L))"]],
    tests: model,
  },
  {
    error: 'Caser: windows as wide as the longest session of the batch',
    file: SESSIONS,
    edits: [["padItems(sessions, 'left', L, checkedWidth(L))", "padItems(sessions, 'left', L)"]],
    tests: model,
  },
  {
    error: 'Caser: no item bias',
    file: MODEL,
    edits: [['...(bias && { bias: bias as Tensor1D }),', '']],
    tests: reference,
  },
  {
    error: 'Caser: the zero row of padding imported for the trained one',
    file: 'src/checkpoint/imports/caser.ts',
    edits: [["padding: 'trained'", "padding: 'zero'"]],
    tests: imports,
  },
  {
    error: 'Caser: one mean over targets and negatives together',
    file: TRAINING,
    edits: [
      [
        'return { loss: add(positive, negative) as Scalar };',
        'const [M, N] = [targets.size, negatives.size];\n      return { loss: div(add(mul(positive, M), mul(negative, N)), M + N) as Scalar };',
      ],
    ],
    tests: reference,
  },
  {
    error: 'Caser: negatives for each target where the code has them for each instance',
    file: TRAINING,
    edits: [
      [
        'matrix(uniformOutside(own, negSamples, catalogue.items, draw), rows.length)',
        'matrix(uniformOutside(Array.from(window, (b) => own[b]), negSamples, catalogue.items, draw), window.length)',
      ],
      ['rowScores(g, outputs', 'rowScores(c, outputs'],
    ],
    tests: [...reference, 'test/objectives/negatives.test.ts'],
  },
  {
    error: 'Caser: negatives that the session holds',
    file: TRAINING,
    edits: [["negFrom === 'unseen' ? new Set", "negFrom === 'all' ? new Set"]],
    tests: ['test/objectives/negatives.test.ts', ...model],
  },
  {
    error: 'Caser: decoupled weight decay',
    file: TRAINING,
    edits: [["amount: config.l2, kind: 'coupled' }", "amount: config.l2, kind: 'decoupled' }"]],
    tests: model,
  },
  {
    error: 'Caser: the profile sees the targets',
    file: TRAINING,
    edits: [['sessionInput(log, source, from, firstTarget)', 'sessionInput(log, source, from, firstTarget + 1)']],
    tests: examples,
  },
  {
    error: 'Caser: the profile sees the window only',
    file: TRAINING,
    edits: [
      [
        'from: start, firstTarget: Math.max(earliest, end - T), end });',
        'from: Math.max(start, end - T - L), firstTarget: Math.max(earliest, end - T), end });',
      ],
    ],
    tests: examples,
  },
  {
    error: 'Caser: a short session gives no window',
    file: TRAINING,
    edits: [['end === last || end >= start + shortest', 'end >= start + shortest']],
    tests: examples,
  },
  {
    error: 'Caser: the targets start one item late',
    file: TRAINING,
    edits: [['Math.max(earliest, end - T), end });', 'Math.max(earliest, end - T + 1), end });']],
    tests: examples,
  },
  {
    error: 'Caser: the first click of a short session never a target',
    file: TRAINING,
    edits: [['const earliest = start + (isPartial ? 1 : 0);', 'const earliest = start + 1;']],
    tests: examples,
  },
  {
    error: 'Caser: earlier sessions that had not ended tell of the future',
    file: 'src/session/earlier.ts',
    edits: [['end > from && log.times[end - 1]! <= times[offsets[session]!]!', 'end > from']],
    tests: ['test/session/earlier.test.ts'],
  },
  {
    error: 'Caser: validated without what the device knows of before',
    file: 'src/train/fit.ts',
    edits: [['      past: pastOf(protocol, trained),\n', '']],
    tests: ['test/models/caser-device.test.ts'],
  },
  {
    error: 'Caser: earlier sessions of a device do not fade',
    file: 'src/models/profile.ts',
    edits: [['const fades = isOfDevice ? DECAY : 1;', 'const fades = 1;']],
    tests: reference,
  },
  {
    error: 'Caser: a vector of somebody else for a user who is not known',
    file: MODEL,
    edits: [['mul(gather(params.users as Tensor2D, prepared.user as Tensor1D), prepared.known!)', 'gather(params.users as Tensor2D, prepared.user as Tensor1D)']], // biome-ignore format: one line
    tests: reference,
  },
  {
    error: 'Caser: item vectors not started by N(0, 1/d)',
    file: SPEC,
    edits: [
      [
        "const vectors: Initialiser = { kind: 'normal', std: 1 / d };",
        "const vectors: Initialiser = { kind: 'normal', std: 1 };",
      ],
    ],
    tests: ['test/models/parameters.test.ts', ...model],
  },
  {
    error: 'Caser: output vectors started like the items’',
    file: SPEC,
    edits: [['std: 1 / (2 * d) }', 'std: 1 / d }']],
    tests: ['test/models/parameters.test.ts', ...model],
  },
  {
    error: 'Caser: filters started by Glorot',
    file: SPEC,
    edits: [['limit: 1 / Math.sqrt(inputs) }', 'limit: Math.sqrt(6 / (inputs + outputs)) }']],
    tests: ['test/models/parameters.test.ts', ...model],
  },
  {
    error: 'Caser: the input table scores, as in RecBole',
    file: MODEL,
    edits: [['const table = own ?? (profiles ? concat([items!, profiles], 1) : items);', 'const table = profiles ? concat([items!, profiles], 1) : items;']], // biome-ignore format: one line
    tests: reference,
  },
  {
    error: 'Caser: one target, as in RecBole',
    file: TRAINING,
    edits: [
      ['{ L, T, windows }: CaserConfig): Example[] {', '{ L, windows }: CaserConfig): Example[] {\n  const T = 1;'],
    ],
    tests: examples,
  },
  {
    error: 'Caser: no activation of the horizontal filters',
    file: MODEL,
    edits: [['const φc = activation(acConv);', "const φc = activation(acConv === 'iden' ? acConv : 'iden');"]],
    tests: reference,
  },
];
