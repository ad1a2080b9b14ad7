/** The checker of the layer rules: which part of `src/` may import, and use, what, and that no imports form a circle. */
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path/posix';
import ts from 'typescript';

export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
}

/** Imports point from a higher rank to a lower one. Parts of one rank do not know each other. */
const RANK: Readonly<Record<string, number>> = {
  build: 14,
  studio: 15, // built from the demo's elements
  demo: 14,
  index: 13,
  cli: 13, // checks a page's tags as the embed does
  node: 12,
  ui: 12,
  page: 11,
  pipeline: 11,
  recommender: 10,
  worker: 9,
  engine: 8,
  train: 7,
  ranking: 6,
  neighbours: 5,
  models: 4,
  objectives: 3,
  nn: 2,
  compute: 1,
  session: 0,
  checkpoint: 0,
  store: 0,
  types: -1,
  abort: -2,
  loaded: -1,
  errors: -3,
  'nearest-name': -3,
  limits: -3,
  captured: -4,
};
/** What the demo may import: it proves that the public API is enough. */
const PUBLIC = new Set(['src/index', 'src/ui/embed']);

/**
 * What the studio may import beside it, and beside types: it reads, splits, trains and evaluates by the pipeline, as the command
 * line does, and computes nothing itself. It shares the demo's maker of elements.
 */
const OF_STUDIO = new Set(['src/errors', 'src/demo/dom']);

const TENSOR_HOMES = new Set(['compute', 'nn', 'models', 'objectives', 'ranking', 'train', 'engine']);
const NODE_HOMES = new Set(['build', 'cli']);
const DOM_HOMES = new Set(['ui', 'page', 'demo', 'studio']);
/** What runs in a page as well as in Node listens to the document, or resolves addresses by it, where there is one. */
const mayAskDocument = (file: string): boolean => file.startsWith('src/recommender/') || file === 'src/worker/start.ts';
/** Names that only a page has. `location`, `navigator`, `fetch` and `Worker` exist in workers too. */
const DOM_GLOBALS =
  /^(document|window|customElements|localStorage|sessionStorage|history|alert|getComputedStyle|matchMedia|requestAnimationFrame|MutationObserver|IntersectionObserver|ResizeObserver|DOMParser|Document|Window|Element|Node|ShadowRoot|(HTML|SVG)\w*Element)$/;
const BUILTIN = new Set(builtinModules);
/** The one folder of the pipeline that knows Node: a page, too, reads and splits a log by the rest. */
const NODE_FOLDER = 'src/pipeline/files/';
/** The specification of an architecture. */
const SPEC = /^src\/models\/.*-spec\.ts$/;
/** What only the command line does with its process. */
const OF_PROCESS = /^(stdin|stdout|stderr|argv|env|exit|exitCode)$/;
/** What deletes, in the demo, what the store has written: as a browser does that clears a site's data. */
const STORAGE_PLUG = 'src/demo/storage.ts';
/** The one file that allocates on the WASM heap, or views it: a view is empty once an allocation has made the heap grow. */
const HEAP_HOME = 'src/compute/kernels/wasm/memory.ts';
/** What does so: properties of TensorFlow.js' WASM backend and of Emscripten's module. */
const HEAP_NAMES = /^(typedArrayFromHeap|makeOutput|_malloc|_free|asm|wasmMemory|HEAP(U?8|U?16|U?32|F32|F64))$/;

/**
 * Every breach of the layer rules in a set of files.
 *
 * @param sources Text of each file by its path from the root of the repository, `src/…`.
 */
export function violations(sources: ReadonlyMap<string, string>): Violation[] {
  const graph = new Map<string, Import[]>();
  const found = [...sources].flatMap(([file, text]) => {
    const imports: Import[] = [];
    graph.set(file, imports);
    return checkFile(file, text, imports);
  });
  return [...found, ...circles(graph), ...tensorsOfSpecs(graph)];
}

