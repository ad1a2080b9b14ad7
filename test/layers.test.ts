import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { models } from '../src/models/index';
import { violations } from './layers';

const root = join(import.meta.dirname, '..');

function sources(): Map<string, string> {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  return new Map(
    files.map((name) => [`src/${name.replaceAll('\\', '/')}`, readFileSync(join(root, 'src', name), 'utf8')]),
  );
}

function check(file: string, ...lines: string[]): string[] {
  return checkAll({ [file]: lines.join('\n') });
}

function checkAll(files: Readonly<Record<string, string>>): string[] {
  return violations(new Map(Object.entries(files))).map(({ file, line, rule }) => `${file}:${line}: ${rule}`);
}

test('the sources keep the layer rules', () => {
  expect(sources().size).toBeGreaterThan(0);
  expect(violations(sources()).map(({ file, line, rule }) => `${file}:${line}: ${rule}`)).toEqual([]);
});

describe('the checker refuses, with file, line and rule,', () => {
  test.each([
    ['an upward import', 'src/nn/gru.ts', `import { models } from '../models';`, 'upward import: nn → models'],
    [
      'an upward import of types',
      'src/train/a.ts',
      `import type { Engine } from '../engine/types';`,
      'upward import: train → engine',
    ],
    ['an upward re-export', 'src/models/a.ts', `export * from '../train/trainer';`, 'upward import: models → train'],
    [
      'an upward import expression',
      'src/session/a.ts',
      `const a = import('../store/a');`,
      'sideways import: session → store',
    ],
    [
      'an upward import type',
      'src/types.ts',
      `type A = import('./engine/types').Engine;`,
      'upward import: types → engine',
    ],
    [
      'an upward worker URL',
      'src/train/a.ts',
      `new Worker(new URL('../worker/worker.ts', import.meta.url));`,
      'upward import: train → worker',
    ],
    ['an import of what builds', 'src/cli/a.ts', `import { x } from '../build/plugins';`, 'upward import: cli → build'],
    [
      'a sideways import',
      'src/store/a.ts',
      `import { sessionInput } from '../session/event-log';`,
      'sideways import: store → session',
    ],
    [
      'a network that imports a training',
      'src/models/gru4rec.ts',
      `import { gru4recTraining } from './gru4rec-training';`,
      'a network never imports its training: a page would load it',
    ],
    [
      'a network that imports a loss beside a type',
      'src/models/caser.ts',
      `import { type BatchArray, vector } from '../objectives/batch';`,
      'a network never imports its training: a page would load it',
    ],
    [
      'an import from the tests',
      'src/models/a.ts',
      `import { x } from '../../test/x';`,
      'imports from outside src: ../../test/x',
    ],
    [
      'a part that the layers do not know',
      'src/utils/a.ts',
      `export {};`,
      '"utils" is not a part of src: add it to the layers or move the file',
    ],
    [
      'tensors in the command line',
      'src/cli/a.ts',
      `import { tensor } from '@tensorflow/tfjs';`,
      'tensors only in compute, nn, models, objectives, ranking, train, engine: @tensorflow/tfjs',
    ],
    [
      'tensors in the page',
      'src/demo/a.ts',
      `await import('@tensorflow/tfjs');`,
      'tensors only in compute, nn, models, objectives, ranking, train, engine: @tensorflow/tfjs',
    ],
    [
      'tensors in the checkpoint',
      'src/checkpoint/a.ts',
      `import type { Tensor } from '@tensorflow/tfjs';`,
      'tensors only in compute, nn, models, objectives, ranking, train, engine: @tensorflow/tfjs',
    ],
    [
      'a part of TensorFlow.js by its name',
      'src/engine/a.ts',
      `import { tensor } from '@tensorflow/tfjs-core';`,
      '@tensorflow/tfjs by its own name: the builds take the part',
    ],
    [
      'an import past the public API',
      'src/demo/a.ts',
      `import type { Engine } from '../engine/types';`,
      'the demo imports the public API only: ../engine/types',
    ],
    [
      'an import past the pipeline',
      'src/studio/a.ts',
      `import { trainFromLog } from '../train/train-from-log';`,
      'the studio imports the pipeline and the public API only: ../train/train-from-log',
    ],
    ['a second home for IndexedDB', 'src/engine/a.ts', `import { get } from 'idb-keyval';`, 'idb-keyval only in store'],
    ['IndexedDB by its own name', 'src/recommender.ts', `indexedDB.open('aisle');`, 'IndexedDB only in store'],
    [
      'the DOM in the recommender',
      'src/recommender.ts',
      `const url = document.baseURI;`,
      'DOM only in ui, page, demo, studio: document',
    ],
    [
      'the DOM by a name of it',
      'src/store/a.ts',
      `const { document } = globalThis;`,
      'DOM only in ui, page, demo, studio: document',
    ],
    [
      'the DOM under another name',
      'src/engine/a.ts',
      `const { document: page } = self as Page;`,
      'DOM only in ui, page, demo, studio: document',
    ],
    [
      'the DOM by its name as text',
      'src/train/a.ts',
      `const page = globalThis['document'];`,
      'DOM only in ui, page, demo, studio: document',
    ],
    [
      'the DOM behind a cast',
      'src/nn/a.ts',
      `const page = (globalThis as Page).document;`,
      'DOM only in ui, page, demo, studio: document',
    ],
    [
      'the database by a name of it',
      'src/recommender/a.ts',
      `const { indexedDB } = globalThis;`,
      'IndexedDB only in store',
    ],
    [
      'the DOM by way of globalThis',
      'src/engine/a.ts',
      `globalThis.document.title;`,
      'DOM only in ui, page, demo, studio: document',
    ],
    [
      'a type of the DOM',
      'src/engine/a.ts',
      `export function f(e: HTMLElement): void {}`,
      'DOM only in ui, page, demo, studio: HTMLElement',
    ],
    [
      'a page reader that knows the elements',
      'src/page/a.ts',
      `import type { Host } from '../ui/types';`,
      'upward import: page → ui',
    ],
    [
      'the GPU outside the compute layer',
      'src/ui/a.ts',
      `if (navigator.gpu) start();`,
      'navigator.gpu only in compute',
    ],
    ['the GPU behind a cast', 'src/ranking/a.ts', `(navigator as any)['gpu'];`, 'navigator.gpu only in compute'],
    ['the GPU by destructuring', 'src/ui/a.ts', `const { gpu } = navigator;`, 'navigator.gpu only in compute'],
    ['the GPU by asking for it', 'src/ui/a.ts', `const has = 'gpu' in navigator;`, 'navigator.gpu only in compute'],
    [
      'Node in the engine',
      'src/engine/a.ts',
      `import { readFile } from 'node:fs/promises';`,
      'Node only in build, cli, src/pipeline/files/: node:fs/promises',
    ],
    [
      'a view of the WASM heap outside its home',
      'src/compute/kernels/wasm/a.ts',
      `const ids = backend.typedArrayFromHeap(indices);`,
      "the WASM heap only in src/compute/kernels/wasm/memory.ts, through a kernel's plan: typedArrayFromHeap",
    ],
    [
      'the WASM heap by destructuring',
      'src/compute/kernels/wasm-simd/a.ts',
      `const { HEAPU8: bytes } = module;`,
      "the WASM heap only in src/compute/kernels/wasm/memory.ts, through a kernel's plan: HEAPU8",
    ],
    [
      'an allocation on the WASM heap by its name in quotes',
      'src/engine/a.ts',
      `module['_malloc'](8);`,
      "the WASM heap only in src/compute/kernels/wasm/memory.ts, through a kernel's plan: _malloc",
    ],
    [
      'a fault of a backend that no device has raised',
      'src/engine/a.ts',
      `throw new BackendFault('no-backend', 'wasm', 'a mistake');`,
      'new BackendFault only in compute',
    ],
    [
      'Node without its prefix',
      'src/session/a.ts',
      `const fs = require('fs');`,
      'Node only in build, cli, src/pipeline/files/: fs',
    ],
    [
      'Node in the pipeline outside its files',
      'src/pipeline/a.ts',
      `import { basename, join } from 'node:path';`,
      'Node only in build, cli, src/pipeline/files/: node:path',
    ],
    [
      'the process in the pipeline outside its files',
      'src/pipeline/a.ts',
      `const memory = process.memoryUsage();`,
      'Node only in build, cli, src/pipeline/files/: process',
    ],
    [
      'a pipeline that knows the command line',
      'src/pipeline/a.ts',
      `import { observe } from '../cli/progress';`,
      'upward import: pipeline → cli',
    ],
    ['a pipeline that prints', 'src/pipeline/a.ts', `console.log(1);`, 'the pipeline prints nothing: console'],
    [
      'a pipeline that writes to the terminal',
      'src/pipeline/files/a.ts',
      `process.stderr.write('1');`,
      'the pipeline takes options and returns results: process.stderr',
    ],
    [
      'a pipeline that reads the environment',
      'src/pipeline/files/a.ts',
      `const level = process.env['LEVEL'];`,
      'the pipeline takes options and returns results: process.env',
    ],
  ])('%s', (_name, file, line, rule) => {
    expect(check(file, '// first line', line)).toEqual([`${file}:2: ${rule}`]);
  });
});

