/**
 * Makes the demo shop's model anew: invents a shop and its log, trains on it, and writes the artifact that the page
 * loads. Everything is seeded, so it ends with the same model.
 *
 *     npm run demo:train
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ArtifactInfo, CatalogueItem } from '../../src/checkpoint/artifact';
import { readArtifactFolder, writeArtifactFolder } from '../../src/cli/artifact-folder';
import { run } from '../../src/cli/main';
import { startBackend } from '../../src/engine/backends';
import { goldenAnswer } from '../../src/engine/golden-check';
import { loadScorer } from '../../src/engine/load-scorer';

const root = resolve(import.meta.dirname, '../..');
const work = join(root, '.cache/demo');
const target = join(root, 'public/models/demo');

async function aisle(...argv: string[]): Promise<void> {
  console.log(`$ aisle ${argv.join(' ')}`);
  const code = await run(argv, { stdout: process.stdout, stderr: process.stderr });
  if (code !== 0) throw new Error(`aisle ${argv[0]} ended with ${code}.`);
}

export async function main(): Promise<void> {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const events = join(work, 'events.tsv.gz');
  const catalogue = join(work, 'catalogue.json');
  const artifact = join(work, 'demo-shop');
  await aisle('simulate', '--out', work, '--items', '610', '--sessions', '40000', '--visitors', '9000', '--seed', '1');
  keepShownFeatures(catalogue);
  await aisle(
    ...['train', '--data', events, '--model', 'gru4rec', '--out', artifact, '--catalogue', catalogue, '--seed', '1'],
    ...['--set', 'layers=64', '--set', 'constrainedEmbedding=true', '--set', 'loss=cross-entropy'],
    ...['--set', 'batchSize=64', '--set', 'nSample=256', '--set', 'sampleAlpha=0.5', '--set', 'learningRate=0.1'],
    ...['--set', 'dropoutPEmbed=0.2', '--set', 'dropoutPHidden=0.2'],
  );
  await halve(artifact);
  await aisle('inspect', target);
}

/**
 * Writes the trained artifact in half precision: half the download, and no rank changes that a visitor would notice. The
 * scores do change in the fourth digit, so the answer that the artifact is checked against is computed anew.
 */
async function halve(artifact: string): Promise<void> {
  const write = async (from: string, change: Partial<ArtifactInfo>): Promise<void> => {
    const read = await readArtifactFolder(from);
    await writeArtifactFolder(target, { ...read, info: { ...read.info, ...change } }, { precision: 'f16' });
  };
  await write(artifact, { licence: 'MIT' });
  const halved = await readArtifactFolder(target);
  await startBackend('cpu');
  const scorer = await loadScorer(halved);
  const golden = await goldenAnswer(scorer, halved.info.golden.session);
  scorer.dispose();
  await write(target, { golden });
}

/** Of the features that the simulator writes, the shop shows these; the others would only be downloaded. */
function keepShownFeatures(file: string): void {
  const products = JSON.parse(readFileSync(file, 'utf8')) as CatalogueItem[];
  const shown = products.map(({ features: { colour, make, style } = {}, ...product }) => ({
    ...product,
    features: { colour, make, style },
  }));
  writeFileSync(file, JSON.stringify(shown));
}
