/** A log that a tiny model learns in a blink. */
import { RING } from '../engine/fixture';
import { file, folder } from './program';

/** Visitors who walk a ring of 12 items, as CSV; its ids hold quotes. */
export const RING_LOG = `session_id,item_id,timestamp\n${RING.flatMap((session, s) =>
  session.map(({ itemId, time }) => `s${s},"p""${itemId.match(/\d+/)}",${time}\n`),
).join('')}`;

/** The log as a file, and a folder, until the test ends. */
export const ringFolder = async () => ({ data: await file('events.csv', RING_LOG), place: await folder() });

/** What a training of a small network writes. */
export const FILES = [
  'README.md',
  'items.json',
  'manifest.json',
  'plan.bin',
  'report.html',
  'strategies.json',
  'weights.safetensors',
];

/** A preset by the log would be larger. */
const DEFAULTS = ['--preset', 'none'];

/** CL4SRec has SASRec's network. */
const ATTENTION = [
  ...DEFAULTS,
  '--set',
  'hiddenUnits=8',
  '--set',
  'maxlen=6',
  '--set',
  'numBlocks=1',
  '--set',
  'batchSize=8',
  '--epochs',
  '2',
];

/** Flags of a training that takes no time, by model. */
export const SMALL: Readonly<Record<string, readonly string[]>> = {
  gru4rec: [...DEFAULTS, '--set', 'layers=8', '--set', 'batchSize=8', '--set', 'nSample=8', '--epochs', '2'],
  sasrec: ATTENTION,
  srgnn: [...DEFAULTS, '--set', 'hiddenSize=8', '--set', 'batchSize=8', '--epochs', '2'],
  caser: [...DEFAULTS, '--set', 'd=8', '--set', 'L=3', '--set', 'T=2', '--set', 'batchSize=8', '--epochs', '2'],
  cl4srec: ATTENTION,
  transformers4rec: [
    ...DEFAULTS,
    '--set',
    'dModel=8',
    '--set',
    'itemEmbeddingDim=8',
    '--set',
    'batchSize=8',
    '--epochs',
    '2',
  ],
  markov: [],
  pop: [],
  'item-knn': [],
};

/** Arguments of a small training without its epochs. */
export const trainSmall = (model: string, data: string, out: string): string[] => [
  'train',
  '--data',
  data,
  '--model',
  model,
  '--out',
  out,
  ...SMALL[model]!.slice(0, -2),
];
