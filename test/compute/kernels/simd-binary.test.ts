import { expect, test } from 'vitest';
import { binarySources } from '../../../src/build/simd';

test('the WebAssembly of the training kernels is what its source compiles to', async () => {
  for (const { path, is, shouldBe } of await binarySources()) {
    expect(is === shouldBe, `${path}: run \`npm run simd\``).toBe(true);
  }
}, 120_000);
