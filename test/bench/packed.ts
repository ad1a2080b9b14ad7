/**
 * What smaller weights cost in quality: networks of 64 numbers an item, trained on Diginetica, packed at each precision, and
 * evaluated:
 *
 *     node test/run.mjs test/bench/packed.ts [--models gru4rec,sasrec] [--part valid|test] [--precisions f32,pq] [--further] [--work DIR]
 *
 * Trains on all but the last tenth of the training part, which chooses how weights are packed (`valid`, the default); the test part
 * is asked once that has been chosen. With `--further`, what is packed learns one more epoch, in which codes stay. A model that is in DIR is not trained again. Rows go to `results/packed.{json,md}`,
 * where those of other models and parts stay as they are. Needs the log.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { brotliCompressSync, constants } from 'node:zlib';
import { PRECISIONS, type Precision } from '../../src/checkpoint/pack-tensors';
import { evaluate } from '../../src/pipeline/evaluate';
import { markdownTable, whole } from '../../src/pipeline/format';
import { pack } from '../../src/pipeline/pack';
import { split } from '../../src/pipeline/split';
import { trainAlone } from '../../src/pipeline/train';
import { sharedPath } from '../shared';
import { commit, machine } from './machine';
import { readResult, writeResult } from './results';

const SEED = 1;
/** Settings that differ from the defaults, and passes over the log. */
const MODELS: Readonly<
  Record<
    string,
    {
      readonly config: Readonly<Record<string, unknown>>;
      readonly epochs: number;
      /** What differs in a further epoch: the validation part has chosen the rate of those tried. */
      readonly further: Readonly<Record<string, unknown>>;
    }
  >
> = {
  gru4rec: { config: { layers: [64] }, epochs: 3, further: { learningRate: 0.01 } },
  sasrec: {
    config: {
      hiddenUnits: 64,
      maxlen: 20,
      norm: 'pre',
      positions: 'start',
      dropoutRate: 0.2,
      loss: 'sampled',
      nSample: 2048,
      logq: 1,
      sparseUpdates: true,
      batching: 'same-length',
      lr: 0.002,
      lrSchedule: 'linear',
    },
    epochs: 3,
    further: { lr: 0.0005 },
  },
};
const PARTS = { valid: 'validation', test: 'test' } as const;
type Part = keyof typeof PARTS;

interface Row {
  readonly model: string;
  readonly part: Part;
  readonly precision: Precision;
  /** Whether it learnt one more epoch after it was packed. */
  readonly further?: true;
  readonly recall: number;
  readonly mrr: number;
  readonly predictions: number;
  readonly items: number;
  /** Of the weights, and with Brotli 9. */
  readonly bytes: number;
  readonly compressed: number;
  readonly command: string;
  readonly commit: string;
  readonly machine: string;
}

export async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      models: { type: 'string', default: Object.keys(MODELS).join() },
      part: { type: 'string', default: 'valid' },
      precisions: { type: 'string', default: PRECISIONS.join() },
      further: { type: 'boolean', default: false },
      work: { type: 'string', default: '.cache/packed' },
    },
  });
  const part = values.part as Part;
  const names = values.models.split(',');
  const unknown = names.find((name) => !Object.hasOwn(MODELS, name));
  if (unknown !== undefined)
    throw new RangeError(`No such model: ${unknown}. There are ${Object.keys(MODELS).join(', ')}.`);
  if (!Object.hasOwn(PARTS, part))
    throw new RangeError(`No such part: ${part}. There are ${Object.keys(PARTS).join(', ')}.`);
  const data = sharedPath('data', 'diginetica', 'train.tsv.gz');
  const test = sharedPath('data', 'diginetica', 'test.tsv.gz');
  if (!data || !test) throw new Error('The log diginetica of ../shared is not here.');
  const work = resolve(values.work);
  const parts = join(work, 'parts');
  if (!existsSync(parts)) await split({ data, out: parts, test: { share: 0.1 } });
  const about = {
    part,
    command: ['node test/run.mjs test/bench/packed.ts', ...argv].join(' '),
    commit: commit(),
    machine: machine(),
  };
  for (const model of names) {
    const trained = join(work, model);
    const { config, epochs, further } = MODELS[model]!;
    const usual = { data: join(parts, 'train.tsv.gz'), model, valid: 'none', seed: SEED } as const;
    if (!existsSync(join(trained, 'manifest.json')))
      await trainAlone({ ...usual, config, epochs, preset: 'none', out: trained });
    for (const precision of values.precisions.split(',') as Precision[]) {
      let out = join(work, `${model}-${precision}`);
      const { items } = await pack({ artifact: trained, precision, out });
      if (values.further) {
        const from = out;
        const learnt = `${out}-learnt`;
        if (!existsSync(join(learnt, 'manifest.json')))
          await trainAlone({ ...usual, config: further, epochs: 1, from, out: learnt });
        out = `${out}-further`;
        await pack({ artifact: learnt, precision, out });
      }
      const weights = await readFile(join(out, 'weights.safetensors'));
      const events = part === 'test' ? test : join(parts, 'test.tsv.gz');
      const { evaluation } = await evaluate({ artifacts: [out], data: events, backend: 'plan' });
      const { 'recall@20': recall, 'mrr@20': mrr } = evaluation.metrics.conservative;
      const row: Row = {
        ...about,
        model,
        precision,
        ...(values.further === true && ({ further: true } as const)),
        recall: recall!,
        mrr: mrr!,
        predictions: evaluation.n,
        items: items.after,
        bytes: weights.length,
        compressed: brotliCompressSync(weights, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }).length,
      };
      console.log(JSON.stringify(row));
      write(row);
    }
  }
}

