/**
 * Bytes that nobody has written on purpose, given to every parser: each is read, or refused with a reason. Those that reach a new
 * place of the code are changed further (`coverage.ts`). `npm test` tries some hundreds, `npm run soak` as many as a minute allows.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { decodeSafetensors } from '../../src/checkpoint/decode-safetensors';
import { decodeDelta, encodeDelta } from '../../src/checkpoint/delta-file';
import { parseJson } from '../../src/checkpoint/json';
import { checkManifest } from '../../src/checkpoint/manifest';
import { checkFeatures } from '../../src/checkpoint/manifest-features';
import { encodeSafetensors } from '../../src/checkpoint/write-safetensors';
import { decodePlan } from '../../src/compute/plan/format';
import { PlanError } from '../../src/compute/plan/plan';
import { RecommenderError } from '../../src/errors';
import { eventOf } from '../../src/page/data-layer';
import { jsonLdOf } from '../../src/page/json-ld';
import { productOf } from '../../src/page/things';
import { readProducts } from '../../src/pipeline/catalogue/products';
import { readZip, writeZip } from '../../src/pipeline/zip';
import { readParquet } from '../../src/session/read-parquet';
import { readText } from '../../src/session/read-text';
import { decode } from '../../src/store/record-reader';
import { checksumOf, encode } from '../../src/store/records';
import { DELTA } from '../checkpoint/deltas';
import { folderOf, plannedModel, smallModel } from '../engine/fixture';
import { isSoak } from '../soak-slice';
import { tried } from '../tries';
import { type Fuzzed, fuzz } from './coverage';

const SEED = 28;
const RUNS = 256;
const SECONDS = 60;
/** The one that `npm test` guides by coverage, too. */
const GUIDED = 'data layer';

/** Parquet files of five writers. */
const WRITTEN = join(import.meta.dirname, '../pipeline/parquet-fixtures');

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const jsonOf = (value: unknown): Uint8Array => bytesOf(JSON.stringify(value));
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const jsonOrText = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(textOf(bytes));
  } catch {
    return textOf(bytes);
  }
};
const isOurs = (error: unknown): boolean => error instanceof RecommenderError;
const never = (): boolean => false;

const LOG =
  'session_id,item_id,timestamp,event,price\n1,a,1700000000,view,1.5\n1,"b ""c""",1700000100,cart,2\n2,ä,2024-05-01T12:00:00Z,,\n';
const EVENT = {
  event: 'purchase',
  ecommerce: { transaction_id: 'T', items: [{ item_id: 'a', id: 5 }, { item_name: 'b' }] },
};
const PRODUCT = {
  '@context': 'https://schema.org',
  '@graph': [
    { '@type': 'ProductGroup', '@id': '#g', productGroupID: 'g', hasVariant: [{ '@id': '#a' }, { '@id': '#b' }] },
    { '@type': 'Product', '@id': '#a', sku: 'a', url: '/p?v=a', gtin13: '4006381333931', isVariantOf: { '@id': '#g' } },
    {
      '@type': ['Product', 'Thing'],
      '@id': '#b',
      sku: 'b',
      mpn: 'm',
      offers: { '@type': 'Offer', sku: 5, url: '/p?v=b' },
    },
  ],
};

