/**
 * Builds the engine's worker into files that no bundler changes: scripts without imports and exports. The worker's script holds
 * what every model and backend needs; each lazy part is a script that defines itself in the registry (`src/worker/parts.ts`)
 * which stands in front of the worker's. The page names each file in the form `new URL('./file', import.meta.url).href`, by
 * which bundlers recognise an asset, copy it as it is, and write its new address.
 *
 * With imports instead, a chunk imports the worker's script back, and a browser that knows it by another address, such as
 * one with a query, runs it again: two engines in one worker. And bundlers lose chunks of a script that they only copy.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { build, type Plugin, type Rolldown, transformWithOxc } from 'vite';
import type { PartFiles } from '../worker/parts.ts';
import { leanTensorFlow } from './lean-tensorflow.ts';
import { withoutHelp } from './plugins.ts';
import { tfjsKernels } from './tfjs-kernels.ts';

const ENTRY = 'src/worker/worker.ts';
const WASM = 'node_modules/@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm';
/** The file of everything that the worker's script itself imports, and of what parts share that do not need each other. */
const WORKER = 'worker';
/** The bundler's own, which only parts of TensorFlow.js need, once objects of exports are written out. */
const HELPERS = '\0rolldown/runtime.js';

/**
 * The part that each module begins which is imported lazily, and the parts that this one needs besides. What two parts share
 * is in the one that the other needs, if there is one.
 */
const PARTS: readonly (readonly [module: RegExp, part: string, needs: readonly string[]])[] = [
  [/(?:engine\/(?:plan-code|direct-placement)|compute\/backends\/plan)\.ts$/, 'plan', []],
  [/(?:ranking\/network-info|engine\/placement)\.ts$/, 'placement', []], // what checks options is too small to be a file
  [/ranking\/load-scorer\.ts$/, 'tensorflow', ['placement']],
  [/compute\/plan\/(binary(?:-fused)?|quantised)\.ts$/, 'plan-$1', []],
  [/compute\/plan\/(?:binary-)?products\.ts$/, 'plan-products', ['plan', 'product-codes']],
  [/compute\/backends\/(cpu|wasm|webgl|webgpu)\.ts$/, '$1', ['tensorflow']],
  [/models\/cl4srec(-spec|-training)?\.ts$/, 'sasrec$1', []], // whose options, encoder, rows and loss it has
  [/models\/(?:\w+\/)?(\w+)-sessions\.ts$/, '$1-sessions', []],
  [/models\/(?:\w+\/)?(\w+)-spec\.ts$/, '$1-spec', ['$1-sessions', 'placement']],
  [/models\/(?:\w+\/)?(\w+)\.ts$/, '$1', ['$1-spec', 'tensorflow']],
  [/models\/(?:\w+\/)?(\w+)-training\.ts$/, '$1-training', ['$1', 'train']],
  [/(?:neighbours\/index|ranking\/(?:baseline-scorer|mixture))\.ts$/, 'neighbours', ['placement']],
  [/hashes\/sha2\.js$/, 'sha2', []],
  [/checkpoint\/(aliases|catalogue-file|product-codes)\.ts$/, '$1', []],
  [/(?:engine\/click-readers|checkpoint\/manifest-features)\.ts$/, 'features', []],
  [/engine\/live-catalogue\.ts$/, 'catalogue', ['aliases', 'catalogue-file']],
  [/engine\/(strategies|diagnosis)\.ts$/, '$1', []],
  [/engine\/personalisation\.ts$/, 'personalisation', []],
  [/engine\/tuned-network\.ts$/, 'train', ['personalisation', 'tensorflow']],
  [/compute\/kernels\/cpu\/training\.ts$/, 'train', []], // too small to be a file
  [/compute\/kernels\/(wasm|webgl|webgpu)\/training\.ts$/, 'train-$1', ['$1', 'train']],
  [/compute\/kernels\/wasm-simd\/((?:training-)?binary(?:-fused)?)\.ts$/, '$1', []],
];

interface Part {
  readonly name: string;
  readonly code: string;
  readonly needs: readonly string[];
}

