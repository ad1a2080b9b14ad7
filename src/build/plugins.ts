/**
 * The build steps that Vite does not have: an executable command line, the hash of the code, a list of the built files, compact
 * style sheets.
 */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import ts from 'typescript';
import type { Plugin } from 'vite';

/** Makes `file` runnable, which npm does when it installs a package but not in the package's own checkout. */
export function executable(file: string): Plugin {
  return {
    name: 'aisle:executable',
    apply: 'build',
    closeBundle() {
      if (existsSync(file)) chmodSync(file, 0o755); // without it the build failed, and says so itself
    },
  };
}

/**
 * Changes whenever the code that trains or evaluates does: cached results carry it. The hash covers the versions of all
 * dependencies and the sources, without those that only a page runs and those that only build.
 */
export function codeHash(root: string): string {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).map((path) => path.split(sep));
  for (const path of files.filter(([top]) => !NOT_HASHED.has(top!)).sort()) {
    const file = join(root, 'src', ...path);
    if (statSync(file).isFile()) hash.update(`\n${path.join('/')}\n`).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 12);
}

const NOT_HASHED = new Set([
  'build',
  'demo',
  'studio',
  'ui',
  'recommender',
  'recommender.ts',
  'index.ts',
  'store',
  'worker',
]);

/**
 * Writes `files.json` beside the built files: the version, and the hash of each script and WASM file. No page reads it; `aisle doctor`
 * does, to tell whether a copy of the folder is complete and of one version.
 */
export function fileList(outDir: string): Plugin {
  return {
    name: 'aisle:file-list',
    apply: 'build',
    writeBundle(_, bundle) {
      const names = Object.keys(bundle).filter((name) => /\.(js|wasm)$/.test(name));
      const entries = names.sort().map((name) => {
        const content = readFileSync(join(outDir, name));
        return [name, { sha256: createHash('sha256').update(content).digest('hex'), bytes: content.length }];
      });
      const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
      writeFileSync(join(outDir, 'files.json'), JSON.stringify({ version, files: Object.fromEntries(entries) }));
    },
  };
}

