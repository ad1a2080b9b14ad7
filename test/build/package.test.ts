import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashOf, integrity, obstacles, pack } from '../../src/build/release';
import { blocksOf, textOf } from '../docs/manual';
import { slice } from '../soak-slice';
import { plainEnv, ROOT } from './built';

const execute = promisify(execFile);

let folder: string;
let tarball: string;
let files: string[];
/** A project that has installed the tarball, and nothing else. */
let shop: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aisle-package-'));
  ({ tarball, files } = await pack(folder));
  shop = join(folder, 'shop');
  mkdirSync(shop);
  writeFileSync(join(shop, 'package.json'), JSON.stringify({ type: 'module' }));
  await execute('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: shop, env: plainEnv() });
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

const RESOLUTIONS = {
  bundler: [ts.ModuleKind.ESNext, ts.ModuleResolutionKind.Bundler],
  node16: [ts.ModuleKind.Node16, ts.ModuleResolutionKind.Node16],
  nodenext: [ts.ModuleKind.NodeNext, ts.ModuleResolutionKind.NodeNext],
} as const;

/** What a shop's strict compiler finds in these files, and in the types that the package gives them. */
function typeFaults(resolution: keyof typeof RESOLUTIONS, texts: Readonly<Record<string, string>>) {
  const [module, moduleResolution] = RESOLUTIONS[resolution];
  const roots = Object.entries(texts).map(([name, text]) => {
    writeFileSync(join(shop, name), text);
    return join(shop, name);
  });
  const target = ts.ScriptTarget.ES2022;
  const options = {
    strict: true,
    noEmit: true,
    target,
    module,
    moduleResolution,
    types: [],
    skipDefaultLibCheck: true,
  };
  const program = ts.createProgram(roots, options);
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => ({
    file: file && relative(shop, file.fileName),
    line: file && 1 + file.getLineAndCharacterOfPosition(start!).line,
    message: ts.flattenDiagnosticMessageText(messageText, '\n'),
  }));
}

/** Runs a program of Node in the shop. */
const inShop = (...args: string[]) => execute(process.execPath, args, { cwd: shop, env: plainEnv() });
const AISLE = 'node_modules/aisle/dist/cli/aisle.js';

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

  // `attw` has asked every resolution whether it finds the types.
  test.each(slice(Object.keys(RESOLUTIONS) as (keyof typeof RESOLUTIONS)[], (name) => name === 'node16'))(
    'has types by which the snippets of its manual are right, and wrong ones are not: %s',
    (resolution) => {
      const snippets = (page: string, language: string) =>
        blocksOf(page)
          .flatMap((block) => (block.language === language ? block.code : []))
          .join('');
      const commands = `import type {} from 'aisle/embed.js';\n`;
      const faults = typeFaults(resolution, {
        // Each goes on where the one before has ended; the other browser is the reader's.
        'library.ts': `${snippets('docs/library.md', 'ts')}declare const elsewhere: typeof recommender;\n`,
        'commands.ts': `${commands}${snippets('docs/embed.md', 'js')}aisle.push(['on', 'stored', ({ events }) => events[0]?.itemId.trim()]);\n`,
        'doctor.ts': `${commands}${snippets('docs/doctor.md', 'js')}export {};\n`,
        'catalogue.ts': `${commands}import type { Recommender } from 'aisle';\ndeclare const recommender: Recommender;\n${snippets('docs/catalogue.md', 'js')}`,
        'wrong.ts': `${commands}aisle.push(['trak', 'a']);\naisle.push(['consent', 'yes']);\n`,
        'element.ts': `import { start } from 'aisle/element';
          (await start({ modelUrl: '/m/' }))?.status.consent.trim();\nstart({ model: 1 });\n`,
        'node.ts': `import { compare, evaluate, inspect, RecommenderError, readEvents, search, split, train } from 'aisle/node';
          const { artifact, epochs } = await train({ data: 'a', model: 'gru4rec', out: 'm', onProgress: ({ label }) => label.trim() });
          (await evaluate({ artifacts: [artifact], data: 'b' })).evaluation.metrics.conservative['mrr@20']!.toFixed(epochs[0]!.epoch);
          (await readEvents('a', { minLength: 1 })).itemIds[0]!.trim();
          (await search({ data: 'a', model: 'stan', out: 's', valid: 'last:10%' })).best.value.toFixed();
          (await compare({ data: 'a', out: 'r' })).rows[0]!.name.trim();\ntrain({ data: 'a', model: 'gru4rec' });\n`,
      });
      const isMeant = ({ file }: { file: string | undefined }) => /^(wrong|element|node)\.ts$/.test(file ?? '');
      expect(faults.filter((fault) => !isMeant(fault))).toEqual([]);
      const places = faults.map(({ file, line }) => `${file} ${line}`);
      expect(places.sort()).toEqual(['element.ts 3', 'node.ts 7', 'wrong.ts 2', 'wrong.ts 3']);
    },
  );

  test('mentions no tensor type in its own types', () => {
    const types = files.filter((path) => path.endsWith('.d.ts'));
    for (const path of types) expect(readFileSync(join(ROOT, path), 'utf8'), path).not.toContain('@tensorflow');
  });

  test('has no dependencies, scripts or source maps, and its files keep their bytes when it is packed again', async () => {
    const manifest = JSON.parse(readFileSync(join(shop, 'node_modules/aisle/package.json'), 'utf8')) as object;
    expect(Object.keys(manifest).filter((name) => /dependencies$|scripts|private/i.test(name))).toEqual([
      'peerDependencies',
    ]);
    expect(files.filter((path) => path.endsWith('.map'))).toEqual([]);
    const again = await pack(join(folder, 'again'));
    expect(hashOf('sha512', again.tarball)).toBe(hashOf('sha512', tarball));
  });
});

