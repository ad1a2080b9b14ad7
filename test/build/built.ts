/** The built files, for tests and benches on them. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

export const ROOT = resolve(import.meta.dirname, '../..');

const PRODUCTS = {
  page: 'dist/page/index.html',
  studio: 'dist/page/studio/index.html', // after the page, whose build empties its folder
  lib: 'dist/lib/index.js',
  embed: 'dist/embed/embed.js',
  cli: 'dist/cli/aisle.js',
} as const;
const SOURCES = ['src', 'public', 'index.html', 'vite.config.ts', 'package-lock.json'];

type Mode = keyof typeof PRODUCTS;

/** The folder of a build, which `buildChanged` has made. */
export const built = (mode: Mode): string => join(ROOT, PRODUCTS[mode], '..');

/** Makes every build that is missing or older than the sources. */
export function buildChanged(modes: readonly Mode[] = Object.keys(PRODUCTS) as Mode[]): void {
  const sources = newest(SOURCES);
  for (const mode of modes) {
    const product = join(ROOT, PRODUCTS[mode]);
    if (existsSync(product) && statSync(product).mtimeMs >= sources) continue;
    rmSync(product, { force: true }); // a build that fails half-way must not look whole
    const extra = mode === 'page' ? [] : ['--mode', mode];
    execFileSync('npx', ['vite', 'build', '--logLevel', 'error', ...extra], {
      cwd: ROOT,
      stdio: 'inherit',
      env: plainEnv(),
    });
  }
}

/** The environment of a shell: a test's own would build for development, and in the mode of tests. */
export function plainEnv(): NodeJS.ProcessEnv {
  const { NODE_ENV, VITEST, VITE_USER_NODE_ENV, MODE, DEV, PROD, SSR, TEST, ...env } = process.env;
  return env;
}

/** When the newest of these files and folders of the checkout was changed, in milliseconds. */
export function newest(paths: readonly string[]): number {
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

/** Sentences of TensorFlow.js that survive minification: where one stands, its tensor code is. */
const TENSOR_CODE = [
  'No backend found in registry',
  'not found in registry',
  'is disposed',
  'tfjs-backend-wasm-threaded',
];

export function holdsTensorCode(path: string): boolean {
  const text = readFileSync(path, 'utf8');
  return TENSOR_CODE.some((sentence) => text.includes(sentence));
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
