/** The manual is right: its links lead somewhere, and what it tells a reader to type, to paste or to set exists. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkPage } from '../../src/cli/doctor/check';
import { aisle } from '../cli/program';
import { blocksOf, commandsOf, PAGES, ROOT, textOf } from './manual';

/** Languages of code that this file looks at, and those of pages whose code has a test of its own. */
const LOOKED_AT = ['sh', 'html', 'json', 'text', 'http'];
const ELSEWHERE: Readonly<Record<string, RegExp>> = {
  'docs/platforms.md': /./, // test/ui/platforms.test.ts runs it
  'docs/frameworks.md': /./, // test/ui/frameworks.test.ts runs it
  'docs/scale.md': /^(sql|python|yaml)$/, // of other programs, run by hand with the figures beside it, or marked as not run
  'docs/library.md': /^ts$/, // test/build/package.test.ts checks their types
  'docs/embed.md': /^js$/,
  'docs/doctor.md': /^js$/,
  'docs/catalogue.md': /^js$/,
};

/** As GitHub makes them of headings. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/\[(.*?)\]\(.*?\)/g, '$1')
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
const withoutCode = (text: string) => text.replace(/^```.*?^```/gms, '').replace(/`[^`\n]*`/g, 'x');
/** The second heading of one text has `-1` behind it, and so on. */
function anchorsOf(page: string): string[] {
  const text = textOf(page).replace(/^```.*?^```/gms, '');
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
      const [, file] = /^node (test\/run\.mjs )?([\w/.-]+)/.exec(line) ?? [];
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
  const languages = new Set(blocksOf(page).map(({ language }) => language));
  expect([...languages].filter((name) => !LOOKED_AT.includes(name) && !ELSEWHERE[page]?.test(name))).toEqual([]);
});

test.each(['sessions_dask.py', 'nightly.sh'])('docs/scale.md shows docs/scale/%s as it is', (script) => {
  expect(blocksOf('docs/scale.md').map(({ code }) => code)).toContain(textOf(`docs/scale/${script}`));
});
