import { describe, expect, test } from 'vitest';

describe('the test browser', () => {
  test('is a real page with a DOM, workers, IndexedDB and WebAssembly', () => {
    expect(document.defaultView).toBe(window);
    expect(typeof Worker).toBe('function');
    expect(typeof indexedDB).toBe('object');
    expect(typeof WebAssembly.compileStreaming).toBe('function');
  });

  test('is Chromium', () => {
    expect(navigator.userAgent).toMatch(/Chrom(e|ium)\//);
  });
});
