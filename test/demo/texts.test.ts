import { expect, test } from 'vitest';
import { EN } from '../../src/demo/texts/en';
import { KO } from '../../src/demo/texts/ko';
import { PANEL_EN } from '../../src/demo/texts/panel-en';
import { PANEL_KO } from '../../src/demo/texts/panel-ko';

/** Names that are the same in every language. */
const NAMES = /^(WebGPU|WebGL|WebAssembly|JavaScript|chip|eye|shield|)$/;

/** Every text by its way through the table; what is made by a function is not among them. */
function texts(value: unknown, way = ''): [way: string, text: string][] {
  if (typeof value === 'string') return [[way, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => texts(inner, `${way}.${name}`));
}

test('all that the demo says is Korean in Korean', () => {
  const english = new Map(texts([EN, PANEL_EN]));
  const korean = texts([KO, PANEL_KO]);
  expect(korean.length).toBeGreaterThan(150);
  for (const [way, text] of korean) if (!NAMES.test(text)) expect(text, way).toMatch(/\p{Script=Hangul}/u);
  for (const [way, text] of english) expect(text, way).not.toMatch(/\p{Script=Hangul}/u);
});
