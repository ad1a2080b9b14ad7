import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packInto, plainEnv, ROOT } from './built';

const execute = promisify(execFile);

let folder: string;
let tarball: string;
let files: string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aisle-package-'));
  ({ tarball, files } = await packInto(folder));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a tool of `node_modules/.bin` and hands out all that it printed, whether it was content or not. */
async function run(tool: string, ...args: string[]): Promise<{ code: number; text: string }> {
  try {
    const { stdout, stderr } = await execute(join(ROOT, 'node_modules/.bin', tool), args, {
      cwd: ROOT,
      env: plainEnv(),
    });
    return { code: 0, text: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, text: stdout + stderr };
  }
}

/** What a shop's strict compiler finds in these files, and in the types that the package gives them. */
function typeFaults(shop: string, texts: Readonly<Record<string, string>>) {
  const roots = Object.entries(texts).map(([name, text]) => {
    writeFileSync(join(shop, name), text);
    return join(shop, name);
  });
  const program = ts.createProgram(roots, {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: [],
  });
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => ({
    file: file && relative(shop, file.fileName),
    line: file && 1 + file.getLineAndCharacterOfPosition(start!).line,
    message: ts.flattenDiagnosticMessageText(messageText, '\n'),
  }));
}

describe('the package', () => {
  test('holds the library, the script to embed, their workers and types, the command line, and the demo page', () => {
    for (const path of ['dist/lib/index.js', 'dist/lib/index.d.ts', 'dist/lib/worker.js', 'dist/cli/aisle.js']) {
      expect(files).toContain(path);
    }
    for (const path of ['dist/embed/embed.js', 'dist/embed/worker.js', 'dist/embed/ui/embed.d.ts']) {
      expect(files).toContain(path);
    }
    expect(files).toContain('dist/page/index.html');
    expect(files).toContain('dist/page/models/demo/manifest.json');
    expect(files.filter((path) => /^(src|test)\//.test(path))).toEqual([]);
  });

  test('has the licences of what each build holds in it beside it', async () => {
    for (const build of ['cli', 'lib', 'embed', 'page']) {
      expect(files).toContain(`dist/${build}/licences.md`);
      expect(readFileSync(join(ROOT, `dist/${build}/licences.md`), 'utf8')).toContain('## @tensorflow/tfjs-core - ');
    }
    expect(readFileSync(join(ROOT, 'dist/cli/licences.md'), 'utf8')).toContain('## commander - ');
  });

  test('pleases publint', async () => {
    expect(await run('publint', 'run', tarball, '--strict')).toMatchObject({ code: 0 });
  });

  test('has types that every resolution of an ES module finds', async () => {
    // The worker is a script to be started, not a module to be imported.
    const options = ['--profile', 'esm-only', '--exclude-entrypoints', './worker.js', '--no-color'];
    expect(await run('attw', tarball, ...options)).toMatchObject({ code: 0 });
  });

  test('has types by which the snippets of its manual are right, and wrong ones are not', async () => {
    const shop = join(folder, 'shop');
    mkdirSync(join(shop, 'node_modules/aisle'), { recursive: true });
    await execute('tar', ['-xzf', tarball, '-C', join(shop, 'node_modules/aisle'), '--strip-components', '1']);
    const snippets = (page: string, language: string) =>
      [
        ...readFileSync(join(ROOT, 'docs', page), 'utf8').matchAll(
          new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'),
        ),
      ]
        .map(([, code]) => code)
        .join('');
    const commands = `import type {} from 'aisle/embed.js';\n`;
    const faults = typeFaults(shop, {
      // Each goes on where the one before has ended; the other browser is the reader's.
      'library.ts': `${snippets('library.md', 'ts')}declare const elsewhere: typeof recommender;\n`,
      'commands.ts': `${commands}${snippets('embed.md', 'js')}aisle.push(['on', 'stored', ({ events }) => events[0]?.itemId.trim()]);\n`,
      'wrong.ts': `${commands}aisle.push(['trak', 'a']);\naisle.push(['consent', 'yes']);\n`,
    });
    expect(faults.filter(({ file }) => file !== 'wrong.ts')).toEqual([]);
    expect(faults.map(({ line }) => line)).toEqual([2, 3]);
  });

  test('mentions no tensor type in its own types', () => {
    const types = files.filter((path) => path.endsWith('.d.ts'));
    for (const path of types) expect(readFileSync(join(ROOT, path), 'utf8'), path).not.toContain('@tensorflow');
  });
});