describe('the checker refuses, naming the files of the circle,', () => {
  test.each<[string, Record<string, string>, string]>([
    [
      'two files that import each other',
      { 'src/nn/a.ts': `import { b } from './b';`, 'src/nn/b.ts': `\nimport { a } from './a';` },
      'src/nn/b.ts:2: import circle: src/nn/a.ts → src/nn/b.ts → src/nn/a.ts',
    ],
    [
      'three files, by way of a type',
      {
        'src/ui/a.ts': `import { b } from './b';`,
        'src/ui/b.ts': `export * from './c/index';`,
        'src/ui/c/index.ts': `import type { A } from '../a';`,
      },
      'src/ui/c/index.ts:1: import circle: src/ui/a.ts → src/ui/b.ts → src/ui/c/index.ts → src/ui/a.ts',
    ],
    [
      'an import expression',
      { 'src/train/a.ts': `const b = import('./b');`, 'src/train/b.ts': `import { a } from './a';` },
      'src/train/b.ts:1: import circle: src/train/a.ts → src/train/b.ts → src/train/a.ts',
    ],
    [
      "a worker's address",
      { 'src/worker/a.ts': `import url from './b.ts?worker&url';`, 'src/worker/b.ts': `let a: import('./a').A;` },
      'src/worker/b.ts:1: import circle: src/worker/a.ts → src/worker/b.ts → src/worker/a.ts',
    ],
    [
      'a folder, by its index',
      { 'src/models/index.ts': `export * from './a';`, 'src/models/a.ts': `import { models } from '.';` },
      'src/models/a.ts:1: import circle: src/models/index.ts → src/models/a.ts → src/models/index.ts',
    ],
  ])('%s', (_name, files, rule) => {
    expect(checkAll(files)).toEqual([rule]);
  });

  test('each of several, also where they share a file', () => {
    const files = {
      'src/nn/a.ts': `import './b';\nimport './c';`,
      'src/nn/b.ts': `import './a';`,
      'src/nn/c.ts': `import './a';`,
    };
    expect(checkAll(files)).toEqual([
      'src/nn/b.ts:1: import circle: src/nn/a.ts → src/nn/b.ts → src/nn/a.ts',
      'src/nn/c.ts:1: import circle: src/nn/a.ts → src/nn/c.ts → src/nn/a.ts',
    ]);
  });
});