describe('installed', () => {
  test('by the line of the manual, whose command packs what a release packs', () => {
    const lines = blocksOf('docs/library.md').flatMap(({ language, code }) =>
      language === 'sh' ? code.split('\n') : [],
    );
    expect(lines).toContain(`npm install ../packed/${basename(tarball)}`);
    expect(lines.find((line) => line.startsWith('npm run release'))).toContain('--out ../packed ');
    // As long as the manifest does not say where the project is, the flag is needed.
    const { version, ...manifest } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const isNeeded = obstacles({ version, ...manifest }, `## ${version}`, '', false).length > 0;
    expect(lines.some((line) => line.includes('--allow-missing'))).toBe(isNeeded);
  });

  test('it is one package, no larger on the disk than the manual says', () => {
    const [, most] = /one package of at most (\d+) MB/.exec(textOf('docs/library.md'))!;
    const modules = join(shop, 'node_modules');
    expect(readdirSync(modules).filter((name) => !name.startsWith('.'))).toEqual(['aisle']);
    const paths = readdirSync(modules, { recursive: true, encoding: 'utf8' }).map((name) =>
      statSync(join(modules, name)),
    );
    expect(paths.reduce((sum, { blocks }) => sum + 512 * blocks, 0)).toBeLessThanOrEqual(Number(most) * 1e6);
  });

  test('the command line simulates, trains in two threads, recommends on WASM and opens the demo, with no other package', async () => {
    const simulated = ['simulate', '--out', 'log', '--items', '40', '--sessions', '200'];
    await inShop(AISLE, ...simulated);
    const small = ['--set', 'layers=8', '--epochs', '1', '--threads', '2', '--backend', 'wasm'];
    await inShop(AISLE, 'train', '--data', 'log/events.tsv.gz', '--model', 'gru4rec', '--out', 'model', ...small);
    const items = JSON.parse(readFileSync(join(shop, 'model/items.json'), 'utf8')) as string[];
    const ask = ['recommend', '--artifact', 'model', '--session', items[0]!, '--backend', 'wasm', '--json'];
    expect(JSON.parse((await inShop(AISLE, ...ask)).stdout)).toMatchObject({
      backend: 'wasm',
      model: { name: 'model' },
    });

    const demo = spawn(process.execPath, [AISLE, 'demo', '--port', '0'], { cwd: shop, env: plainEnv() });
    try {
      const line = await new Promise<string>((resolve, reject) => {
        demo.stdout.once('data', (text) => resolve(String(text)));
        demo.once('exit', (code) => reject(new Error(`aisle demo ended with ${code}`)));
      });
      const [origin] = /http:\/\/localhost:\d+/.exec(line)!;
      const { models } = (await (await fetch(`${origin}/demo.json`)).json()) as { models: { modelUrl: string }[] };
      expect((await fetch(`${origin}/${models[0]!.modelUrl}manifest.json`)).status).toBe(200);
    } finally {
      demo.kill();
    }
  });

  test('aisle/node does the same in a program', async () => {
    writeFileSync(
      join(shop, 'program.js'),
      `import * as node from 'aisle/node';
      const { catalogue, compare, evaluate, importWeights, inspect, pack, readEvents, search, split, train } = node;
      const data = 'rows.tsv';
      const tasks = [];
      const log = await readEvents(data, {}, { onProgress: ({ label }) => tasks.push(label) });
      const { test } = await split({ data, out: 'parts', test: { share: 0.2 } });
      const { artifact } = await train({ data, model: 'pop', out: 'pop' });
      const { evaluation } = await evaluate({ artifacts: [artifact], data });
      const { items } = await inspect(artifact);
      const refused = await train({ data: 'none.tsv', model: 'pop', out: 'x' }).catch(({ code }) => code);
      const types = [catalogue, compare, importWeights, pack, search].map((each) => typeof each);
      console.log(JSON.stringify({ items, read: log.itemIds.length, n: evaluation.n, refused, types, tested: test.sessions, tasks }));`,
    );
    const rows = Array.from(
      { length: 60 },
      (_, i) => `${Math.floor(i / 3)}\titem-${i % 5}\t${1_700_000_000 + 3600 * i}`,
    );
    writeFileSync(join(shop, 'rows.tsv'), `session_id\titem_id\ttimestamp\n${rows.join('\n')}\n`);
    expect(JSON.parse((await inShop('program.js')).stdout)).toMatchObject({
      items: 5,
      read: 5,
      n: 40,
      refused: 'bad-input',
      tested: 4,
      tasks: Array(3).fill('Reading rows.tsv'),
      types: Array(5).fill('function'),
    });
  });

  test('aisle/element and the library can be imported on a server, where they do nothing', async () => {
    const program = `import 'aisle/embed.js'; import { createRecommender } from 'aisle'; import { start } from 'aisle/element';
      console.log(typeof createRecommender, await start({ modelUrl: '/' }), Object.keys(globalThis).includes('aisle'));`;
    expect((await inShop('--input-type=module', '-e', program)).stdout).toBe('function undefined false\n');
  });

  test('a bundler leaves out the library where it is not used, and keeps the elements', async () => {
    const bundled = async (entry: string) => {
      writeFileSync(join(shop, 'entry.js'), `import '${entry}';`);
      const rolldownOptions = { input: join(shop, 'entry.js') };
      const options = { root: shop, configFile: false, logLevel: 'silent' } as const;
      const result = await build({ ...options, build: { write: false, minify: false, rolldownOptions } });
      const [{ code } = { code: '' }] = 'output' in result ? result.output.filter((file) => file.type === 'chunk') : [];
      return code.includes('aisle');
    };
    expect([await bundled('aisle'), await bundled('aisle/element')]).toEqual([false, true]);
  });
});

