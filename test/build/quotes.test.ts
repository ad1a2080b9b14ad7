// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of sources.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { doubleQuoted } from '../../src/build/plugins';
import { built } from './built';

test('texts get double quotes, and mean what they meant', () => {
  const kept = '[`a"b`,`\\n`,`x${`y`}z`,String.raw`w`,/`v`/.source,"`u`"]';
  const code = `[\`t\`,${kept},f(\`s\`)]`;
  const quoted = doubleQuoted(code);
  expect(quoted).toBe(`["t",${kept.replace('`y`', '"y"')},f("s")]`);
  const evaluate = (text: string): unknown => new Function('f', `return ${text}`)((given: string) => given);
  expect(evaluate(quoted)).toEqual(evaluate(code));
});

test('the embed has them', () => {
  expect(readFileSync(join(built('embed'), 'embed.js'), 'utf8')).toContain('"aisle-recommendations"');
});
