/**
 * Writes the Parquet files beside this script, by the writers of package.json. They are large and needed for nothing else, so
 * they are installed elsewhere:
 *
 *     cp -r test/pipeline/parquet-fixtures /tmp/writers && cd /tmp/writers && npm ci && node write.mjs
 *
 * Then copy *.parquet back.
 */

import { writeFile } from 'node:fs/promises';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import * as arrow from 'apache-arrow';
import { parquetWriteBuffer } from 'hyparquet-writer';
import pl from 'nodejs-polars';
import * as wasm from 'parquet-wasm/node';
import { dayOf, EVENTS, numberOf } from './events.mjs';

const iso = ({ milliseconds }) => new Date(milliseconds).toISOString();

async function duckdb() {
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const text = (value) => (value === null ? 'NULL' : `'${String(value).replaceAll("'", "''")}'`);
  const rows = EVENTS.map(
    (e) => `(${[e.session, e.item, numberOf(e.item), iso(e), e.event, e.price].map(text).join(', ')})`,
  );
  await connection.run(`
    CREATE TABLE events AS
    SELECT session AS session_id, item AS item_id, number::BIGINT AS item_int64, number::UBIGINT AS item_uint64,
      (number - 9007199254740992)::INTEGER AS item_int32, {'id': item, 'number': number::BIGINT, 'more': {'id': item}} AS product,
      [item, 'other'] AS tags, time::TIMESTAMP_MS AS time_millis, time::TIMESTAMP AS time_micros, time::TIMESTAMP_NS AS time_nanos,
      (time || 'Z')::TIMESTAMPTZ AS time_zone, time::DATE AS time_date, epoch_ms(time::TIMESTAMP) AS time_int64,
      epoch_ms(time::TIMESTAMP) / 1000.0::DOUBLE AS time_double, time AS time_text, event, price::DOUBLE AS price
    FROM (SELECT column0 AS session, column1 AS item, column2::BIGINT AS number, replace(column3, 'Z', '') AS time,
      column4 AS event, column5 AS price FROM (VALUES ${rows.join(', ')}) AS t(column0, column1, column2, column3, column4, column5))`);
  for (const [codec, version] of [
    ['uncompressed', 'v1'],
    ['snappy', 'v1'],
    ['gzip', 'v1'],
    ['zstd', 'v1'],
    ['brotli', 'v1'],
    ['lz4_raw', 'v1'],
    ['zstd', 'v2'],
    ['snappy', 'v2'],
  ]) {
    const options = `FORMAT parquet, COMPRESSION ${codec}, PARQUET_VERSION ${version}`;
    await connection.run(`COPY events TO 'duckdb-${codec}-${version}.parquet' (${options})`);
  }
}

