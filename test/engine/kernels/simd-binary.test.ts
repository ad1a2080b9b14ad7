import { expect, test } from 'vitest';
import { binarySource } from '../../build/simd';

test('the WebAssembly of the training kernels is what its source compiles to', async () => {
  const { is, shouldBe } = await binarySource();
  expect(is === shouldBe, 'run `npm run simd`').toBe(true);
}, 120_000);