/**
 * Puts the built worker beside the page's scripts, and its addresses in place of `src/worker/files.ts`.
 *
 * @param worker Name of the worker's script among the output; `[hash]` is of its content.
 * @param installed Folder of the output in an installed package, `aisle/dist/lib`, where shops bundle it. Vite up to 7 moves
 *   what a page imports from there into `deps` of its cache when it serves it in development, but not the assets.
 *   Default: the output is served as it is, and all files lie beside the worker's script.
 */
export function workerFiles({ worker, installed }: { worker: string; installed?: string }): Plugin {
  const relative = (name: string): string => posix.relative(posix.dirname(worker), name);
  const beside = (name: string): string => posix.join(posix.dirname(worker), name);
  const wasm = { plain: wasmFile(beside, ''), simd: wasmFile(beside, '-simd') };
  return {
    name: 'aisle:worker-files',
    apply: 'build',
    load: {
      filter: { id: /\/src\/(worker\/files|compute\/backends\/wasm-files)\.ts$/ },
      async handler(id) {
        if (id.endsWith('wasm-files.ts')) return wasmModule(addressOf(wasm.simd.name), addressOf(wasm.plain.name));
        const { script, parts } = await buildWorker(relative(wasm.simd.name), relative(wasm.plain.name));
        const files = parts.map(({ name, code, needs }) => {
          const file = hashed(beside(`worker-${name}-[hash].js`), neverInlined(code));
          return { name, needs, file };
        });
        const registry = files.map(({ name, needs, file }) => [name, [hashIn(file), ...needs].join(' ')]);
        const entry = hashed(worker, `${prelude(Object.fromEntries(registry))}${script}`);
        const others = [...files.map(({ file }) => file), wasm.simd, wasm.plain];
        for (const { name, source } of [entry, ...others]) this.emitFile({ type: 'asset', fileName: name, source });
        if (installed === undefined) {
          // In no form that a bundler recognises: it would copy the worker's script without its parts.
          const address = `import.meta.url.replace(/[^/]*$/, 'aisle-path:${entry.name}')`;
          return `
            export const workerHint = '';
            export const builtWorkers = () => [{ worker: ${address}, urls: {} }];`;
        }
        const urls = JSON.stringify(Object.fromEntries(others.map(({ name }) => [relative(name), addressOf(name)])));
        const moved = `import.meta.url.replace(deps, '/node_modules/${installed}/${entry.name}')`;
        return `
          const deps = /\\/node_modules\\/\\.(vite|cache\\/.+)\\/deps\\/.*/;
          const isMoved = deps.test(import.meta.url);
          export const workerHint = ${JSON.stringify(hintFor(installed, entry.name))};
          export const builtWorkers = () => [
            ...(isMoved ? [{ worker: ${moved}, urls: {} }] : []),
            { worker: '${addressOf(entry.name)}', urls: ${urls} },
          ];`;
      },
    },
    // After minification, which would write the texts in a form that not every bundler recognises.
    generateBundle(_, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk') continue;
        chunk.code = chunk.code.replace(/(["'`])aisle-(file|path):([^"'`]+)\1/g, (_, _quote, kind, name: string) => {
          const path = posix.relative(posix.dirname(chunk.fileName), name);
          const text = path.startsWith('.') ? `"${path}"` : `"./${path}"`;
          return kind === 'file' ? `new URL(${text},import.meta.url).href` : text;
        });
      }
    },
  };
}

/**
 * Takes TensorFlow.js' WASM modules from the assets of another page of the site, which `workerFiles` has put there.
 *
 * @param assets Their folder, relative to the scripts of this page.
 */
export function wasmFrom(assets: string): Plugin {
  return {
    name: 'aisle:wasm-from',
    apply: 'build',
    load: {
      filter: { id: /\/src\/compute\/backends\/wasm-files\.ts$/ },
      handler() {
        const address = (kind: string) =>
          `new URL(/* @vite-ignore */ '${wasmFile((name) => posix.join(assets, name), kind).name}', import.meta.url).href`;
        return `export const wasmFiles = { simd: ${address('-simd')}, plain: ${address('')} };`;
      },
    },
  };
}