describe('the checker refuses TensorFlow.js in a specification,', () => {
  const rule = 'a page reads sessions by a specification without TensorFlow.js';
  const tensors = `import { gather } from '@tensorflow/tfjs';`;

  test.each<[string, Record<string, string>, string]>([
    ['at once', { 'src/models/a-spec.ts': tensors }, `src/models/a-spec.ts:1: ${rule}: src/models/a-spec.ts`],
    [
      'by way of a layer and a re-export',
      {
        'src/models/a/a-spec.ts': `import { b } from '../b';`,
        'src/models/b.ts': `export * from '../nn/index';`,
        'src/nn/index.ts': `import type { c } from './c';\n${tensors}`,
      },
      `src/nn/index.ts:2: ${rule}: src/models/a/a-spec.ts → src/models/b.ts → src/nn/index.ts`,
    ],
    [
      'for a type, where an import without names is left in the code',
      { 'src/models/a-spec.ts': `import { type Tensor } from '@tensorflow/tfjs';` },
      `src/models/a-spec.ts:1: ${rule}: src/models/a-spec.ts`,
    ],
    [
      'loaded later',
      { 'src/models/a-spec.ts': `const b = () => import('./b');`, 'src/models/b.ts': tensors },
      `src/models/b.ts:1: ${rule}: src/models/a-spec.ts → src/models/b.ts`,
    ],
  ])('%s', (_name, files, violation) => {
    expect(checkAll(files)).toEqual([violation]);
  });

  test('but not types that are written with it, nor those of a file that computes', () => {
    const files = {
      'src/models/a-spec.ts': `import type { Tensor } from '@tensorflow/tfjs';\nexport type { C } from './b';`,
      'src/models/b.ts': tensors,
    };
    expect(checkAll(files)).toEqual([]);
  });
});