async function polars() {
  const text = (name, of) => pl.Series(name, EVENTS.map(of), pl.Utf8);
  const double = (name, of) => pl.Series(name, EVENTS.map(of), pl.Float64);
  // Of an ordinary array of bigints it makes nulls.
  const int64 = (name, of) => pl.Series(name, BigInt64Array.from(EVENTS, of));
  const time = (unit, factor) =>
    int64(`time_${unit.name}`, (e) => BigInt(e.milliseconds) * factor).cast(pl.Datetime(unit.code));
  const frame = pl
    .DataFrame([
      text('session_id', (e) => e.session),
      text('item_id', (e) => e.item),
      int64('item_int64', (e) => numberOf(e.item)),
      time({ name: 'millis', code: 'ms' }, 1n),
      time({ name: 'micros', code: 'us' }, 1000n),
      time({ name: 'nanos', code: 'ns' }, 1_000_000n),
      int64('time_int64', (e) => BigInt(e.milliseconds)),
      double('time_double', (e) => e.milliseconds / 1000),
      text('time_text', iso),
      text('event', (e) => e.event),
      double('price', (e) => e.price),
    ])
    .withColumns(
      pl.col('item_id').cast(pl.Categorical).alias('item_category'),
      pl.col('time_millis').cast(pl.Date).alias('time_date'),
    );
  for (const compression of ['uncompressed', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4'])
    frame.writeParquet(`polars-${compression}.parquet`, { compression });
}

async function parquetWasm() {
  const { Field, Int64, Float64, Utf8, TimestampMillisecond, TimestampMicrosecond, TimestampNanosecond, DateDay } =
    arrow;
  const column = (values, type) => arrow.vectorFromArray(values, type);
  const dictionary = arrow.vectorFromArray(EVENTS.map((e) => e.item)); // dictionary-encoded
  const struct = new arrow.Struct([new Field('id', new Utf8(), true), new Field('number', new Int64(), true)]);
  const raw = (values, type) =>
    new arrow.Vector([arrow.makeData({ type, length: values.length, data: BigInt64Array.from(values) })]);
  const table = new arrow.Table({
    session_id: column(
      EVENTS.map((e) => e.session),
      new Utf8(),
    ),
    item_id: column(
      EVENTS.map((e) => e.item),
      new Utf8(),
    ),
    item_category: dictionary,
    item_int64: column(
      EVENTS.map((e) => numberOf(e.item)),
      new Int64(),
    ),
    product: column(
      EVENTS.map((e) => ({ id: e.item, number: numberOf(e.item) })),
      struct,
    ),
    time_millis: raw(
      EVENTS.map((e) => BigInt(e.milliseconds)),
      new TimestampMillisecond(),
    ),
    time_micros: raw(
      EVENTS.map((e) => BigInt(e.milliseconds) * 1000n),
      new TimestampMicrosecond(),
    ),
    time_nanos: raw(
      EVENTS.map((e) => BigInt(e.milliseconds) * 1_000_000n),
      new TimestampNanosecond(),
    ),
    time_date: new arrow.Vector([
      arrow.makeData({ type: new DateDay(), length: EVENTS.length, data: Int32Array.from(EVENTS, dayOf) }),
    ]),
    time_int64: column(
      EVENTS.map((e) => BigInt(e.milliseconds)),
      new Int64(),
    ),
    time_double: column(
      EVENTS.map((e) => e.milliseconds / 1000),
      new Float64(),
    ),
    time_text: column(EVENTS.map(iso), new Utf8()),
    event: column(
      EVENTS.map((e) => e.event),
      new Utf8(),
    ),
    price: column(
      EVENTS.map((e) => e.price),
      new Float64(),
    ),
  });
  const write = async (name, build) => {
    const properties = build(new wasm.WriterPropertiesBuilder()).build();
    const bytes = wasm.writeParquet(wasm.Table.fromIPCStream(arrow.tableToIPC(table, 'stream')), properties);
    await writeFile(`parquet-wasm-${name}.parquet`, bytes);
  };
  const { Compression, Encoding, WriterVersion } = wasm;
  for (const [name, codec] of [
    ['snappy', Compression.SNAPPY],
    ['gzip', Compression.GZIP],
    ['zstd', Compression.ZSTD],
    ['brotli', Compression.BROTLI],
    ['lz4_raw', Compression.LZ4_RAW],
  ])
    await write(name, (builder) => builder.setCompression(codec));
  await write('delta', (builder) => {
    let b = builder.setCompression(Compression.UNCOMPRESSED).setDictionaryEnabled(false).setMaxRowGroupSize(25);
    b = b.setWriterVersion(WriterVersion.V2);
    for (const name of ['session_id', 'time_text']) b = b.setColumnEncoding(name, Encoding.DELTA_BYTE_ARRAY);
    for (const name of ['item_id', 'event']) b = b.setColumnEncoding(name, Encoding.DELTA_LENGTH_BYTE_ARRAY);
    for (const name of ['item_int64', 'time_int64', 'time_micros', 'time_date'])
      b = b.setColumnEncoding(name, Encoding.DELTA_BINARY_PACKED);
    return b.setColumnEncoding('time_double', Encoding.BYTE_STREAM_SPLIT);
  });
}

async function hyparquet() {
  const columns = (encoding) => [
    { name: 'session_id', data: EVENTS.map((e) => e.session), type: 'STRING', encoding: encoding?.text },
    { name: 'item_id', data: EVENTS.map((e) => e.item), type: 'STRING', encoding: encoding?.text },
    { name: 'item_int64', data: EVENTS.map((e) => numberOf(e.item)), type: 'INT64', encoding: encoding?.number },
    { name: 'time_millis', data: EVENTS.map((e) => new Date(e.milliseconds)), type: 'TIMESTAMP' },
    { name: 'time_int64', data: EVENTS.map((e) => BigInt(e.milliseconds)), type: 'INT64', encoding: encoding?.number },
    { name: 'time_double', data: EVENTS.map((e) => e.milliseconds / 1000), type: 'DOUBLE', encoding: encoding?.double },
    { name: 'time_text', data: EVENTS.map(iso), type: 'STRING' },
    { name: 'event', data: EVENTS.map((e) => e.event), type: 'STRING' },
    { name: 'price', data: EVENTS.map((e) => e.price), type: 'DOUBLE', nullable: true },
  ];
  const compressors = { GZIP: gzipSync, BROTLI: brotliCompressSync };
  const delta = { text: 'DELTA_BYTE_ARRAY', number: 'DELTA_BINARY_PACKED', double: 'BYTE_STREAM_SPLIT' };
  const write = (name, codec, encoding) => {
    const buffer = parquetWriteBuffer({ columnData: columns(encoding), codec, compressors, rowGroupSize: 25 });
    return writeFile(`hyparquet-writer-${name}.parquet`, new Uint8Array(buffer));
  };
  for (const codec of ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI']) await write(codec.toLowerCase(), codec);
  await write('delta', 'SNAPPY', delta);
}

for (const write of [duckdb, polars, parquetWasm, hyparquet]) {
  await write();
  console.log(write.name);
}
