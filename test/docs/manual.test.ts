/** The manual is right: its links lead somewhere, and what it tells a reader to type, to paste or to set exists. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkAliases } from '../../src/checkpoint/aliases';
import { checkRules } from '../../src/checkpoint/rules';
import { checkPage } from '../../src/cli/doctor/check';
import { variantsOf } from '../../src/pipeline/compare/variants';
import { strictPolicy } from '../build/shop';
import { aisle } from '../cli/program';
import { blocksOf, commandsOf, FENCED, PAGES, ROOT, textOf } from './manual';

/** Languages of code that this file looks at: what is typed, pasted, sent or printed, on any page. */
const LOOKED_AT = ['sh', 'html', 'json', 'http', 'yaml', 'python'];
/** What else holds the code of pages. A fence without a language is held by nothing. */
const ELSEWHERE: readonly (readonly [page: RegExp, language: RegExp, by: string])[] = [
  [/^docs\/platforms\.md$/, /./, 'test/ui/platforms.test.ts runs it'],
  [/^docs\/frameworks\.md$/, /./, 'test/ui/frameworks.test.ts runs it'],
  [/^docs\/library\.md$/, /^ts$/, 'test/build/package.test.ts checks its types'],
  [/^docs\/(embed|doctor|catalogue)\.md$/, /^js$/, 'test/build/package.test.ts checks its types'],
  [/^docs\/reference\//, /^(text|ts)$/, 'test/docs/reference.test.ts compares it with the code'],
  [/^docs\/hosting\.md$/, /^(nginx|text)$/, 'test/cli/doctor.test.ts serves a page with these headers'],
  [/^docs\/training\.md$/, /^text$/, 'test/docs/commands.test.ts compares it with what is printed, in the soak'],
  [/^docs\/scale\.md$/, /^text$/, 'a line of cron; this file looks at what it calls'],
  [
    /^docs\/scale\.md$/,
    /^sql$/,
    'not run: DuckDB and Spark are no development dependencies. DuckDB’s was run by hand, with the figures beside it',
  ],
  [/^CONTRIBUTING\.md$/, /^text$/, 'names folders, which this file looks for'],
  [/^docs\/identity\.md$/, /^text$/, 'test/ui/doctor.test.ts has this line of a console'],
  [/^docs\/(ab-test|learning|models\/\w+)\.md$/, /^text$/, 'equations, which nothing runs'],
];

/** As GitHub makes them of headings. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/\[(.*?)\]\(.*?\)/g, '$1')
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
const withoutCode = (text: string) => text.replace(FENCED, '').replace(/`[^`\n]*`/g, 'x');
/** The second heading of one text has `-1` behind it, and so on. */
function anchorsOf(page: string): string[] {
  const text = textOf(page).replace(FENCED, '');
  const anchors = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading!));
  const numbered = anchors.map((anchor, at) => {
    const earlier = anchors.slice(0, at).filter((other) => other === anchor).length;
    return earlier === 0 ? anchor : `${anchor}-${earlier}`;
  });
  return [...numbered, ...[...text.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id!)];
}

test('the README is one screen', () => {
  expect(textOf('README.md').split(/\s+/).length).toBeLessThanOrEqual(500);
});

