/**
 * How well the neighbours of `cold-start.json` stand for a product that the model does not know:
 *
 *     node test/run.mjs test/bench/cold-start.ts
 *
 * Trains models on the log of `aisle simulate`, hides every tenth product in turn, and asks for what is related to it: by the product
 * itself, which a model that had never seen it could not do, and by its neighbours, by popularity, and by chance. Writes
 * `results/cold-start.{json,md}`.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import type { CatalogueItem } from '../../src/checkpoint/artifact';
import { SUPPORT_TENSOR } from '../../src/checkpoint/artifact';
import { NearestProducts } from '../../src/pipeline/catalogue/nearest-products';
import { loadEngine } from '../../src/pipeline/files/artifact-engine';
import { readArtifactFolder } from '../../src/pipeline/files/artifact-folder';
import { markdownTable } from '../../src/pipeline/format';
import { topK } from '../../src/ranking/top-k';
import { random } from '../../src/session/random';
import { buildChanged, built, plainEnv } from '../build/built';
import { commit, machine } from './machine';

const SHOP = ['--items', '1000', '--sessions', '20000', '--seed', '1'];
/** Epochs where a network learns. */
const MODELS: Readonly<Record<string, readonly string[]>> = {
  gru4rec: ['--epochs', '4'],
  sasrec: ['--epochs', '4'],
  'item-knn': [],
};
const COUNTS = [1, 3, 5, 10, 20];
const K = 20;
/** Of ten folds, as many are hidden one after the other. */
const FOLDS = 10;

const aisle = async (...words: string[]): Promise<void> => {
  const options = { env: plainEnv(), maxBuffer: 1 << 28 };
  await promisify(execFile)(process.execPath, [join(built('cli'), 'aisle.js'), ...words], options);
};

/** Mean shares of the true related products, by the way of finding them. */
type Recalls = Readonly<Record<string, number>>;

export async function main(argv: readonly string[]): Promise<void> {
  const { positionals } = parseArgs({ args: [...argv], options: {}, allowPositionals: true });
  buildChanged(['cli']);
  const place = await mkdtemp(join(tmpdir(), 'aisle-cold-start-'));
  const models = positionals.length > 0 ? positionals : Object.keys(MODELS);
  const found: Record<string, Recalls> = {};
  try {
    await aisle('simulate', '--out', join(place, 'shop'), ...SHOP);
    const catalogue = JSON.parse(await readFile(join(place, 'shop/catalogue.json'), 'utf8')) as CatalogueItem[];
    for (const name of models) {
      const out = join(place, name);
      await aisle(
        'train',
        '--data',
        join(place, 'shop/events.tsv.gz'),
        '--model',
        name,
        '--out',
        out,
        ...['--preset', 'none'],
        ...MODELS[name]!,
      );
      found[name] = await recalls(out, catalogue);
      console.log(name, found[name]);
    }
  } finally {
    await rm(place, { recursive: true, force: true });
  }
  const folder = resolve(import.meta.dirname, 'results');
  const about = { commit: commit(), machine: machine() };
  await writeFile(join(folder, 'cold-start.json'), `${JSON.stringify({ ...about, recalls: found }, null, 1)}\n`);
  await writeFile(join(folder, 'cold-start.md'), markdown(found, about));
}

async function recalls(artifact: string, catalogue: readonly CatalogueItem[]): Promise<Recalls> {
  const { itemIds, tensors } = await readArtifactFolder(artifact);
  const support = Float32Array.from(tensors[SUPPORT_TENSOR]!.data).subarray(1);
  const scores = await relatedScores(artifact, itemIds);
  const item = new Map(catalogue.map((product) => [product.id, product]));
  const index = new Map(itemIds.map((id, k) => [id, k]));
  const sums: Record<string, number> = {};
  const count = (way: string, hits: number): void => {
    sums[way] = (sums[way] ?? 0) + hits / K / itemIds.length;
  };
  const chance = random(1);
  for (let fold = 0; fold < FOLDS; fold++) {
    const hidden = new Set(itemIds.map((_, k) => k + 1).filter((k) => k % FOLDS === fold));
    const nearest = new NearestProducts();
    itemIds.forEach((id, k) => {
      if (!hidden.has(k + 1)) nearest.add(id, item.get(id)!);
    });
    const best = (row: Float32Array) => topK(row, K, hidden).map(({ index }) => index);
    const popular = best(support);
    for (const place of hidden) {
      const truth = new Set(best(scores[place - 1]!));
      const hits = (found: readonly number[]): number => found.filter((k) => truth.has(k)).length;
      const neighbours = nearest.nearest(item.get(itemIds[place - 1]!)!, Math.max(...COUNTS));
      for (const most of COUNTS) {
        const mixed = new Float32Array(itemIds.length);
        for (const [id, weight] of neighbours.slice(0, most)) {
          scores[index.get(id)!]!.forEach((score, k) => {
            mixed[k]! += weight * score;
          });
        }
        count(`${most} neighbours`, hits(best(mixed)));
      }
      count('the neighbours themselves', hits(neighbours.map(([id]) => index.get(id)! + 1)));
      count('popularity', hits(popular));
      count('chance', hits(best(Float32Array.from(support, () => chance.uniform()))));
    }
  }
  return sums;
}

/** The scores of all items for the session of each one. */
async function relatedScores(artifact: string, itemIds: readonly string[]): Promise<Float32Array[]> {
  const { engine } = await loadEngine(artifact, 'auto');
  const index = new Map(itemIds.map((id, k) => [id, k]));
  try {
    const rows: Float32Array[] = [];
    for (const itemId of itemIds) {
      const request = { session: [{ itemId, time: 0 }], k: itemIds.length, exclude: [] };
      const row = new Float32Array(itemIds.length);
      for (const { itemId: other, score } of (await engine.recommend(request)).items) row[index.get(other)!] = score;
      rows.push(row);
    }
    return rows;
  } finally {
    await engine.dispose();
  }
}

function markdown(found: Readonly<Record<string, Recalls>>, about: { commit: string; machine: string }): string {
  const ways = Object.keys(Object.values(found)[0]!);
  const rows = Object.entries(found).map(([name, recalls]) => [name, ...ways.map((way) => recalls[way]!.toFixed(3))]);
  return `# New products among the related ones

    node test/run.mjs test/bench/cold-start.ts

Share of a product's true ${K} related products that are found without it, as recall@${K}, mean over all products of
\`aisle simulate ${SHOP.join(' ')}\`. Every tenth product is hidden in turn, from the neighbours and from the answers. The truth is what
the model answers to the session of that product alone, which it has learnt; "n neighbours" is the mean of what it answers to the n nearest
products by category, brand and title, weighted as in \`cold-start.json\`, which has 5. For a network this is the mean of their vectors,
since its scores are linear in them. Two things make this easier than a real shop: the model learnt from the hidden product's clicks, too, and
the visitors of this log choose by kind, brand and colour, which titles and categories name. Commit ${about.commit}; ${about.machine}.

${markdownTable(['model', ...ways], rows).join('\n')}
`;
}
