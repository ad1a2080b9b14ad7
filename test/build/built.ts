/** The built files, for tests on them: `npm test` builds first, a single test builds what is missing or older than the sources. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompressSync, constants } from 'node:zlib';
import { withLock } from './lock';

export const ROOT = resolve(import.meta.dirname, '../..');

const PRODUCTS = {
  page: 'dist/page/index.html',
  lib: 'dist/lib/index.js',
  embed: 'dist/embed/embed.js',
  cli: 'dist/cli/aisle.js',
} as const;
const SOURCES = ['src', 'public', 'index.html', 'vite.config.ts', 'package-lock.json'];

type Mode = keyof typeof PRODUCTS;

const folders = new Map<Mode, Promise<string>>();

/**
 * The folder of a build, made first if it is not up to date. Test files run side by side: the first one builds. Inside one
 * file the folder stays as it is.
 */
export function built(mode: Mode): Promise<string> {
  const folder = folders.get(mode) ?? build(mode);
  folders.set(mode, folder);
  return folder;
}

async function build(mode: Mode): Promise<string> {
  const product = join(ROOT, PRODUCTS[mode]);
  const lock = join(ROOT, `dist/.building-${mode}.lock`);
  const isCurrent = (): boolean => existsSync(product) && statSync(product).mtimeMs >= newest(SOURCES);
  const make = (): void => {
    if (isCurrent()) return; // another process has built it meanwhile
    const extra = mode === 'page' ? [] : ['--mode', mode];
    const env = plainEnv();
    execFileSync('npx', ['vite', 'build', '--logLevel', 'error', ...extra], { cwd: ROOT, stdio: 'inherit', env });
  };
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  // A build that was killed may have written this file and not the rest.
  const abandoned = (): void => rmSync(product, { force: true });
  if (existsSync(lock) || !isCurrent()) await withLock(lock, make, abandoned);
  return join(product, '..');
}

/** The environment of a shell: a test's own would build for development, and in the mode of tests. */
export function plainEnv(): NodeJS.ProcessEnv {
  const { NODE_ENV, VITEST, VITE_USER_NODE_ENV, MODE, DEV, PROD, SSR, TEST, ...env } = process.env;
  return env;
}

/** Packs what is built as npm would publish it. @returns Paths of the tarball, and of the files inside. */
export async function packInto(folder: string): Promise<{ readonly tarball: string; readonly files: string[] }> {
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const { stdout } = await promisify(execFile)('npm', pack, { cwd: ROOT, env: plainEnv(), maxBuffer: 1 << 24 });
  // npm answers with a list, or with an object by package name, as its versions differ.
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, { filename: string; files: { path: string }[] }>);
  return { tarball: join(folder, packed!.filename), files: packed!.files.map(({ path }) => path) };
}

function newest(paths: readonly string[]): number {
  return Math.max(...paths.map((path) => newestIn(join(ROOT, path))));
}

function newestIn(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newestIn(join(path, name))));
}

/** What a file costs over the wire, Brotli at its strongest. */
export function brotliBytes(path: string): number {
  return brotliCompressSync(readFileSync(path), { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
}

/** The scripts that an HTML page or a script loads by itself: static imports, and theirs, but nothing loaded later. */
export function staticScripts(entry: string): Set<string> {
  const found = new Set<string>();
  const visit = (path: string): void => {
    if (found.has(path)) return;
    found.add(path);
    const text = readFileSync(path, 'utf8');
    const imports = path.endsWith('.html')
      ? text.matchAll(/(?:src|href)="([^"]+\.js)"/g)
      : text.matchAll(/\b(?:import|from)\s*["'](\.[^"']+\.js)["']/g);
    for (const [, specifier] of imports) visit(resolve(path, '..', specifier!));
  };
  visit(entry);
  found.delete(entry.endsWith('.html') ? entry : '');
  return found;
}
