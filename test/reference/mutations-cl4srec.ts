/** Where ports of CL4SRec go astray, by its specification and three codes: each as an edit of our sources. */
import type { Mutation } from './mutation';

const SPEC = 'src/models/cl4srec-spec.ts';
const ENCODER = 'src/models/coserec-encoder.ts';
const AUGMENTATIONS = 'src/objectives/augmentations.ts';
const CONTRASTIVE = 'src/objectives/contrastive.ts';
const TRAINING = 'src/models/cl4srec-training.ts';

const augmentations = ['test/objectives/augmentations.test.ts'];
const contrastive = ['test/objectives/contrastive.test.ts'];
const reference = ['test/models/cl4srec-reference.test.ts'];
const model = ['test/models/cl4srec.test.ts'];
const golden = ['test/reference/golden.test.ts'];

export const mutations: readonly Mutation[] = [
  {
    error: 'CL4SRec: a crop or a shuffle never reaches the last click',
    file: AUGMENTATIONS,
    edits: [['random.integer(n - length + 1)', 'random.integer(Math.max(1, n - length))']],
    tests: augmentations,
  },
  {
    error: 'CL4SRec: lengths rounded up',
    file: AUGMENTATIONS,
    edits: [['Math.floor(ratio * n)', 'Math.ceil(ratio * n)']],
    tests: augmentations,
  },
  {
    error: 'CL4SRec: a crop may keep nothing',
    file: AUGMENTATIONS,
    edits: [['Math.max(1, count)', 'count']],
    tests: augmentations,
  },
  {
    error: 'CL4SRec: clicks hidden behind padding',
    file: AUGMENTATIONS,
    edits: [['hidden?.has(t) ? maskId : items[t]!', 'hidden?.has(t) ? 0 * maskId : items[t]!']],
    tests: [...augmentations, ...reference],
  },
  {
    error: 'CL4SRec: places to hide drawn with replacement',
    file: AUGMENTATIONS,
    edits: [
      [
        'new Set(random.shuffle(Int32Array.from(all)).subarray(0, count))',
        'new Set(Array.from({ length: count }, () => random.integer(n)))',
      ],
    ],
    tests: augmentations,
  },
  {
    error: 'CL4SRec: the whole session shuffled',
    file: AUGMENTATIONS,
    edits: [['Int32Array.from(all.slice(first, first + count))', 'Int32Array.from(all)']],
    tests: augmentations,
  },
  {
    error: 'CL4SRec: both views made in the same way',
    file: AUGMENTATIONS,
    edits: [['const b = augmentations[random.integer(augmentations.length)]!;', 'const b = augmentations[a]!;']],
    tests: augmentations,
  },
  {
    error: 'CL4SRec: both views with the same randomness',
    file: AUGMENTATIONS,
    edits: [
      [
        'second.push(augment(session, b, maskId, random));',
        'second.push(b === augmentations[a] ? first.at(-1)! : augment(session, b, maskId, random));',
      ],
    ],
    tests: augmentations,
  },
  {
    error: 'CL4SRec: the anchor counts among its negatives',
    file: CONTRASTIVE,
    edits: [
      [
        'maskEqual(div(matMul(z, z, false, true), tau), groups, groups)',
        'div(matMul(z, z, false, true), tau) as Tensor2D',
      ],
    ],
    tests: contrastive,
  },
  {
    error: 'CL4SRec: anchors of one view only',
    file: CONTRASTIVE,
    edits: [
      [
        "mean(crossEntropy(scores, zeros([views.shape[0]], 'int32')))",
        "mean(slice(crossEntropy(scores, zeros([views.shape[0]], 'int32')), 0, views.shape[0] / 2))",
      ],
    ],
    tests: contrastive,
  },
  {
    error: 'CL4SRec: a sum over anchors instead of their mean',
    file: CONTRASTIVE,
    edits: [
      ['return mean(crossEntropy(', 'return sum(crossEntropy('],
      ['  mean,\n', ''],
    ],
    tests: contrastive,
  },
  {
    error: 'CL4SRec: the temperature left off the positive',
    file: CONTRASTIVE,
    edits: [['concat([div(positive, tau), negatives], 1)', 'concat([positive, negatives], 1)']],
    tests: contrastive,
  },
  {
    error: 'CL4SRec: vectors always scaled to length 1, as in SimCLR',
    file: CONTRASTIVE,
    edits: [
      ["similarity === 'cosine' ? normaliseRows(views) : views", 'normaliseRows(views)'],
      ['pairs(views: Tensor2D, similarity', 'pairs(views: Tensor2D, _'],
    ],
    tests: contrastive,
  },
  {
    error: 'CL4SRec: a view is compared by what scores, not by the encoder’s vector',
    file: TRAINING,
    edits: [
      [
        'sasrecHidden(params, prepared, sasrecConfig(config), run, true)',
        'cl4srec.encode(params, prepared, config, run)',
      ],
    ],
    tests: reference,
  },
  {
    error: 'CL4SRec: views cut to the same number of clicks, padding for the last',
    file: TRAINING,
    edits: [
      [
        'sasrecHidden(params, prepared, sasrecConfig(config), run, true)',
        "gather(sasrecHidden(params, prepared, sasrecConfig(config), run, false), range(0, prepared.items!.shape[0]!, 1, 'int32'))",
      ],
      ['gather, mul, reshape,', 'gather, mul, range, reshape,'],
    ],
    tests: reference,
  },
  {
    error: 'CL4SRec: λ forgotten',
    file: TRAINING,
    edits: [['add(weighted, mul(contrastive, lambda))', 'add(weighted, contrastive)']],
    tests: [...reference, ...model],
  },
  {
    error: 'CL4SRec: views in the order of their groups, not of their sessions',
    file: TRAINING,
    edits: [['Int32Array.from(cells, ({ place }) => place)', 'Int32Array.from(cells, (_, v) => v)']],
    tests: ['test/objectives/bucketing.test.ts'],
  },
  {
    error: 'CL4SRec: views drawn and encoded at λ = 0',
    file: TRAINING,
    edits: [['if (config.lambda === 0) return batch;', '']],
    tests: model,
  },
  {
    error: 'CL4SRec: the mask token is a row of the table at λ = 0 too',
    file: SPEC,
    edits: [['(config.lambda > 0 || isCoserec(config) ? 1 : 0)', '1']],
    tests: model,
  },
  {
    error: 'CL4SRec: the mask token can be recommended',
    file: 'src/ranking/neural-scorer.ts',
    edits: [['slice(outputs.table, [1, 0], [n, -1])', 'slice(outputs.table, [1, 0], [-1, -1])']],
    tests: model,
  },
  {
    error: 'CoSeRec’s encoder: no norm of the embedded clicks',
    file: ENCODER,
    edits: [
      [
        "run.dropout(norm('norm', reshape(embedded, [batch * length, d])), rate)",
        'run.dropout(reshape(embedded, [batch * length, d]), rate)',
      ],
    ],
    tests: golden,
  },
  {
    error: 'CoSeRec’s encoder: padding keys take part',
    file: ENCODER,
    edits: [
      ['keys ? minimum(causal, keys) : causal', 'keys ? minimum(causal, mul(keys, 0)) : causal'],
      ['minimum, reshape', 'minimum, mul, reshape'],
    ],
    tests: golden,
  },
  {
    error: 'CoSeRec’s encoder: the last vector instead of all in a row',
    file: TRAINING,
    edits: [
      [
        'return reshape(coserecHidden(params, prepared, config, run), [prepared.items!.shape[0]!, -1]);',
        'return gather(coserecHidden(params, prepared, config, run), prepared.last as Tensor1D);',
      ],
    ],
    tests: golden,
  },
  {
    error: 'CoSeRec’s encoder: embedded clicks scaled by √d',
    file: ENCODER,
    edits: [
      ['gather(params.items as Tensor2D, items)', 'mul(gather(params.items as Tensor2D, items), Math.sqrt(d))'],
      ['minimum, reshape', 'minimum, mul, reshape'],
    ],
    tests: golden,
  },
  {
    error: 'CoSeRec’s encoder: relu where the code has gelu',
    file: ENCODER,
    edits: [["activation: activation === 'auto' ? 'gelu' : activation", "activation: 'relu'"]],
    tests: golden,
  },
];