/** What the page says to do where no worker starts, for a shop's bundler that does not know the form of an asset. */
const hintFor = (installed: string, worker: string): string =>
  ` (If the bundler did not copy the worker: copy node_modules/${installed} to the site, and pass workerUrl, the address of its ${worker}.)`;

interface OutputFile {
  readonly name: string;
  readonly source: string | Uint8Array;
}

/** Bundlers write an asset of at most so many bytes into the script that names it, where it would be no file. */
const INLINED_BYTES = 4096;

/** A script that is too long for that; spaces cost next to nothing once they are compressed. */
const neverInlined = (code: string): string =>
  code + ' '.repeat(Math.max(0, INLINED_BYTES + 1 - Buffer.byteLength(code)));

const hashIn = ({ name }: OutputFile): string => /-(\w+)\.js$/.exec(name)![1]!;

const hashed = (name: string, source: OutputFile['source']): OutputFile => ({
  name: name.replace('[hash]', createHash('sha256').update(source).digest('hex').slice(0, 8)),
  source,
});

const wasmFile = (beside: (name: string) => string, kind: string): OutputFile =>
  hashed(beside(`tfjs-backend-wasm${kind}-[hash].wasm`), readFileSync(`${WASM}${kind}.wasm`));

const wasmModule = (simd: string, plain: string): string =>
  `export const wasmFiles = ${JSON.stringify({ simd, plain })};`;

/** Stands for a file's address until `generateBundle`. */
const addressOf = (name: string): string => `aisle-file:${name}`;

/** What stands in front of the worker's script, with its comments: bundlers leave an import alone that has them. */
function prelude(files: PartFiles): string {
  const importScript = '(url)=>import(/* webpackIgnore: true *//* turbopackIgnore: true *//* @vite-ignore */url)';
  return `globalThis.aisleWorker=[${JSON.stringify(files)},${importScript}];`;
}

/** @param wasm Names of the WASM modules relative to the worker's script. */
async function buildWorker(
  ...wasm: [simd: string, plain: string]
): Promise<{ readonly script: string; readonly parts: readonly Part[] }> {
  const { code: registry } = await transformWithOxc(readFileSync('src/worker/parts.ts', 'utf8'), 'parts.ts');
  let partOf: ReadonlyMap<string, string> = new Map();
  const usedBy = new Map<string, readonly string[]>();
  const plugin: Plugin = {
    name: 'aisle:worker-parts',
    load: { filter: { id: /\/src\/compute\/backends\/wasm-files\.ts$/ }, handler: () => wasmModule(...wasm) },
    buildEnd() {
      partOf = assignParts([...this.getModuleIds()], (id) => this.getModuleInfo(id));
    },
    renderChunk(code, { name, isEntry }) {
      const defined = defineOf(name, code);
      usedBy.set(
        name,
        [...defined.matchAll(/\brequire\("([\w-]+)"\)/g)].map(([, used]) => used!),
      );
      if (!isEntry) return { code: defined, map: null };
      const global = 'globalThis.aisleParts = createParts(...globalThis.aisleWorker);';
      const own = registry.replace('export function', 'function');
      return { code: `${own}\n${global}\n${defined}`, map: null };
    },
  };
  const built = await build({
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    plugins: [tfjsKernels(), leanTensorFlow(), withoutHelp(), plugin],
    build: {
      write: false,
      target: 'es2022',
      lib: { entry: { [WORKER]: ENTRY }, formats: ['cjs'] },
      rolldownOptions: {
        preserveEntrySignatures: 'allow-extension', // what parts share with it is exported by the worker's script
        checks: { pluginTimings: false },
        output: {
          entryFileNames: '[name].js',
          chunkFileNames: '[name].js',
          topLevelVar: false, // as `var`, constants are not written in their places
          minify: true,
          comments: { legal: false, annotation: false },
          generatedCode: { symbols: false },
          codeSplitting: {
            includeDependenciesRecursively: false,
            groups: [{ debugName: 'parts', name: (id) => partOf.get(id) ?? (id === HELPERS ? 'tensorflow' : null) }],
          },
        },
      },
    },
  });
  const chunks = (built as Rolldown.RolldownOutput[])[0]!.output.filter((file) => file.type === 'chunk');
  const always = closure([WORKER], (name) => usedBy.get(name)!);
  const needsOf = (name: string) => [...closure([name], (other) => usedBy.get(other)!)].filter((one) => one !== name);
  const parts = chunks.flatMap(({ name, code }) => {
    const needs = usedBy.get(name)!.filter((one) => !always.has(one));
    const isDirect = (one: string) => !needs.some((other) => needsOf(other).includes(one));
    return always.has(name) ? [] : [{ name, code, needs: needs.filter(isDirect) }];
  });
  const scripts = [...always].map((name) => chunks.find((chunk) => chunk.name === name)!.code);
  return { script: `${scripts.join('')}globalThis.aisleParts.require("${WORKER}");`, parts };
}