describe('a release', () => {
  const manifest = { name: 'aisle', version: '1.2.0', repository: 'x', bugs: 'x', homepage: 'x' };

  test('needs a clean tree, a section of the changelog, and where the project is', () => {
    expect(obstacles(manifest, '# Changelog\n\n## 1.2.0 (2026-01-01)\n', '', false)).toEqual([]);
    const { homepage: _, ...unplaced } = manifest;
    expect(obstacles(unplaced, '## 1.2.01\n## Unreleased\n', ' M src/a.ts', false)).toEqual([
      expect.stringContaining('commit or remove:\n M src/a.ts'),
      expect.stringContaining('no section "## 1.2.0"'),
      expect.stringContaining('does not say its homepage: add them, or pass --allow-missing'),
    ]);
    expect(obstacles(unplaced, '## 1.2.0\n', '', true)).toEqual([]);
  });

  test('gives each script and WASM file of the script to embed a hash for its tag', () => {
    const scripts = files.filter((path) => /^dist\/embed\/[^/]+\.(js|wasm)$/.test(path));
    const hashes = integrity();
    expect(Object.keys(hashes).map((name) => `dist/embed/${name}`)).toEqual(scripts.sort());
    expect(hashes['embed.js']).toBe(`sha384-${hashOf('sha384', join(ROOT, 'dist/embed/embed.js'))}`);
  });
});