const PARSERS: Readonly<Record<string, () => Fuzzed | Promise<Fuzzed>>> = {
  safetensors: () => {
    const a = { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] };
    const b = { data: Int32Array.of(5), shape: [1] };
    return {
      sources: ['src/checkpoint/safetensors', 'src/checkpoint/decode-safetensors', 'src/checkpoint/json'],
      seeds: [encodeSafetensors({ a, b }, { by: 'us' })],
      words: ['"dtype"', '"shape"', '"data_offsets"', '"__metadata__"', 'BF16', 'BOOL', 'F64', 'I16'],
      run: (input) => decodeSafetensors(input, 'w'),
      isReason: isOurs,
    };
  },
  manifest: async () => {
    const plain = (await folderOf(await smallModel())).get('manifest.json')!;
    const given = JSON.parse(textOf(plain));
    const features = {
      colour: { kind: 'category', values: ['red'] },
      price: { kind: 'number', mean: 1, deviation: 2 },
      age: { kind: 'age', mean: 1, deviation: 2 },
      hour: { kind: 'angle' },
    };
    const files = { ...given.files, 'aliases.json': given.files['items.json'] };
    return {
      sources: ['src/checkpoint/manifest', 'src/checkpoint/json'],
      seeds: [plain, jsonOf({ ...given, features, scale: 2, aliases: 'aliases.json', files })],
      words: [
        '"formatVersion":',
        '"golden":',
        '"files":',
        '"session":',
        '"top":',
        '__proto__',
        '"constructor"',
        '"sha256"',
      ],
      run: (input) => checkFeatures(checkManifest(parseJson(input, 'manifest.json')).features ?? {}),
      isReason: isOurs,
    };
  },
  records: () => {
    const event = { tab: 't', number: 0, time: 5, itemId: 'a', event: 'view' };
    const whole = encode([
      event,
      { ...event, features: { f: 1 }, candidates: [{ id: 'a', kind: 'sku', source: 's' }] },
    ]);
    return {
      sources: ['src/store/record'],
      seeds: [jsonOf(whole), jsonOf({ ...whole, version: 3 }), bytesOf('1 967qq4 ["k3",[[0,5,"a","view"]]]')],
      words: ['"rows":', '"tab":', '"version":', 'null', '[[', '"sku"'],
      run(input) {
        const value = jsonOrText(input);
        decode(value);
        // Past the checksum, too.
        const { tab, rows } = Object(value) as Record<string, unknown>;
        return decode({ ...Object(value), checksum: checksumOf(tab, rows) });
      },
      isReason: never,
    };
  },
  'data layer': () => ({
    sources: ['src/page/data-layer', 'src/page/id'],
    seeds: [
      jsonOf(EVENT),
      jsonOf({ 0: 'event', 1: 'ga4.view_item', 2: { items: [{ id: 'x' }] } }),
      jsonOf({ ecommerce: { add: { products: [{ id: 'x' }], actionField: { id: 'T' } } } }),
    ],
    words: ['"items":', '"event":', '"detail":', 'remove_from_cart', '"products":', 'null'],
    run: (input) => eventOf(jsonOrText(input)),
    isReason: never,
  }),
  'JSON-LD': () => ({
    sources: ['src/page/'],
    seeds: [jsonOf(PRODUCT), bytesOf(`<!--//<![CDATA[\n${JSON.stringify(PRODUCT['@graph'])}\n//]]>-->`)],
    words: ['"@type":', '"@id":', '"@graph":', '"mainEntity":', '"Product"', '"hasVariant":', '"isVariantOf":', '"#a"'],
    run(input) {
      const element = { matches: () => true, textContent: textOf(input), getAttribute: () => 'application/ld+json' };
      return productOf(jsonLdOf([element as never]), new URL('https://shop.example/p?v=a'));
    },
    isReason: never,
  }),
  CSV: () => ({
    sources: ['src/session/'],
    seeds: [
      bytesOf(LOG),
      bytesOf(LOG.replaceAll(',', '\t')),
      bytesOf('{"session_id":1,"item_id":"a","timestamp":5}\n'),
    ],
    words: ['session_id', 'item_id', 'timestamp', 'user_id', '""', '\r\n', '{"', '1e308', '-1'],
    async run(input) {
      await readText(piecesOf(input), { name: 'log' }, { skipBadRows: input.length % 3 }).catch(throwOther);
      return readProducts(input, 'table');
    },
    isReason: isOurs,
  }),
  Parquet: () => {
    const files = readdirSync(WRITTEN).filter((name) => name.endsWith('.parquet'));
    return {
      sources: ['src/session/read-parquet', 'src/session/parquet-checks', 'src/session/columns', '/hyparquet'],
      seeds: files.map((name) => new Uint8Array(readFileSync(join(WRITTEN, name)))),
      words: ['PAR1', 'item_id', 'timestamp'],
      run(input) {
        const slice = async (start: number, end?: number) => input.slice(start, end).buffer as ArrayBuffer;
        return readParquet({ byteLength: input.length, slice }, { name: 'log' });
      },
      isReason: isOurs,
    };
  },
  'plan.bin': async () => ({
    sources: ['src/compute/plan/format'],
    seeds: [(await plannedModel()).plan!],
    words: ['"programs"', '"items"', '"model"', '"inputs"'],
    run: decodePlan,
    isReason: (error) => error instanceof PlanError,
  }),
  zip: () => {
    const stored = writeZip(
      new Map([
        ['manifest.json', bytesOf('{}')],
        ['weights', new Uint8Array(300)],
      ]),
    );
    return {
      sources: ['src/pipeline/zip'],
      seeds: [stored, deflateRawSync(stored)],
      run: (input) => readZip(new Blob([new Uint8Array(input)]), 'a.zip'),
      isReason: isOurs,
    };
  },
  'a delta': () => ({
    sources: ['src/checkpoint/delta', 'src/checkpoint/safetensors', 'src/checkpoint/json'],
    seeds: [encodeDelta(DELTA)],
    words: ['"delta"', '"checksum"', '"rows.bias"', '"gate"'],
    run: decodeDelta,
    isReason: isOurs,
  }),
};

/** In pieces, as a file comes. */
async function* piecesOf(input: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < input.length; at += 100) yield input.slice(at, at + 100);
}
function throwOther(error: unknown): void {
  if (!isOurs(error)) throw error;
}

beforeAll(() => void vi.stubGlobal('document', { baseURI: 'https://shop.example/' }));

describe.each(Object.entries(PARSERS))('%s', (name, parser) => {
  test(`is read, or refused with a reason, whatever the bytes are (seed ${SEED})`, { timeout: 600_000 }, async () => {
    const end = performance.now() + 1000 * SECONDS;
    const isGuided = isSoak || name === GUIDED;
    const isOver = (runs: number) => (isSoak ? performance.now() > end : runs >= (isGuided ? RUNS / 4 : RUNS));
    const { runs, corpus, covered, slowest, failures } = await fuzz(
      await parser(),
      SEED,
      isOver,
      isSoak || name === GUIDED,
    );
    if (isSoak)
      console.log(
        `${name}: ${runs} inputs, ${corpus.length} reached something new, ${covered} characters, slowest ${slowest.toFixed(0)} ms`,
      );
    tried(runs);
    expect(failures).toEqual([]);
    if (isGuided) expect(corpus.length).toBeGreaterThan(3);
    expect(({} as Record<string, unknown>)['sha256']).toBeUndefined();
  });
});
