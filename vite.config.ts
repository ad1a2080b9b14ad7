/**
 * Every build of the project, and its tests.
 *
 *     vite build                the demo page      index.html   → dist/page
 *     vite build --mode studio  the studio         src/studio   → dist/page/studio, after the demo page
 *     vite build --mode lib     the library        src/index.ts, src/ui/start.ts → dist/lib (with the worker, and types)
 *     vite build --mode embed   the script to embed  src/ui     → dist/embed (with its worker, and types)
 *     vite build --mode cli     the command line   src/cli, src/node.ts → dist/cli (with types)
 *
 * All five, Vitest and `test/run.mjs` (mode `script`) run the same modules. The bundles of pages leave out what
 * `src/build/lean-tensorflow.ts` lists.
 */
import { defineConfig, type UserConfig } from 'vite';
import { declarations } from './src/build/declarations.ts';
import { leanTensorFlow, withoutBackend } from './src/build/lean-tensorflow.ts';
import { bundledForNode, modulesForNode, wasmBeside } from './src/build/node.ts';
import {
  codeHash,
  compactStyles,
  doubleQuotes,
  executable,
  fileList,
  inlineNamespaces,
  withoutHelp,
  workerLicences,
} from './src/build/plugins.ts';
import { kernelFiles, tfjsKernels } from './src/build/tfjs-kernels.ts';
import { wasmFrom, workerFiles } from './src/build/worker-files.ts';

/** The licences of what is inside, in one file instead of in front of every module. */
const LICENCES = { fileName: 'licences.md' } as const;

/** What both bundles for pages have in common. */
const bundle = {
  target: 'es2022',
  // An inlined asset would be a second copy of a file, or a worker without a URL of its own.
  assetsInlineLimit: 0,
  reportCompressedSize: false,
  license: LICENCES,
} as const;

/** Small files compress badly: what is loaded at first shares these with what is loaded later, in one file. */
const SHARED = {
  name: 'shared',
  priority: 2,
  test: /src\/(errors|nearest-name|abort|limits|loaded|compute\/types)\.ts$|vite\/preload-helper/,
};
/**
 * The demo compares models by recommenders of its own; the code that it shares with the embed stays in the file of that. So does
 * what several parts share that are loaded later.
 */
const PAGE = { name: 'page', priority: 1, test: /src\/(ui\/page|recommender\/data-layer)\.ts$/ };

/** What fills the slots and reads the page is one file, which what is loaded later shares. */
const SLOTS = {
  name: 'slots',
  priority: 1,
  test: /src\/(page\/(address|data-layer|id|json-ld|microdata|page-product|plan-slots|selection|things|watch)|ui\/(cards|links|pictures|slots|suggestions|view))\.ts$/,
};

/** What every backend begins with, a plan as well: no operations. */
const ENGINE = {
  name: 'engine',
  priority: 2,
  test: /src\/(checkpoint\/(manifest|verify|sha256|safetensors|half)|engine\/(model|loading)|compute\/(backend-fault|fallback|running|wasm-module)|models\/(index|padding)|ranking\/(architecture|top-k|session-scorer)|session\/lags)\.ts$/,
};
/** Pages read these without an engine, too. */
const ARTIFACT = { name: 'artifact', priority: 3, test: /src\/checkpoint\/(artifact|json)\.ts$/ };

/** What most models and backends compute with: one file, not one for each operation, which would compress worse. */
const OPS = {
  name: 'ops',
  priority: 1,
  test: /tfjs-core[\\/]dist[\\/]ops[\\/](tensor|tensor1d|tensor2d|tensor_ops_util|scalar|gather|concat|slice|transpose|sub|reshape|sum|tile|max|zeros|split|unstack|mat_mul|sigmoid|maximum|stack|add|minimum|tanh|expand_dims|softmax|step|(axis|segment|split|concat|broadcast|erf|selu)_util)\.js$|src[\\/](nn[\\/](activation|layer-norm|masked|normalise-rows|scores)|compute[\\/]backends[\\/](registry|tensorflow))\.ts$/,
} as const;

/** What the specifications of models have in common. */
const SPECS = {
  name: 'specs',
  priority: 1,
  test: /src\/(models\/((scoring-)?options|configuration|repeat-bias|sampled-softmax|weight-averaging)|checkpoint\/verify-parameters|ranking\/network-info)\.ts$/,
};

/** What moves a model from one backend to another. */
const PLACEMENT = {
  name: 'placement',
  priority: 1,
  test: /src\/(engine\/(placement|ready-model)|compute\/(executor|device-loss|backends\/start))\.ts$/,
};

/** With these a page has threads, and nothing of other origins. */
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };

const rolldown = {
  // Most of a build's time is that of our own plugins: the worker's build is one, and TypeScript's declarations.
  checks: { pluginTimings: false },
  // A constant in its place is shorter than a name that one file exports and another one imports.
  optimization: { inlineConst: { mode: 'all' } },
} as const;

/** As `var`, constants are not written in their places. */
const CONSTANTS = { topLevelVar: false } as const;

/** The studio's service worker answers for the demo page, and so lies at its level. */
const SERVICE = 'studio-models';

