import { describe, expect, test } from 'vitest';
import { nearestBackend, readSettings, withSetting } from '../../src/demo/settings';

const DEFAULTS = { backend: 'auto', language: 'en', hasDocuments: false };

describe('the settings in the address', () => {
  test('are auto and the model by default where there are none', () => {
    expect(readSettings('')).toEqual(DEFAULTS);
    expect(readSettings('?model=')).toEqual(DEFAULTS);
  });

  test.each(['auto', 'webgpu', 'webgl', 'wasm', 'cpu'])('take the backend %s', (backend) => {
    expect(readSettings(`?backend=${backend}&model=models/own/`)).toEqual({
      ...DEFAULTS,
      backend,
      model: 'models/own/',
    });
  });

  test.each(['wsm', 'constructor', '__proto__'])('take "%s" for no backend', (name) => {
    expect(readSettings(`?backend=${name}`)).toEqual({ ...DEFAULTS, unknownBackend: name });
  });

  test('name the nearest backend', () => {
    expect(nearestBackend('wsm').near).toBe('wasm');
    expect(nearestBackend('constructor').near).toBeUndefined();
  });

  test.each([
    ['?lang=ko', ['en-GB'], 'ko'],
    ['?lang=xx', ['ko-KR', 'en'], 'ko'],
    ['', ['de', 'ko'], 'ko'],
    ['', ['de'], 'en'],
  ])('of "%s" for a visitor who reads %j: the language %s', (search, languages, language) => {
    expect(readSettings(search, languages).language).toBe(language);
  });

  test('open each page as a document, and obey the policies that there are', () => {
    expect(readSettings('?pages=many&without=wasm')).toMatchObject({ hasDocuments: true, without: 'wasm' });
    expect(readSettings('?pages=1&without=toString')).toEqual(DEFAULTS);
  });

  test('change one at a time, and leave the page where it is', () => {
    const address = 'http://localhost/?model=a&backend=cpu#/cart';
    expect(withSetting(address, 'backend', 'wasm')).toBe('http://localhost/?model=a&backend=wasm#/cart');
    expect(withSetting(address, 'backend', 'auto')).toBe('http://localhost/?model=a#/cart');
    expect(withSetting(address, 'model', 'b c')).toBe('http://localhost/?model=b+c&backend=cpu#/cart');
  });
});