test('the changes of a version are two pages at most', () => {
  const versions = textOf('CHANGELOG.md').split(/^## /m).slice(1);
  expect(versions.filter((text) => text.split(/\s+/).length > 1500).map((text) => text.split('\n')[0])).toEqual([]);
});

test.each(PAGES)('links of %s lead somewhere', (page) => {
  const links = [...withoutCode(textOf(page)).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(([, link]) => link!);
  const broken = links.filter((link) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    if (!existsSync(join(ROOT, target))) return true;
    return anchor !== undefined && !anchorsOf(target).includes(anchor);
  });
  expect(broken).toEqual([]);
});

test('every page is in the table of contents, or in a page that is', () => {
  const linked = PAGES.flatMap((page) =>
    [...textOf(page).matchAll(/\]\(([^)#\s]+\.md)/g)].map(([, link]) => join(dirname(page), link!)),
  );
  expect(PAGES.filter((page) => page !== 'README.md' && !linked.includes(page))).toEqual([]);
});

describe('what is to be typed', () => {
  const names = readdirSync(join(ROOT, 'src/cli/commands')).map((file) => file.replace('.ts', ''));
  const helps = new Map<string, Promise<string>>();
  /** Long flags of a command, or undefined if there is no such command. */
  async function flagsOf(command: string): Promise<string[] | undefined> {
    if (!names.includes(command)) return undefined;
    const help = helps.get(command) ?? aisle(command, '--help').then(({ stdout }) => stdout);
    helps.set(command, help);
    return [...(await help).matchAll(/^\s+(?:-\w, )?(--[\w-]+)/gm)].map(([, flag]) => flag!);
  }

  test.each(PAGES)('in %s are commands and flags that exist', async (page) => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
    const wrong: string[] = [];
    for (const line of commandsOf(page)) {
      const [, script] = /^npm run ([\w:]+)/.exec(line) ?? [];
      if (script !== undefined && !Object.hasOwn(scripts, script)) wrong.push(line);
      const [, program] = / test\/run\.mjs (\S+)$/.exec(` ${scripts[script!]}`) ?? [];
      for (const [, flag] of line.matchAll(/ --(\w[\w-]*)/g))
        if (program !== undefined && !textOf(program).includes(flag!)) wrong.push(line);
      const [, , file] = /^node (test\/run\.mjs )?([\w/.-]+)/.exec(line) ?? [];
      if (file !== undefined && !existsSync(join(ROOT, file))) wrong.push(line);
      const [, command, rest = ''] = /^(?:npx )?aisle (\w+)(.*)/.exec(line) ?? [];
      if (command === undefined || command === 'COMMAND') continue;
      const flags = await flagsOf(command);
      const given = [...rest.matchAll(/(?:^|\s)(--[\w-]+)/g)].map(([, flag]) => flag!);
      if (!flags || given.some((flag) => !flags.includes(flag) && flag !== '--verbose')) wrong.push(line);
    }
    expect(wrong).toEqual([]);
  });
});

test.each(PAGES)('what is to be pasted in %s has attributes that exist', async (page) => {
  const wrong: string[] = [];
  for (const { language, code } of blocksOf(page)) {
    if (language === 'json') JSON.parse(code);
    if (language !== 'html') continue;
    const answer = { url: new URL('https://shop.example/'), status: 200, bytes: new TextEncoder().encode(code) };
    const site = { get: async () => undefined, name: String };
    await checkPage(site, answer, (severity, finding, _, what) => {
      // A block may hold the slot alone, and its files are nowhere.
      if (severity !== 'ok' && finding !== 'no-tag') wrong.push(`${finding}: ${what}\n${code}`);
    });
  }
  expect(wrong).toEqual([]);
});

test.each(PAGES)('no code of %s is left without a test', (page) => {
  const isHeld = (language: string) =>
    LOOKED_AT.includes(language) || ELSEWHERE.some(([pages, name]) => pages.test(page) && name.test(language));
  expect(blocksOf(page).filter(({ language }) => !isHeld(language))).toEqual([]);
  const indented =
    textOf(page)
      .replace(FENCED, '')
      .match(/(?<=^\n) {4,}\S.*/gm) ?? [];
  expect(indented, 'a block that is indented, not fenced').toEqual([]);
  const fences = textOf(page).match(/^ *```/gm) ?? [];
  expect(fences.length, 'a fence that no block begins or ends with').toBe(2 * blocksOf(page).length);
});

const code = (page: string, language: string): string[] =>
  blocksOf(page).flatMap((block) => (block.language === language ? [block.code] : []));

test('files that the manual shows are read as they stand', async () => {
  for (const rules of code('docs/slots.md', 'json')) expect(checkRules(JSON.parse(rules))).toMatchObject({ wrong: [] });
  for (const aliases of code('docs/identity.md', 'json')) expect(checkAliases(JSON.parse(aliases))).not.toEqual({});
  const folder = mkdtempSync(join(tmpdir(), 'aisle-manual-'));
  mkdirSync(join(folder, 'found'));
  writeFileSync(join(folder, 'found/best.json'), '{}');
  const rows = await Promise.all(
    code('docs/evaluation.md', 'json').map((list, k) => {
      const variants = join(folder, `${k}.json`);
      writeFileSync(variants, list);
      return variantsOf({ models: ['sasrec', 'v-sknn'], variants, facts: () => Promise.reject() });
    }),
  );
  rmSync(folder, { recursive: true });
  expect(rows.map(({ variants, ensembles }) => variants.length + ensembles.length)).toEqual([3, 4]);
});

test('headers that the manual shows are those that pages were tested with', () => {
  const directives = (policy: string) => policy.split(';').map((part) => part.trim());
  const [policy] = code('docs/security-policy.md', 'http');
  const shown = directives(policy!.replace('Content-Security-Policy: ', ''));
  // Those of the packed package have no pictures.
  expect(shown.filter((directive) => !directive.startsWith('img-src')).sort()).toEqual(
    directives(strictPolicy()).sort(),
  );
  const [isolation] = code('docs/studio.md', 'http');
  const server = textOf('src/cli/static-server.ts') + textOf('src/cli/commands/demo.ts');
  for (const line of isolation!.trim().split('\n')) {
    const [name, value] = line.toLowerCase().split(': ');
    expect(server.toLowerCase()).toContain(`'${name}': '${value}'`);
  }
});

test('what runs every night is a script that is there, with its two arguments, by the actions of our own workflow', () => {
  const { parse } = createRequire(createRequire(import.meta.url).resolve('typedoc'))('yaml'); // its own
  type Workflow = {
    on: { schedule: { cron: string }[] };
    jobs: { model: { steps: { uses?: string; run?: string }[] } };
  };
  const workflow: Workflow = parse(code('docs/scale.md', 'yaml')[0]!);
  expect(workflow.on.schedule[0]!.cron).toMatch(/^(\S+ ){4}\S+$/);
  const { steps } = workflow.jobs.model;
  expect(steps.every((step) => step.uses !== undefined || step.run !== undefined)).toBe(true);
  const ours = textOf('.github/workflows/test.yml');
  expect(steps.flatMap(({ uses }) => uses ?? []).filter((action) => !ours.includes(`uses: ${action}\n`))).toEqual([]);
  const [cron] = code('docs/scale.md', 'text');
  for (const line of [cron!, ...steps.flatMap((step) => step.run ?? [])].filter((line) => !/^npm ci$/.test(line))) {
    const [, script] = /\bsh (\S+) \/\S+ \/\S+( |$)/.exec(line)!;
    expect(existsSync(join(ROOT, script!)), script).toBe(true);
  }
});

const python = spawnSync('python3', ['--version']).status === 0;
test.skipIf(!python)('Python that the manual shows can be parsed', () => {
  const all = PAGES.flatMap((page) => code(page, 'python'));
  const argv = ['-c', 'import ast, json, sys\nfor text in json.load(sys.stdin): ast.parse(text)'];
  const { status, stderr } = spawnSync('python3', argv, { input: JSON.stringify(all), encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test('folders that CONTRIBUTING.md names are there', () => {
  const [tree] = code('CONTRIBUTING.md', 'text');
  const names = [...tree!.matchAll(/^ {4}((?:[a-z-]+\/?,? ?)+) {2,}/gm)].flatMap(([, list]) => list!.trim().split(' '));
  const missing = names.filter(
    (name) => !existsSync(join(ROOT, 'src', name)) && !existsSync(join(ROOT, 'src', `${name}.ts`)),
  );
  expect(names.length).toBeGreaterThan(15);
  expect(missing).toEqual([]);
});

test.each(['sessions_dask.py', 'nightly.sh'])('docs/scale.md shows docs/scale/%s as it is', (script) => {
  expect(blocksOf('docs/scale.md').map(({ code }) => code)).toContain(textOf(`docs/scale/${script}`));
});