/** Writes the licences of what is inside, as Vite's `build.license` does: that leaves workers out. */
export function workerLicences(fileName: string): Plugin {
  return {
    name: 'aisle:worker-licences',
    apply: 'build',
    generateBundle() {
      const folders = [...this.getModuleIds()].flatMap(
        (id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? [],
      );
      const parts = [...new Set(folders)].sort().map((folder) => {
        const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
        const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
        const text = file === undefined ? '' : `\n\n${readFileSync(join(folder, file), 'utf8').trim()}`;
        return `## ${name} - ${version} (${license})${text}\n`;
      });
      this.emitFile({ type: 'asset', fileName, source: ['# Licenses\n', ...parts].join('\n') });
    },
  };
}

/** The bundler's helper that makes the object of what a chunk exports, where it is all that the chunk has of the helpers. */
const HELPER = /^import\{\w+ as (\w+)\}from"\.\/rolldown-runtime-[\w-]+\.js";/;

/**
 * Writes out the objects that the bundler makes of the exports of chunks loaded on demand: a page would wait for its file of helpers,
 * of which it needs one line.
 */
export function inlineNamespaces(): Plugin {
  return {
    name: 'aisle:inline-namespaces',
    apply: 'build',
    generateBundle(_, bundle) {
      for (const chunk of Object.values(bundle)) {
        const name = chunk.type === 'chunk' ? HELPER.exec(chunk.code)?.[1] : undefined;
        if (chunk.type !== 'chunk' || name === undefined) continue;
        const objects = new RegExp(`(?<=var |[,;])([\\w$]+)=${name}\\(\\{((?:[\\w$]+:\\(\\)=>[\\w$]+,?)+)\\}\\)`, 'g');
        const object = [...chunk.code.matchAll(objects)];
        // More than the one: a use of the helper that is not understood, or another function of that name.
        const uses = chunk.code.replace(objects, '').match(new RegExp(`(?<![\\w$.])${name}\\(\\{[\\w$]+:\\(\\)`, 'g'));
        if (object.length !== 1 || uses) continue;
        const [, variable, exports] = object[0]!;
        // Once all that it holds is defined.
        const filled = `${variable}={${exports!.replaceAll('()=>', '')}};export{`;
        chunk.code = chunk.code
          .replace(HELPER, '')
          .replace(objects, '$1')
          .replace(/export\{/, () => filled);
      }
    },
  };
}

/** Writes texts in double quotes, where the minifier prefers backticks: Brotli knows the quotes of the web. */
export function doubleQuotes(): Plugin {
  return {
    name: 'aisle:double-quotes',
    apply: 'build',
    generateBundle(_, bundle) {
      for (const chunk of Object.values(bundle)) if (chunk.type === 'chunk') chunk.code = doubleQuoted(chunk.code);
    },
  };
}

/** A script whose template literals without a value, an escape or a quote are texts in double quotes. */
export function doubleQuoted(code: string): string {
  const pieces: string[] = [];
  let done = 0;
  const visit = (node: ts.Node): void => {
    const isPlain = ts.isNoSubstitutionTemplateLiteral(node) && !ts.isTaggedTemplateExpression(node.parent);
    const text = isPlain ? node.getText() : '';
    if (/^`[^"\\\n\r]*`$/.test(text)) {
      pieces.push(code.slice(done, node.end - text.length), `"${text.slice(1, -1)}"`);
      done = node.end;
    }
    node.forEachChild(visit);
  };
  visit(ts.createSourceFile('chunk.js', code, ts.ScriptTarget.Latest, true));
  return pieces.join('') + code.slice(done);
}

/** Takes comments and needless white space out of the style sheets that our elements have as texts, `const CSS = …`. */
export function compactStyles(): Plugin {
  return {
    name: 'aisle:compact-styles',
    apply: 'build',
    transform(code, id) {
      if (!/\/src\/ui\/[\w-]+\.ts$/.test(id) || !code.includes('const CSS = `')) return null;
      return {
        code: code.replace(/(const CSS = `)([^`]*)`/, (_, start, css) => `${start}${compact(css)}\``),
        map: null,
      };
    },
  };
}

/** Around `+` and `>` white space stays: it means something there, or may. */
function compact(css: string): string {
  return css
    .replace(/\/\*.*?\*\//gs, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};,~/]) ?/g, '$1')
    .replace(/: /g, ':')
    .replace(/\b0\./g, '.')
    .replace(/="(\w+)"/g, '=$1')
    .replaceAll(';}', '}')
    .trim();
}

/** What a model and its table of options say to whoever reads the help of the command line, and a page never shows. */
const HELP = ['doc', 'source', 'paper'];

/**
 * Takes the help out of the specifications of the architectures, a good part of what a page loads of each.
 *
 * @param help Default: all of it.
 */
export function withoutHelp(help: readonly string[] = HELP): Plugin {
  return {
    name: 'aisle:without-help',
    apply: 'build',
    enforce: 'pre',
    transform(code, id) {
      if (!/\/src\/models\/[\w/-]+\.ts$/.test(id) || !/OptionSpec|ModelSpec/.test(code)) return null;
      return { code: helpless(code, help), map: null };
    },
  };
}

/** The file whose functions make options. */
const OPTIONS = 'src/models/options.ts';

/**
 * A module without its properties `doc`, `source` and `paper`, and with empty texts where it calls functions of its own, or of
 * `models/options.ts`, whose parameters have these names.
 */
export function helpless(code: string, help: readonly string[] = HELP): string {
  const file = ts.createSourceFile('options.ts', code, ts.ScriptTarget.Latest, true);
  const edits: { readonly from: number; readonly to: number; readonly text: string }[] = [];
  const places = new Map<string, readonly number[]>();
  const shared = ts.createSourceFile(OPTIONS, readFileSync(OPTIONS, 'utf8'), ts.ScriptTarget.Latest, true);
  const each = (node: ts.Node, visit: (node: ts.Node) => void): void => {
    visit(node);
    node.forEachChild((child) => each(child, visit));
  };
  const isHelp = (name: ts.Node | undefined) => help.includes(name?.getText() ?? '');
  const findHelpers = (node: ts.Node) => {
    const make = ts.isVariableDeclaration(node) ? node.initializer : node;
    if (!make || !(ts.isArrowFunction(make) || ts.isFunctionDeclaration(make))) return;
    const indices = make.parameters.flatMap(({ name }, i) => (isHelp(name) ? [i] : []));
    const { name } = node as ts.VariableDeclaration | ts.FunctionDeclaration;
    if (name && indices.length > 0) places.set(name.getText(), indices);
  };
  each(shared, findHelpers);
  each(file, findHelpers);
  each(file, (node) => {
    if ((ts.isPropertyAssignment(node) || ts.isShorthandPropertyAssignment(node)) && isHelp(node.name)) {
      const comma = /^\s*,/.exec(code.slice(node.end))?.[0].length ?? 0;
      edits.push({ from: node.getStart(), to: node.end + comma, text: '' });
    } else if (ts.isCallExpression(node)) {
      for (const i of places.get(node.expression.getText()) ?? []) {
        const argument = node.arguments[i];
        if (argument) edits.push({ from: argument.getStart(), to: argument.end, text: "''" });
      }
    }
  });
  edits.sort((a, b) => b.from - a.from);
  return edits.reduce((text, { from, to, text: by }) => text.slice(0, from) + by + text.slice(to), code);
}
