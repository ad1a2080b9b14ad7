/**
 * Runs a TypeScript file of this folder through Vite, so that it loads the same modules as the page and the tests:
 *
 *     node test/run.mjs test/bench/bench.ts [ARGUMENT…]
 *
 * The file finds its arguments in `process.argv.slice(2)`, as if it had been started itself.
 */
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { createServer, loadConfigFromFile } from 'vite';

const [file, ...rest] = process.argv.slice(2);
if (file === undefined) {
  console.error('Usage: node test/run.mjs FILE.ts [ARGUMENT…]');
  process.exit(2);
}

/** The scripts of the WASM module are CommonJS, which Vite's development server does not convert. */
const commonJs = {
  name: 'aisle:wasm-scripts',
  enforce: 'pre',
  transform: (code, id) =>
    /\/wasm-out\/[^/]+\.js$/.test(id)
      ? `const module = { exports: {} }; const exports = module.exports; ${code}\nexport default module.exports;`
      : undefined,
};

const root = resolve(import.meta.dirname, '..');
const commandLine = await loadConfigFromFile({ command: 'build', mode: 'cli' }, undefined, root);

const server = await createServer({
  configFile: false,
  root,
  plugins: [...commandLine.config.plugins, commonJs],
  appType: 'custom',
  logLevel: 'error',
  cacheDir: '.cache/vite-run',
  optimizeDeps: { noDiscovery: true, include: [] },
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  define: commandLine.config.define,
  // Node cannot load TensorFlow.js's extensionless ES modules; Vite can.
  ssr: { noExternal: [/@tensorflow\/tfjs/] },
});
// TensorFlow.js asks for Node's `util` by `require`, which ES modules do not have.
globalThis.require ??= createRequire(import.meta.url);
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
