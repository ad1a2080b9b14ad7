import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CATALOGUE_MANIFEST, COLD_START, partName } from '../../src/checkpoint/catalogue-folder';
import { ARTIFACT_FILES, CATALOGUE } from '../../src/checkpoint/manifest';
import { kindOf, policyFor, type RequestRecord, requestLog } from '../../src/demo/requests';

const record = (url: string, more: Partial<RequestRecord> = {}): RequestRecord => {
  return { url, from: 'page', initiator: 'fetch', transferred: 100, size: 90, start: 0, milliseconds: 1, ...more };
};
const OWN = 'https://shop.example';

beforeEach(() => vi.stubGlobal('location', new URL(`${OWN}/`)));
afterEach(() => vi.unstubAllGlobals());

test('the policy allows the own origin, and of others those that were asked, for pictures or for files', () => {
  expect(policyFor([record(`${OWN}/`), record(`${OWN}/models/1/weights.safetensors`)])).toBe(
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; img-src 'self' data:; require-trusted-types-for 'script'; trusted-types aisle",
  );
  const policy = policyFor([
    record('https://cdn.example/items.json'),
    record('https://cdn.example/manifest.json'),
    record('https://pictures.example/a.jpg'),
    record('https://resized.example/a/w_400', { initiator: 'img' }),
    record('https://drawn.example/1', { initiator: 'image' }), // of an SVG
  ]);
  expect(policy).toContain("; connect-src 'self' https://cdn.example; ");
  expect(policy).toContain(
    "; img-src 'self' data: https://pictures.example https://resized.example https://drawn.example; ",
  );
});

test('files of a model and of a catalogue are told from pages', () => {
  const kinds = (names: readonly string[]) =>
    names.map((name) => kindOf(record(`${OWN}/${name}`))).filter((kind, at, all) => all.indexOf(kind) === at);
  expect(kinds(ARTIFACT_FILES.filter((name) => name !== CATALOGUE))).toEqual(['model']);
  expect(kinds([CATALOGUE, partName(2), CATALOGUE_MANIFEST, COLD_START])).toEqual(['catalogue']);
  expect(kinds(['', 'products/1', 'data.json'])).toEqual(['page']);
});

test('the log has the totals, the policy, and every request in the order of time', () => {
  const later = record(`${OWN}/items.json?v=2`, { start: 2000, from: 'worker' });
  const log = requestLog([record(`${OWN}/`, { initiator: '' }), later, record(`${OWN}/a.js`, { start: 1000 })], 7, 0);
  expect(log.split('\n')).toEqual([
    `Requests of ${OWN}, as this browser reported them until 1970-01-01T00:00:00.000Z.`,
    '3 requests, 300 bytes received, 11 bytes sent in bodies and queries; 0 of unknown size.',
    '',
    expect.stringMatching(/^Content-Security-Policy: default-src 'self';/),
    '',
    'time\tfrom\tinitiator\ttransferred\tsize\taddress',
    `1970-01-01T00:00:00.000Z\tpage\t-\t100\t90\t${OWN}/`,
    `1970-01-01T00:00:01.000Z\tpage\tfetch\t100\t90\t${OWN}/a.js`,
    `1970-01-01T00:00:02.000Z\tworker\tfetch\t100\t90\t${OWN}/items.json?v=2`,
    '',
  ]);
});