const page: UserConfig = {
  optimizeDeps: { include: kernelFiles() },
  // Lists of what to load ahead would be a good part of what the page loads.
  build: {
    ...bundle,
    outDir: 'dist/page',
    modulePreload: false,
    // There is one style sheet, in the page's head; otherwise every script that loads another names it, too.
    cssCodeSplit: false,
    rolldownOptions: {
      ...rolldown,
      input: { index: 'index.html', [SERVICE]: 'src/studio/service-worker.ts' },
      output: {
        entryFileNames: ({ name }) => (name === SERVICE ? `${SERVICE}.js` : 'assets/[name]-[hash].js'),
        ...CONSTANTS,
        codeSplitting: { groups: [SHARED, PAGE, SLOTS] },
      },
    },
  },
  // The demo's own, which counts requests before it loads the engine's.
  worker: { format: 'es', rolldownOptions: { output: { entryFileNames: 'assets/demo-worker-[hash].js' } } },
  plugins: [
    workerFiles({ worker: 'assets/worker-[hash].js' }),
    leanTensorFlow(),
    withoutHelp(),
    inlineNamespaces(),
    doubleQuotes(),
    compactStyles(),
  ],
};

/** A page of its own, so that the demo's files stay what a shop's visitors load. It alone may be isolated, and has threads. */
const studio: UserConfig = {
  root: 'src/studio',
  publicDir: false,
  optimizeDeps: { include: kernelFiles() },
  build: {
    ...bundle,
    license: false,
    outDir: '../../dist/page/studio',
    emptyOutDir: true,
    modulePreload: false,
    rolldownOptions: rolldown,
  },
  worker: {
    format: 'es',
    plugins: () => [
      tfjsKernels(),
      leanTensorFlow(),
      withoutBackend('webgl'),
      withoutHelp(['doc', 'source']), // the papers are in the model card
      wasmFrom('../../assets'),
      workerLicences(LICENCES.fileName),
    ],
    // One file: nothing of it waits for a network, and a hundred small files would be a third more on a disk.
    rolldownOptions: { ...rolldown, output: { codeSplitting: false } },
  },
  server: { headers: ISOLATED, fs: { allow: ['../..'] } },
};

const library: UserConfig = {
  publicDir: false,
  build: {
    ...bundle,
    outDir: 'dist/lib',
    lib: { entry: { index: 'src/index.ts', element: 'src/ui/start.ts' }, formats: ['es'] },
    rolldownOptions: {
      ...rolldown,
      output: {
        // In one folder: some platforms have no others. A page loads every name; seven digits tell versions of a file apart.
        chunkFileNames: '[name]-[hash:7].js',
        hashCharacters: 'hex', // takes the fewest bytes once compressed
        assetFileNames: '[name]-[hash][extname]',
        // Vite leaves white space in libraries; this one is also served as it is.
        minify: true,
        ...CONSTANTS,
        codeSplitting: { groups: [SHARED, ARTIFACT, ENGINE, PLACEMENT, OPS, SPECS] },
      },
    },
  },
  plugins: [
    workerFiles({ worker: 'worker.js', installed: 'aisle/dist/lib' }),
    leanTensorFlow(),
    withoutHelp(),
    compactStyles(),
    declarations({ entries: ['src/index.ts', 'src/ui/start.ts'], outDir: 'dist/lib' }),
  ],
};

/** A script for a tag: one small file that loads the rest from beside itself, wherever a shop has put the folder. */
const embed: UserConfig = {
  ...library,
  build: {
    ...library.build,
    outDir: 'dist/embed',
    lib: { entry: { embed: 'src/ui/embed.ts' }, formats: ['es'] },
    rolldownOptions: {
      ...rolldown,
      output: {
        ...library.build?.rolldownOptions?.output,
        // What is loaded later finds what it shares with the page in the file of that.
        codeSplitting: { groups: [PAGE, SLOTS] },
        // Nothing bundles it any further, so nothing needs its line breaks.
        minify: true,
        comments: { legal: false, annotation: false },
      },
    },
  },
  plugins: [
    workerFiles({ worker: 'worker.js' }),
    leanTensorFlow(),
    withoutHelp(),
    inlineNamespaces(),
    doubleQuotes(),
    compactStyles(),
    declarations({ entries: ['src/ui/embed.ts'], outDir: 'dist/embed' }),
    fileList('dist/embed'),
  ],
};

const commandLine: UserConfig = {
  ...bundledForNode,
  build: {
    ssr: true,
    outDir: 'dist/cli',
    target: 'node20',
    minify: false,
    license: LICENCES,
    rolldownOptions: {
      // The program, the script of the threads that share its trainings, and its functions.
      input: { aisle: 'src/cli/main.ts', thread: 'src/cli/thread.ts', node: 'src/node.ts' },
      output: {
        banner: ({ isEntry, name }) => (isEntry && name === 'aisle' ? '#!/usr/bin/env node' : ''),
        entryFileNames: '[name].js',
        // In the folder of the `.wasm` files and of the threads' script.
        chunkFileNames: '[name]-[hash].js',
        comments: false, // the licences stand in a file of their own
      },
    },
  },
  plugins: [
    withoutBackend('webgl'), // Node has none
    wasmBeside(),
    executable('dist/cli/aisle.js'),
    declarations({ entries: ['src/node.ts'], outDir: 'dist/cli' }),
  ],
};

const modes: Record<string, UserConfig> = { studio, lib: library, embed, cli: commandLine, script: modulesForNode };

export default defineConfig(async ({ mode }) => ({
  base: './',
  ...(modes[mode] ?? page),
  define: { ...modes[mode]?.define, 'import.meta.env.CODE_HASH': JSON.stringify(codeHash(import.meta.dirname)) },
  plugins: [tfjsKernels(), ...((modes[mode] ?? page).plugins ?? [])],
  // Loaded for tests only: an install builds the command line, and should not wait for a browser driver.
  ...(mode === 'test' ? { test: (await import('./test/projects.ts')).tests } : {}),
}));
