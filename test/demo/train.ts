/**
 * Makes the demo shop's models again: invents a shop and its log, trains each model on it, and writes the artifacts that the
 * page loads, and `demo.json`, which lists them. Everything is seeded, so it ends with the same models.
 *
 *     npm run demo:train [-- NAME…]
 *     npm run demo:train -- --strategies
 *
 * With names, only these models are trained; the others stay as they are. With `--strategies`, none is trained: what
 * `bought-together` and `trending` answer by is counted again, and the plans are compiled again.
 */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Artifact, ArtifactInfo, CatalogueItem } from '../../src/checkpoint/artifact';
import { run } from '../../src/cli/main';
import { startBackend } from '../../src/compute/backends/start';
import { inspectArtifact, readArtifactFolder, writeArtifactFolder } from '../../src/pipeline/files/artifact-folder';
import { readEventsFile } from '../../src/pipeline/files/events-file';
import { countStrategies } from '../../src/pipeline/strategies';
import { compileArtifact } from '../../src/ranking/compile-plan';
import { goldenAnswer } from '../../src/ranking/golden-check';
import { loadScorer } from '../../src/ranking/load-scorer';
import { DEMO_MODELS, type DemoModel } from './demo-models';

const root = resolve(import.meta.dirname, '../..');
const work = join(root, '.cache/demo');
const site = join(root, 'public');

async function aisle(...argv: string[]): Promise<void> {
  console.log(`$ aisle ${argv.join(' ')}`);
  const code = await run(argv, { stdout: process.stdout, stderr: process.stderr });
  if (code !== 0) throw new Error(`aisle ${argv[0]} ended with ${code}.`);
}

export async function main(names: readonly string[]): Promise<void> {
  const isCount = names.includes('--strategies');
  const unknown = names.find((name) => !isCount && !DEMO_MODELS.some((model) => model.name === name));
  if (unknown !== undefined) throw new RangeError(`No demo model "${unknown}".`);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const [sessions, visitors] = isCount ? ['400000', '90000'] : ['40000', '9000'];
  await aisle(
    'simulate',
    '--out',
    work,
    '--items',
    '610',
    '--sessions',
    sessions,
    '--visitors',
    visitors,
    '--seed',
    '1',
  );
  keepShownFeatures(join(work, 'catalogue.json'));
  if (isCount) await count();
  for (const model of isCount ? [] : DEMO_MODELS) {
    if (names.length > 0 && !names.includes(model.name)) continue;
    await train(model);
    await list();
  }
}

/** Counts the log for the models that are there, and compiles them, as their training does. */
async function count(): Promise<void> {
  const log = await readEventsFile(join(work, 'events.tsv.gz'), {}, {});
  for (const { folder } of DEMO_MODELS) {
    const path = join(site, folder);
    const { strategies: _, plan: __, ...artifact } = await readArtifactFolder(path);
    const plan = await compileArtifact(artifact, await startBackend('cpu'));
    const strategies = countStrategies(log, artifact.itemIds, { onMessage: ({ text }) => console.log(text) });
    await writeArtifactFolder(path, { ...artifact, plan, ...(strategies && { strategies }) }, { precision: 'f16' });
  }
  await list();
}

async function train({ name, model, folder, set }: DemoModel): Promise<void> {
  const artifact = join(work, name === DEMO_MODELS[0]!.name ? 'demo-shop' : name);
  const settings = Object.entries(set).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const files = ['--data', join(work, 'events.tsv.gz'), '--catalogue', join(work, 'catalogue.json'), '--out', artifact];
  await aisle('train', '--model', model, ...files, '--seed', '1', '--preset', 'none', '--refit', 'no', ...settings);
  await halve(artifact, join(site, folder), name === DEMO_MODELS[0]!.name);
  await aisle('inspect', join(site, folder));
}

/**
 * Writes the trained artifact in half precision: half the download, and no rank changes that a visitor would notice. The
 * scores do change in the fourth digit, so the answer that the artifact is checked against is computed again.
 *
 * @param hasCatalogue The first model has the catalogue, which is the same for all.
 */
async function halve(artifact: string, target: string, hasCatalogue: boolean): Promise<void> {
  const write = async (from: string, change: Partial<ArtifactInfo>): Promise<void> => {
    const { catalogue, ...rest }: Artifact = await readArtifactFolder(from);
    const read = { ...rest, ...(hasCatalogue && catalogue && { catalogue }) };
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

/** `demo.json`: the models that are there, and what the page says of each before it loads one. */
async function list(): Promise<void> {
  const models = [];
  for (const { name, title, folder } of DEMO_MODELS) {
    const path = join(site, folder);
    if (!statSync(path, { throwIfNoEntry: false })) continue;
    const { architecture, parameters, files } = await inspectArtifact(path);
    const { 'catalogue.json': _, 'strategies.json': __, ...own } = files;
    const bytes = Object.values(own).reduce((sum, size) => sum + size, 0);
    const catalogueUrl = `${DEMO_MODELS[0]!.folder}/catalogue.json`;
    models.push({ name, title, modelUrl: `${folder}/`, catalogueUrl, architecture, parameters, bytes });
  }
  writeFileSync(join(site, 'demo.json'), `${JSON.stringify({ models }, null, 2)}\n`);
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