test('every architecture has a specification', () => {
  const specs = [...sources().keys()].filter((file) => file.endsWith('-spec.ts')).map((file) => basename(file));
  expect(specs.sort()).toEqual(
    Object.keys(models)
      .map((name) => `${name}-spec.ts`)
      .sort(),
  );
});

test('the checker allows two ways to one file', () => {
  const files = {
    'src/nn/a.ts': `import './b';\nimport './c';`,
    'src/nn/b.ts': `import './d';`,
    'src/nn/c.ts': `import type { D } from './d';`,
    'src/nn/d.ts': '',
  };
  expect(checkAll(files)).toEqual([]);
});

describe('the checker allows', () => {
  test.each([
    ['downward imports', 'src/train/a.ts', `import { topK } from '../ranking/top-k';`],
    ['imports of its own part', 'src/compute/backends/start.ts', `import { x } from '../types';`],
    ['what builds to read the sources', 'src/build/a.ts', `import { x } from '../compute/kernels/shared/names.ts';`],
    ['types and errors from everywhere', 'src/session/a.ts', `import { RecommenderError } from '../errors';`],
    ['the demo to use the public API', 'src/demo/a.ts', `import { createRecommender } from '../index';`],
    ['the demo to load the script to embed', 'src/demo/a.ts', `await import('../ui/embed');`],
    ['a network to name types of its training', 'src/models/a.ts', `import type { Plan } from './training';`],
    ['a training to import losses', 'src/models/a-training.ts', `import { top1 } from '../objectives/losses';`],
    ['tensors in a layer', 'src/nn/a.ts', `import { matMul } from '@tensorflow/tfjs';`],
    ['the DOM in a page reader', 'src/page/a.ts', `document.querySelectorAll('script');`],
    ['the DOM in the page', 'src/demo/a.ts', `document.body.append(document.createElement('p'));`],
    ['Node in the command line', 'src/cli/a.ts', `import { readFile } from 'node:fs/promises';`],
    ['Node where the pipeline reads files', 'src/pipeline/files/a.ts', `import { readFile } from 'node:fs/promises';`],
    [
      'the command line to read its version',
      'src/cli/commands/a.ts',
      `import { version } from '../../../package.json';`,
    ],
    ['the GPU in the compute layer', 'src/compute/a.ts', `await navigator.gpu.requestAdapter();`],
    ['a property called document', 'src/session/a.ts', `export const x = { document: 1 }.document;`],
    ['a variable called window', 'src/session/a.ts', `const window = 5; export const y = window + 1;`],
    [
      'words in comments and texts',
      'src/nn/a.ts',
      `// document.body\nexport const s = "window.document from 'node:fs'";`,
    ],
  ])('%s', (_name, file, text) => {
    expect(check(file, text)).toEqual([]);
  });
});
