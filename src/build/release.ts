/**
 * Packs what is built as the npm package. The checkout's own manifest is private: the package has everything in its files, and no
 * dependencies.
 *
 *     npm run release -- --out DIR [--no-test] [--allow-missing]
 *
 * Refuses a tree that is not clean, a version without a section in CHANGELOG.md and, without `--allow-missing`, a manifest that
 * does not say where the project is. Runs the tests, or with `--no-test` the build alone; builds again, and compares the tarballs of both.
 * Writes the tarball and `integrity.json`, the hash of each file of the script to embed, for the attribute `integrity` of a tag. After
 * the tests it tags the commit; `.github/workflows/release.yml` does the same for a tag that is pushed, and publishes with provenance.
 */
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';

const ROOT = resolve(import.meta.dirname, '../..');
/** The builds; tests put folders of their own beside them. */
const BUILDS = ['cli', 'lib', 'embed', 'page'];
const TEXTS = ['README.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE', 'docs'];
/** Where the project is: fields that npm shows. */
const PLACES = ['repository', 'bugs', 'homepage'];
/** What the manifest of the package has of the checkout's. */
const FIELDS = 'name version description keywords license type engines bin exports'.split(' ').concat(PLACES);

/** All but the library's entry. Not in the checkout's manifest, where bundlers would leave out sources. */
const SIDE_EFFECTS = ['lib/*-*.js', 'lib/element.js', 'lib/worker.js', 'embed/*.js', 'cli/*.js'];

type Manifest = Readonly<Record<string, unknown>> & { readonly name: string; readonly version: string };

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const checkout = (): Manifest => JSON.parse(read('package.json'));

/** The manifest of the package. WebGPU in Node is a binary for each machine, which whoever asks for it installs. */
function packageManifest(manifest: Manifest): Manifest {
  const { webgpu } = manifest['optionalDependencies'] as Readonly<Record<string, string>>;
  return {
    ...Object.fromEntries(FIELDS.flatMap((name) => (name in manifest ? [[name, manifest[name]]] : []))),
    sideEffects: SIDE_EFFECTS.map((path) => `./dist/${path}`),
    peerDependencies: { webgpu: `>=${webgpu}` },
    peerDependenciesMeta: { webgpu: { optional: true } },
  } as unknown as Manifest;
}

/** Copies what is built into a folder that npm can pack. */
function stage(folder: string): void {
  for (const name of TEXTS) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  for (const build of BUILDS) {
    const from = join(ROOT, 'dist', build);
    if (!existsSync(from)) throw new Error(`dist/${build} is missing: run "npm run build" first.`);
    cpSync(from, join(folder, 'dist', build), { recursive: true });
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(packageManifest(checkout()), null, 2)}\n`);
}

/** Packs what is built. The same files give the same bytes. @returns Paths of the tarball, and of the files inside. */
export async function pack(out: string): Promise<{ readonly tarball: string; readonly files: string[] }> {
  const staged = mkdtempSync(join(tmpdir(), 'aisle-staged-'));
  try {
    stage(staged);
    mkdirSync(out, { recursive: true });
    const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', resolve(out)];
    const { stdout } = await promisify(execFile)('npm', args, { cwd: staged, maxBuffer: 1 << 24 });
    // npm answers with a list, or with an object by package name, as its versions differ.
    const [packed] = Object.values(
      JSON.parse(stdout) as Record<string, { filename: string; files: { path: string }[] }>,
    );
    return { tarball: join(out, packed!.filename), files: packed!.files.map(({ path }) => path) };
  } finally {
    rmSync(staged, { recursive: true });
  }
}

export const hashOf = (algorithm: string, path: string): string =>
  createHash(algorithm).update(readFileSync(path)).digest('base64');

/** For each script and WASM file of the script to embed, what a tag's `integrity` says. */
export function integrity(): Record<string, string> {
  const folder = join(ROOT, 'dist/embed');
  const names = readdirSync(folder).filter((name) => /\.(js|wasm)$/.test(name));
  return Object.fromEntries(names.sort().map((name) => [name, `sha384-${hashOf('sha384', join(folder, name))}`]));
}

/** Why the checkout cannot be released, each with what to do. */
export function obstacles(manifest: Manifest, changelog: string, changed: string, allowMissing: boolean): string[] {
  const { version } = manifest;
  const found: string[] = [];
  if (changed !== '') found.push(`The tree is not clean; commit or remove:\n${changed}`);
  if (!changelog.split('\n').some((line) => line.startsWith('## ') && line.slice(3).split(' ')[0] === version))
    found.push(
      `CHANGELOG.md has no section "## ${version}": rename "## Unreleased", or set another version in package.json.`,
    );
  const missing = PLACES.filter((name) => !(name in manifest));
  if (missing.length > 0 && !allowMissing)
    found.push(`package.json does not say its ${missing.join(', ')}: add them, or pass --allow-missing.`);
  return found;
}

const git = (...argv: string[]): string => execFileSync('git', argv, { cwd: ROOT, encoding: 'utf8' }).trimEnd();
const changes = (): string => git('status', '--porcelain');
/** The commit that a version was released from; empty where it was not. */
const released = (version: string): string =>
  git('tag', '--list', `v${version}`, '--format', '%(*objectname)%(objectname)').slice(0, 40);

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { out: { type: 'string' }, 'no-test': { type: 'boolean' }, 'allow-missing': { type: 'boolean' } },
  });
  const { out = '' } = values;
  const manifest = checkout();
  const found = obstacles(manifest, read('CHANGELOG.md'), changes(), values['allow-missing'] === true);
  const { version } = manifest;
  if (!['', git('rev-parse', 'HEAD')].includes(released(version)))
    found.push(`v${version} is the tag of another commit: set a new version in package.json.`);
  if (out === '') found.push('No folder for the tarball is given: pass --out DIR.');
  if (found.length > 0) {
    console.error(`Not released:\n* ${found.join('\n* ')}`);
    process.exitCode = 2;
    return;
  }
  const { VITE_USER_NODE_ENV, NODE_ENV, ...env } = process.env; // of the program that runs this file
  execFileSync('npm', values['no-test'] ? ['run', 'build'] : ['test'], { cwd: ROOT, env, stdio: 'inherit' });
  if (changes() !== '') throw new Error(`The tests or their builds have changed the checkout:\n${changes()}`);
  const again = mkdtempSync(join(tmpdir(), 'aisle-packed-'));
  try {
    const hash = hashOf('sha512', (await pack(again)).tarball);
    execFileSync('npm', ['run', 'build'], { cwd: ROOT, env, stdio: 'inherit' });
    const { tarball } = await pack(out);
    if (hash !== hashOf('sha512', tarball)) {
      rmSync(tarball);
      throw new Error(
        'The tarballs of two builds of the same sources differ: a build, or npm, is not reproducible here.',
      );
    }
    writeFileSync(join(out, 'integrity.json'), `${JSON.stringify({ version, files: integrity() }, null, 2)}\n`);
    console.log(`${tarball}\n  sha512-${hash}\n${join(out, 'integrity.json')}`);
    if (values['no-test']) return;
    const tag = `v${version}`;
    if (git('tag', '--list', tag) === '') git('tag', '--annotate', tag, '--message', `Aisle ${version}`);
    console.log(`This commit is ${tag}. Now: git push origin ${tag}, and the workflow publishes it.`);
  } finally {
    rmSync(again, { recursive: true });
  }
}
