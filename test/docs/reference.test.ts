import { expect, test } from 'vitest';
import { pageNow } from './pages';
import { referencePages } from './reference';

test('the reference says what the code says; "npm run docs" writes it', async () => {
  for (const [path, shouldBe] of await referencePages()) expect(pageNow(path), path).toBe(shouldBe);
}, 120_000);
