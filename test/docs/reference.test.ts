import { expect, test } from 'vitest';
import { textOf } from './manual';
import { pageNow } from './pages';
import { referencePages } from './reference';

test('the reference says what the code says; "npm run docs" writes it', async () => {
  for (const [path, shouldBe] of await referencePages()) expect(pageNow(path), path).toBe(shouldBe);
}, 120_000);

test('the reference and the manual name every attribute of a slot', () => {
  const rows = (text: string) =>
    [...text.matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell]) => cell!.match(/`[\w-]+\??`/g) ?? []);
  const names = (cells: string[]) => cells.map((cell) => cell.replace(/[`?]/g, '')).sort();
  const [, interfaceRows] = textOf('docs/reference/element.md').split('\n## SlotAttributes\n');
  const reference = names(rows(interfaceRows!.split('\n## ')[0]!));
  const [, table] = textOf('docs/embed.md').split('| attribute of a slot |');
  expect(reference).toEqual(names(rows(table!.split('\n\n')[0]!)));
  const [, observed] = /ATTRIBUTES =\s*'(.*?)'/s.exec(textOf('src/ui/element.ts'))!;
  expect(reference).toEqual(expect.arrayContaining(observed!.split(' ')));
});
