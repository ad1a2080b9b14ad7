import { describe, expect, test } from 'vitest';
import { verifyParameters } from '../../src/checkpoint/verify-parameters';
import type { NdArray } from '../../src/types';

const specs = { items: { shape: [4, 2] }, bias: { shape: [4] } };
const items: NdArray = { data: new Float32Array(8), shape: [4, 2] };
const bias: NdArray = { data: new Float32Array(4), shape: [4] };

describe('verifyParameters', () => {
  test('accepts exactly the parameters of the architecture, beside what belongs to the catalogue', () => {
    const given = { items, bias, 'catalogue.support': { data: new Int32Array(4), shape: [4] } };
    expect(() => verifyParameters(given, specs)).not.toThrow();
  });

  test.each<[string, Record<string, NdArray>, RegExp]>([
    ['a missing tensor', { items }, /^w\.st lacks the tensor "bias", expected float32 \[4\]/],
    ['a surplus tensor', { items, bias, more: bias }, /^w\.st has the tensor "more", which this architecture/],
    [
      'another shape',
      { items: { ...items, shape: [2, 4] }, bias },
      /^w\.st: tensor "items" must be float32 \[4, 2\], got float32 \[2, 4\]/,
    ],
    ['another rank', { items: { ...items, shape: [4, 2, 1] }, bias }, /got float32 \[4, 2, 1\]/],
    [
      'another type',
      { items, bias: { data: new Int32Array(4), shape: [4] } },
      /"bias" must be float32 \[4\], got int32 \[4\]/,
    ],
  ])('refuses %s', (_, tensors, message) => {
    expect(() => verifyParameters(tensors, specs, 'w.st')).toThrow(message);
    expect(() => verifyParameters(tensors, specs)).toThrow(expect.objectContaining({ code: 'weights-mismatch' }));
  });

  test('does not take an inherited name for a tensor', () => {
    expect(() => verifyParameters({}, { constructor: { shape: [1] } })).toThrow(/lacks the tensor "constructor"/);
  });
});
