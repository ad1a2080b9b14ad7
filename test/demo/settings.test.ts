import { describe, expect, test } from 'vitest';
import { readSettings, withSetting } from '../../src/demo/settings';

describe('the settings in the address', () => {
  test('are auto and the model by default where there are none', () => {
    expect(readSettings('')).toEqual({ backend: 'auto', notes: [] });
    expect(readSettings('?model=')).toEqual({ backend: 'auto', notes: [] });
  });

  test.each(['auto', 'webgpu', 'webgl', 'wasm', 'cpu'])('take the backend %s', (backend) => {
    expect(readSettings(`?backend=${backend}&model=models/own/`)).toEqual({
      backend,
      model: 'models/own/',
      notes: [],
    });
  });

  test.each(['wsm', 'constructor', '__proto__'])('take "%s" for no backend, and say so', (name) => {
    const { backend, notes } = readSettings(`?backend=${name}`);
    expect(backend).toBe('auto');
    expect(notes).toEqual([expect.stringContaining(`“${name}”`)]);
  });

  test('name the nearest backend', () => {
    expect(readSettings('?backend=wsm').notes[0]).toContain('Did you mean “wasm”?');
  });

  test('change one at a time, and leave the page where it is', () => {
    const address = 'http://localhost/?model=a&backend=cpu#/cart';
    expect(withSetting(address, 'backend', 'wasm')).toBe('http://localhost/?model=a&backend=wasm#/cart');
    expect(withSetting(address, 'backend', 'auto')).toBe('http://localhost/?model=a#/cart');
    expect(withSetting(address, 'model', 'b c')).toBe('http://localhost/?model=b+c&backend=cpu#/cart');
  });
});