interface Import {
  readonly line: number;
  /** The path of a file in `src/`, perhaps without `.ts` or `/index.ts`; else the package. */
  readonly path: string;
  /** Whether the code goes without it when it runs. */
  readonly isTypeOnly: boolean;
}

type Graph = ReadonlyMap<string, readonly Import[]>;

const fileOf = (graph: Graph, path: string): string | undefined =>
  [path, `${path}.ts`, `${path}/index.ts`].find((name) => graph.has(name));

/** Every import that closes a circle, found depth first. Imports of types count: a reader follows them too. */
function circles(graph: Graph): Violation[] {
  const found: Violation[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (file: string): void => {
    trail.push(file);
    for (const { line, path } of graph.get(file)!) {
      const target = fileOf(graph, path);
      if (target === undefined || done.has(target)) continue;
      const start = trail.indexOf(target);
      if (start < 0) visit(target);
      else found.push({ file, line, rule: `import circle: ${[...trail.slice(start), target].join(' → ')}` });
    }
    trail.pop();
    done.add(file);
  };
  for (const file of graph.keys()) if (!done.has(file)) visit(file);
  return found;
}

/** Every import of TensorFlow.js that is loaded with the specification of an architecture, by way of the files between. */
function tensorsOfSpecs(graph: Graph): Violation[] {
  const found: Violation[] = [];
  for (const spec of graph.keys()) {
    if (!SPEC.test(spec)) continue;
    const trails = new Map([[spec, spec]]);
    for (const [file, trail] of trails) {
      for (const { line, path, isTypeOnly } of graph.get(file)!) {
        if (isTypeOnly) continue;
        if (path.startsWith('@tensorflow/')) {
          found.push({ file, line, rule: `a page reads sessions by a specification without TensorFlow.js: ${trail}` });
        }
        const target = fileOf(graph, path);
        if (target !== undefined && !trails.has(target)) trails.set(target, `${trail} → ${target}`);
      }
    }
  }
  return found;
}

/** @param imports Takes the imports of the file. */
function checkFile(file: string, text: string, imports: Import[]): Violation[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const part = partOf(file);
  const found: Violation[] = [];
  const lineOf = (node: ts.Node): number => source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
  const report = (node: ts.Node, rule: string): void => void found.push({ file, line: lineOf(node), rule });
  if (RANK[part] === undefined) report(source, `"${part}" is not a part of src: add it to the layers or move the file`);

  const declared = declaredNames(source);
  const visit = (node: ts.Node): void => {
    const specifier = importOf(node);
    if (specifier !== undefined) {
      const path = specifier.startsWith('.') ? join(dirname(file), specifier.replace(/\?.*$/, '')) : undefined;
      imports.push({ line: lineOf(node), path: path ?? specifier, isTypeOnly: isTypeOnly(node) });
      for (const rule of importRules(file, specifier, path)) report(node, rule);
      if (part === 'studio' && path !== undefined && !isTypeOnly(node) && !isOfStudio(path))
        report(node, `the studio imports the pipeline and the public API only: ${specifier}`);
      if (part === 'models' && path !== undefined && loadsTraining(file, path, node))
        report(node, 'a network never imports its training: a page would load it');
    } else if (ts.isIdentifier(node) || ts.isStringLiteralLike(node)) {
      if (HEAP_NAMES.test(node.text) && file !== HEAP_HOME) {
        report(node, `the WASM heap only in ${HEAP_HOME}, through a kernel's plan: ${node.text}`);
      }
    }
    const used = ts.isIdentifier(node) && isGlobalUse(node) && !declared.has(node.text) ? [node.text] : [];
    for (const name of [...used, ...takenFromGlobals(node)]) {
      if (DOM_GLOBALS.test(name) && !DOM_HOMES.has(part) && !(name === 'document' && mayAskDocument(file))) {
        report(node, `DOM only in ${[...DOM_HOMES].join(', ')}: ${name}`);
      }
      if (name === 'console' && part === 'pipeline') report(node, 'the pipeline prints nothing: console');
      if (name === 'process' && part === 'pipeline' && !file.startsWith(NODE_FOLDER))
        report(node, `Node only in ${[...NODE_HOMES].join(', ')}, ${NODE_FOLDER}: process`);
      if (name === 'indexedDB' && part !== 'store' && file !== STORAGE_PLUG) report(node, 'IndexedDB only in store');
    }
    if (part === 'pipeline' && ts.isPropertyAccessExpression(node) && OF_PROCESS.test(node.name.text)) {
      if (node.expression.getText() === 'process')
        report(node, `the pipeline takes options and returns results: process.${node.name.text}`);
    }
    if (readsGpu(node) && part !== 'compute') report(node, 'navigator.gpu only in compute');
    // Only what sees a device can say that it is at fault.
    if (ts.isNewExpression(node) && node.expression.getText() === 'BackendFault' && part !== 'compute')
      report(node, 'new BackendFault only in compute');
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** `src/models/gru4rec.ts` → `models`, `src/types.ts` → `types`. */
function partOf(file: string): string {
  return (file.split('/')[1] ?? '').replace(/\.ts$/, '');
}

/** The module that a node imports: static, re-export, dynamic, `import type`, `import('…').T`, `require`, worker URL. */
function importOf(node: ts.Node): string | undefined {
  const text = (n: ts.Node | undefined): string | undefined => (n && ts.isStringLiteralLike(n) ? n.text : undefined);
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return text(node.moduleSpecifier);
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? text(node.argument.literal) : undefined;
  if (ts.isExternalModuleReference(node)) return text(node.expression);
  if (ts.isCallExpression(node)) {
    const called = node.expression;
    if (called.kind === ts.SyntaxKind.ImportKeyword) return text(node.arguments[0]);
    if (ts.isIdentifier(called) && called.text === 'require') return text(node.arguments[0]);
  }
  // new URL('./worker.ts', import.meta.url): Vite bundles that file, so it is an import.
  if (
    ts.isNewExpression(node) &&
    node.expression.getText() === 'URL' &&
    node.arguments?.[1]?.getText() === 'import.meta.url'
  ) {
    const target = text(node.arguments[0]);
    return target?.startsWith('.') ? target : undefined;
  }
  return undefined;
}

/** @param path Of the file that a relative specifier names. */
function importRules(file: string, specifier: string, path: string | undefined): string[] {
  const part = partOf(file);
  if (path !== undefined) {
    if (path === 'package.json' && part === 'cli') return []; // the command line says its version
    if (!path.startsWith('src/')) return [`imports from outside src: ${specifier}`];
    const target = partOf(path);
    if (target === part) return [];
    const from = RANK[part];
    const to = RANK[target];
    if (from === undefined || to === undefined) return [`imports an unknown part: ${specifier}`];
    if (to > from) return [`upward import: ${part} → ${target}`];
    if (to === from) return [`sideways import: ${part} → ${target}`];
    if (part === 'demo' && !PUBLIC.has(path)) return [`the demo imports the public API only: ${specifier}`];
    return [];
  }
  const rules: string[] = [];
  if (specifier === '@tensorflow/tfjs-core') rules.push('@tensorflow/tfjs by its own name: the builds take the part');
  if (specifier.startsWith('@tensorflow/') && !TENSOR_HOMES.has(part)) {
    rules.push(`tensors only in ${[...TENSOR_HOMES].join(', ')}: ${specifier}`);
  }
  if (specifier.startsWith('idb-keyval') && part !== 'store') rules.push('idb-keyval only in store');
  const builtin = specifier.startsWith('node:') || BUILTIN.has(specifier.split('/')[0] ?? '');
  if (builtin && !NODE_HOMES.has(part) && !file.startsWith(NODE_FOLDER)) {
    rules.push(`Node only in ${[...NODE_HOMES].join(', ')}, ${NODE_FOLDER}: ${specifier}`);
  }
  return rules;
}

/** Whether the studio may run code of a file; its pages have styles of the demo, too. */
const isOfStudio = (path: string): boolean =>
  ['studio', 'pipeline'].includes(partOf(path)) || PUBLIC.has(path) || OF_STUDIO.has(path) || path.endsWith('.css');

/** Whether a network's file loads what only trains: a training, or code of the objectives; types cost nothing. */
function loadsTraining(file: string, path: string, node: ts.Node): boolean {
  if (/(training|models\/index)\.ts$/.test(file) || isTypeOnly(node)) return false;
  return path.startsWith('src/objectives/') || path.endsWith('training');
}

/** Whether nothing of an import is left in the code; of `import { type A }` an import without names is. */
function isTypeOnly(node: ts.Node): boolean {
  if (ts.isImportTypeNode(node)) return true;
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  return ts.isImportDeclaration(node) && node.importClause?.isTypeOnly === true;
}

/** Whether a node declares or imports a value. */
export const declaresValue = (node: ts.Node): node is ts.NamedDeclaration =>
  ts.isVariableDeclaration(node) ||
  ts.isParameter(node) ||
  ts.isBindingElement(node) ||
  ts.isFunctionDeclaration(node) ||
  ts.isClassDeclaration(node) ||
  ts.isImportSpecifier(node) ||
  ts.isImportClause(node) ||
  ts.isNamespaceImport(node);

/** Names that a file declares or imports itself, which therefore are not globals. */
function declaredNames(source: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    const { name } = node as { name?: ts.Node };
    const declares =
      declaresValue(node) ||
      ts.isInterfaceDeclaration(node) ||
      ts.isTypeAliasDeclaration(node) ||
      ts.isTypeParameterDeclaration(node);
    if (declares && name && ts.isIdentifier(name)) names.add(name.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return names;
}

/** Whether an identifier stands for a value or type in scope, rather than naming a property or a member. */
function isGlobalUse(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) {
    return isGlobals(parent.expression);
  }
  if (ts.isQualifiedName(parent)) return parent.left === node;
  const names =
    (parent as { name?: ts.Node }).name === node || (parent as { propertyName?: ts.Node }).propertyName === node;
  return !(names && !ts.isShorthandPropertyAssignment(parent));
}

const isGlobals = (node: ts.Node): boolean => ['globalThis', 'self', 'window'].includes(stripCasts(node).getText());

/** Names of globals in `const { name } = globalThis` and `globalThis['name']`. */
function takenFromGlobals(node: ts.Node): string[] {
  if (ts.isElementAccessExpression(node) && isGlobals(node.expression)) {
    return ts.isStringLiteralLike(node.argumentExpression) ? [node.argumentExpression.text] : [];
  }
  const isTaken = ts.isVariableDeclaration(node) && ts.isObjectBindingPattern(node.name);
  if (!isTaken || !node.initializer || !isGlobals(node.initializer)) return [];
  return node.name.elements.map(({ name, propertyName }) => (propertyName ?? name).getText());
}

function readsGpu(node: ts.Node): boolean {
  const isNavigator = (n: ts.Node | undefined): boolean => n !== undefined && /(^|\.)navigator\)?$/.test(n.getText());
  if (ts.isPropertyAccessExpression(node)) return node.name.text === 'gpu' && isNavigator(stripCasts(node.expression));
  if (ts.isElementAccessExpression(node)) {
    return /^['"`]gpu['"`]$/.test(node.argumentExpression.getText()) && isNavigator(stripCasts(node.expression));
  }
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.InKeyword) {
    return /^['"`]gpu['"`]$/.test(node.left.getText()) && isNavigator(stripCasts(node.right));
  }
  if (ts.isVariableDeclaration(node) && ts.isObjectBindingPattern(node.name)) {
    const takesGpu = node.name.elements.some((e) => (e.propertyName ?? e.name).getText() === 'gpu');
    return takesGpu && isNavigator(node.initializer && stripCasts(node.initializer));
  }
  return false;
}

function stripCasts(node: ts.Node): ts.Node {
  let inner = node;
  while (ts.isParenthesizedExpression(inner) || ts.isAsExpression(inner) || ts.isNonNullExpression(inner))
    inner = inner.expression;
  return inner;
}
