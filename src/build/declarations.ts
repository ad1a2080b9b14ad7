/** The declarations of what a package exports, for TypeScript. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import ts from 'typescript';
import type { Plugin } from 'vite';

/**
 * Writes the declarations of the entries and of all that they mention beside the built files, and no others: a shop's compiler
 * would look for the types of packages that it has not installed.
 */
export function declarations({ entries, outDir }: { entries: readonly string[]; outDir: string }): Plugin {
  return {
    name: 'aisle:declarations',
    apply: 'build',
    closeBundle() {
      const { config, error } = ts.readConfigFile('tsconfig.json', ts.sys.readFile);
      if (error) throw new Error(ts.flattenDiagnosticMessageText(error.messageText, '\n'));
      const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.');
      const program = ts.createProgram(entries, {
        ...options,
        noEmit: false,
        declaration: true,
        emitDeclarationOnly: true,
        rootDir: 'src',
        outDir,
      });
      const texts = new Map<string, string>();
      program.emit(undefined, (path, text) => void texts.set(resolve(path), withExtensions(text)));
      const paths = entries.map((entry) => resolve(outDir, relative('src', entry).replace(/\.ts$/, '.d.ts')));
      for (const [path, text] of mentioned(texts, paths)) {
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, text);
      }
    },
  };
}

/**
 * Relative imports get the `.js` that Node's own module resolution wants; the sources do without because Vite does. Every module
 * of the sources is a file, never a folder.
 */
const withExtensions = (text: string): string =>
  text.replace(/(from |import\()(['"])(\.\.?\/[^'"]+?)(\.js)?\2/g, '$1$2$3.js$2');

/** A declaration file, and which of its statements and imported names are mentioned so far. */
interface File {
  readonly source: ts.SourceFile;
  readonly kept: Set<ts.Node>;
}

/**
 * The files that entries mention, each without the declarations that none of them mentions.
 *
 * @param texts Of all files, by their absolute path. Their imports and exports have names: no `*`, no default.
 */
function mentioned(texts: ReadonlyMap<string, string>, entries: readonly string[]): Map<string, string> {
  const files = new Map<string, File>();
  function open(path: string): File {
    const text = texts.get(path);
    if (text === undefined)
      throw new Error(`${path} is mentioned by the declarations of another file, and not among them.`);
    const file = files.get(path) ?? {
      source: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true),
      kept: new Set(),
    };
    files.set(path, file);
    return file;
  }
  /** Keeps a name that another file imports, or that a statement of the file itself mentions. */
  function keepName(path: string, name: string): void {
    for (const statement of open(path).source.statements) {
      for (const specifier of specifiersOf(statement))
        if (specifier.name.text === name) keepSpecifier(path, statement, specifier);
      if (namesOf(statement).includes(name)) keepStatement(path, statement);
    }
  }
  function keepSpecifier(
    path: string,
    statement: ts.Statement,
    specifier: ts.ImportSpecifier | ts.ExportSpecifier,
  ): void {
    const { kept } = open(path);
    if (kept.has(specifier)) return;
    kept.add(specifier).add(statement);
    const name = (specifier.propertyName ?? specifier.name).text;
    const target = targetOf(path, (statement as ts.ImportDeclaration | ts.ExportDeclaration).moduleSpecifier);
    if (target !== undefined) keepName(target, name);
    else if (ts.isExportDeclaration(statement) && !statement.moduleSpecifier) keepName(path, name);
  }
  function keepStatement(path: string, statement: ts.Statement): void {
    const { kept } = open(path);
    if (kept.has(statement)) return;
    kept.add(statement);
    const visit = (node: ts.Node): void => {
      if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument) && node.qualifier) {
        const target = targetOf(path, node.argument.literal);
        const [first] = node.qualifier.getText().split('.');
        if (target !== undefined) keepName(target, first!);
      }
      if (ts.isIdentifier(node)) keepName(path, node.text);
      ts.forEachChild(node, visit);
    };
    ts.forEachChild(statement, visit);
  }
  for (const path of entries) {
    for (const statement of open(path).source.statements) {
      if (ts.isExportDeclaration(statement))
        for (const one of specifiersOf(statement)) keepSpecifier(path, statement, one);
      else if (isExported(statement)) keepStatement(path, statement);
    }
  }
  // What a mentioned file says of the page's globals counts, too.
  for (const [path, { source }] of files) {
    for (const statement of source.statements) if (ts.isModuleDeclaration(statement)) keepStatement(path, statement);
  }
  return new Map([...files].map(([path, file]) => [path, textOf(file)]));
}

const isExported = (statement: ts.Statement): boolean =>
  ts.canHaveModifiers(statement) &&
  (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);

function specifiersOf(statement: ts.Statement): readonly (ts.ImportSpecifier | ts.ExportSpecifier)[] {
  if (ts.isImportDeclaration(statement)) {
    const bindings = statement.importClause?.namedBindings;
    return bindings && ts.isNamedImports(bindings) ? bindings.elements : [];
  }
  if (!ts.isExportDeclaration(statement)) return [];
  return statement.exportClause && ts.isNamedExports(statement.exportClause) ? statement.exportClause.elements : [];
}

/** What a statement declares. */
function namesOf(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.map(({ name }) => name.getText());
  const { name } = statement as { name?: ts.Node };
  return name ? [name.getText()] : [];
}

/** The file that a relative specifier names. */
function targetOf(path: string, specifier: ts.Node | undefined): string | undefined {
  if (!specifier || !ts.isStringLiteral(specifier) || !specifier.text.startsWith('.')) return undefined;
  return resolve(dirname(path), specifier.text.replace(/\.js$/, '.d.ts'));
}

function textOf({ source, kept }: File): string {
  const parts = source.statements.flatMap((statement) => {
    if (!kept.has(statement)) return [];
    const specifiers = specifiersOf(statement);
    const text = statement.getText();
    if (specifiers.length === 0) return [`${comment(statement)}${text}`];
    const names = specifiers.filter((specifier) => kept.has(specifier)).map((specifier) => specifier.getText());
    return [text.replace(/\{.*?\}/s, `{ ${names.join(', ')} }`)];
  });
  return `${parts.join('\n')}\nexport {};\n`;
}

/** The documentation in front of a statement. */
function comment(statement: ts.Statement): string {
  const documentation = ts.getJSDocCommentsAndTags(statement).filter(ts.isJSDoc);
  return documentation.map((one) => `${one.getText()}\n`).join('');
}