/** A chunk in CommonJS as a part that defines itself. */
function defineOf(name: string, code: string): string {
  const objects = code.replace(
    /\b(?:require_\w+\.\w+|__exportAll)\(\{((?:\s*[\w$]+: \(\) => [^,{}]+,?)+)\}(?:, 1)?\)/g,
    (_, entries: string) => `{${entries.replace(/([\w$]+): \(\) => ([^,{}]+)/g, 'get $1() { return $2; }')}}`,
  );
  const used = objects.replace(/^const (require_\w+) = require\("[^"]+"\);$/gm, (line, helper: string) =>
    objects.includes(`${helper}.`) ? line : '',
  );
  const body = used
    .replace(/Promise\.resolve\(\)\.then\(\(\) => require\("\.\/([\w-]+)\.js"\)\)/g, 'aisleLoad("$1")')
    .replace(/\brequire\("\.\/([\w-]+)\.js"\)/g, 'require("$1")');
  return `globalThis.aisleParts.define(${JSON.stringify(name)}, (exports, require, aisleLoad) => {\n${body}\n});`;
}

type ModuleInfo = { readonly importedIds: readonly string[]; readonly dynamicallyImportedIds: readonly string[] };

/** The part of each module: of those that lead to it, the one that all of them need; the worker's script where none is. */
function assignParts(ids: readonly string[], info: (id: string) => ModuleInfo | null): ReadonlyMap<string, string> {
  const importsOf = (id: string) => info(id)?.importedIds ?? [];
  const core = closure(
    ids.filter((id) => id.endsWith(`/${ENTRY}`)),
    importsOf,
  );
  const needsOf = new Map<string, readonly string[]>();
  const leadingTo = new Map<string, Set<string>>();
  for (const lazy of new Set(ids.flatMap((id) => info(id)?.dynamicallyImportedIds ?? []))) {
    const rule = PARTS.find(([module]) => module.test(lazy));
    if (!rule) throw new Error(`${lazy} is imported lazily: say in PARTS of which file it is a part.`);
    const [module, ...names] = rule;
    const named = (text: string) =>
      module.exec(lazy)!.reduce((name, group, i) => name.replaceAll(`$${i}`, group ?? ''), text);
    const part = named(names[0]);
    needsOf.set(part, [...(needsOf.get(part) ?? []), ...names[1].map(named)]);
    for (const id of closure([lazy], importsOf)) {
      if (!core.has(id)) leadingTo.set(id, (leadingTo.get(id) ?? new Set()).add(part));
    }
  }
  const allNeeds = (part: string) => closure([part], (other) => needsOf.get(other) ?? []);
  return new Map([
    ...[...core].map((id) => [id, WORKER] as const),
    ...[...leadingTo].map(([id, leading]) => {
      const [first, ...others] = [...leading].map(allNeeds);
      const shared = [...first!].filter((part) => others.every((needs) => needs.has(part)));
      const [part = WORKER] = shared.sort((a, b) => allNeeds(b).size - allNeeds(a).size);
      return [id, part] as const;
    }),
  ]);
}

/** What can be reached from `start`, itself included. */
function closure(start: readonly string[], next: (id: string) => readonly string[]): Set<string> {
  const found = new Set(start);
  for (const id of found) for (const other of next(id)) found.add(other); // a set is walked to its growing end
  return found;
}
