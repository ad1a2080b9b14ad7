import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { built } from './built';

/** A bundler may inline smaller assets as `data:` addresses, which security policies refuse: Vite's limit. */
const SMALLEST = 4096;

/** Imports and exports of a script, and what only stands for a module: `import.meta`, `require`. */
function moduleSyntax(text: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const isSyntax = ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isExportAssignment(node);
    const isGlobal = ts.isIdentifier(node) && /^(require|exports|module)$/.test(node.text);
    const { name, propertyName } = node.parent as { name?: ts.Node; propertyName?: ts.Node };
    const isName = name === node || propertyName === node; // of a property
    if (isSyntax || ts.isMetaProperty(node) || (isGlobal && !isName)) found.push(node.getText().slice(0, 60));
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) found.push(node.getText());
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(ts.createSourceFile('script.js', text, ts.ScriptTarget.Latest, true), visit);
  return found;
}

describe.each([
  ['lib', '.', /^worker\.js$/],
  ['embed', '.', /^worker\.js$/],
  ['page', 'assets', /^worker-[0-9a-f]{8}\.js$/],
] as const)('the worker of %s', (mode, folder, name) => {
  async function files() {
    const at = join(built(mode), folder);
    const all = readdirSync(at);
    const parts = all.filter((file) => /^worker-.+-[0-9a-f]{8}\.js$/.test(file)).map((part) => join(at, part));
    return { at, worker: join(at, all.find((file) => name.test(file))!), parts };
  }

  test('is scripts without imports and exports, except for the one import by which it loads its parts', async () => {
    const { worker, parts } = await files();
    expect(moduleSyntax(readFileSync(worker, 'utf8'))).toEqual([
      'import(/* webpackIgnore: true *//* turbopackIgnore: true *//* @vite-ignore */url)',
    ]);
    expect(parts.length).toBeGreaterThan(8);
    for (const part of parts) expect(moduleSyntax(readFileSync(part, 'utf8')), part).toEqual([]);
  });

  test('has no file that a bundler would inline', async () => {
    const { worker, parts } = await files();
    for (const file of [worker, ...parts]) expect(statSync(file).size, file).toBeGreaterThan(SMALLEST);
  });

  test('is named by what a shop bundles, every file of it, as an asset, and otherwise none of its scripts', async () => {
    const { at, worker, parts } = await files();
    const root = built(mode);
    const scripts = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => /\.js$/.test(file));
    const named = scripts.flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(/new URL\("(\.\.?\/[^"]+)",import\.meta\.url\)\.href/g)].map(
        ([, address]) => join(root, file, '..', address!),
      ),
    );
    const wasm = readdirSync(at).filter((file) => file.endsWith('.wasm'));
    const all = [worker, ...parts, ...wasm.map((file) => join(at, file))];
    expect(wasm).toHaveLength(2);
    // The page's own thread loads WASM, too, as an asset in each.
    const bundled = mode === 'lib' ? all : all.filter((file) => file.endsWith('.wasm'));
    expect([...new Set(named)].sort()).toEqual(bundled.sort());
  });
});
