import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { helpless } from '../../src/build/plugins';
import type { OptionSpec } from '../../src/models/model';
import { allModels } from '../models/all-models';
import { built } from './built';

test('a specification loses its help, whoever writes it down, and nothing else', () => {
  const table = `
    import type { OptionSpecs } from './model';
    const OFFICIAL = 'official';
    const integer = (standard: number, doc: string, source: string) => ({ default: standard, doc, source });
    function choice(choices: string[], doc: string): object { return { choices, doc: doc }; }
    export const options = {
      d: { type: 'integer', default: 50, doc: 'width', source: OFFICIAL },
      L: { source: \`\${OFFICIAL}, too\`, paper: OFFICIAL, doc: 'one, ' + 'and another', max: 5 },
      doctor: integer(4, 'a, (b)', \`\${OFFICIAL} source: x\`),
      loss: choice(['doc', 'source'], 'which'),
    };`;
  const evaluate = (code: string): unknown => {
    const module = ts.transpile(code, { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 });
    return new Function('exports', `${module}; return exports.options;`)({});
  };
  expect(evaluate(helpless(table))).toEqual({
    d: { type: 'integer', default: 50 },
    L: { max: 5 },
    doctor: { default: 4 },
    loss: { choices: ['doc', 'source'] },
  });
});

test.each(['lib', 'embed', 'page'] as const)('no page of %s loads the help of a model', async (mode) => {
  const folder = built(mode);
  // The studio is a page that trains: it writes model cards, which name the papers.
  const scripts = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.js') && !name.startsWith('studio'),
  );
  const code = scripts.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
  const models = Object.values(await allModels());
  // The longer ones: a short one may be part of something else.
  const help = models.flatMap(({ paper, options }) => [
    paper,
    ...Object.values<OptionSpec>(options).flatMap(({ doc, source }) => [doc, source]),
  ]);
  expect(help.filter((text) => text.length > 20 && code.includes(text))).toEqual([]);
  expect(code).toContain('sampleAlpha');
});