function write(row: Row): void {
  const isSame = (other: Row) =>
    other.model === row.model &&
    other.part === row.part &&
    other.precision === row.precision &&
    other.further === row.further;
  const old = readResult<readonly Row[]>('packed', []);
  const rows = [...old.filter((other) => !isSame(other)), row].sort((a, b) => keyOf(a).localeCompare(keyOf(b)));
  writeResult('packed', rows, page(rows));
}

const keyOf = ({ model, part, precision, further }: Row): string =>
  [model, part === 'valid' ? 0 : 1, further ? 1 : 0, PRECISIONS.indexOf(precision)].join();

function page(rows: readonly Row[]): string {
  const cells = rows.map((row) => {
    const { recall } =
      rows.find(
        (one) =>
          one.model === row.model && one.part === row.part && one.precision === 'f32' && one.further === row.further,
      ) ?? row;
    return [
      ...[
        row.model,
        PARTS[row.part],
        row.precision,
        row.further ? '1' : '0',
        row.recall.toFixed(4),
        `${((100 * row.recall) / recall).toFixed(1)} %`,
      ],
      ...[row.mrr.toFixed(4), whole(row.predictions), whole(row.bytes), whole(row.compressed)],
      ...[(row.compressed / row.items).toFixed(1), row.commit],
    ];
  });
  const titles = [
    ...[
      'model',
      'part',
      'precision',
      'epochs since',
      'Recall@20',
      'of f32',
      'MRR@20',
      'predictions',
      'bytes of the weights',
    ],
    ...['with Brotli 9', 'an item', 'commit'],
  ];
  return `# Smaller weights

${[...new Set(rows.map(({ command }) => `    ${command}`))].join('\n')}

Networks of 64 numbers an item, ${Object.entries(MODELS)
    .map(([name, { epochs }]) => `${name} after ${epochs} epochs`)
    .join(', ')} on all but the last tenth of Diginetica's training part (seed ${SEED}). That tenth, the
validation part, has chosen how tables are quantised; the test part was asked once for each row, and of pq once before, at fewer
bytes an item: at 11 GRU4Rec kept 99.4 % of Recall@20 (1f00f014), at 13 SASRec 96.9 % (d11e8c83). With an epoch since, weights were packed, trained
one more epoch (\`aisle train --from\`, ${Object.entries(MODELS)
    .map(([name, { further }]) => `${name} with ${Object.entries(further).map((pair) => pair.join(' '))}`)
    .join(', ')}), in which codes stay and centroids learn, and packed again; they are compared with f32
that learnt the same. On the validation part gru4rec tried .05,
too, by codes alone, and sasrec no other rate. One seed, no interval. Conservative ties. Bytes are those of
\`weights.safetensors\`, with the items' events. ${rows[0]!.machine}.

${markdownTable(titles, cells).join('\n')}
`;
}
