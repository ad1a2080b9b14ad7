/**
 * Runs a TypeScript file of this folder through Vite, so that it loads the same modules as the page and the tests:
 *
 *     node test/run.mjs test/bench/bench.ts [ARGUMENT…]
 *
 * The file finds its arguments in `process.argv.slice(2)`, as if it had been started itself.
 */
import { resolve } from 'node:path';
import { createServer } from 'vite';

const [file, ...rest] = process.argv.slice(2);
if (file === undefined) {
  console.error('Usage: node test/run.mjs FILE.ts [ARGUMENT…]');
  process.exit(2);
}

const server = await createServer({
  root: resolve(import.meta.dirname, '..'),
  mode: 'script',
  appType: 'custom',
  logLevel: 'error',
  cacheDir: '.cache/vite-run',
  optimizeDeps: { noDiscovery: true, include: [] },
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
});
process.argv = [process.argv[0], resolve(file), ...rest];
try {
  const module = await server.ssrLoadModule(resolve(file));
  if (typeof module.main === 'function') await module.main(rest);
} catch (error) {
  if (error instanceof Error) server.ssrFixStacktrace(error);
  console.error(error);
  process.exitCode = 1;
} finally {
  await server.close();
}
