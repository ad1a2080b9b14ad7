/**
 * Time and peak memory of `aisle catalogue` on generated feeds of every dialect:
 *
 *     node test/run.mjs test/bench/catalogue.ts [--rows N] [FEED…]
 *
 * Each feed runs once, in a process of its own. Prints a table and keeps it in `results/catalogue.{json,md}`, where other rows stay
 * as they are.
 */
import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs, promisify } from 'node:util';
import type { CatalogueReport } from '../../src/pipeline/catalogue/catalogue';
import { markdownTable, whole } from '../../src/pipeline/format';
import { buildChanged, built, plainEnv } from '../build/built';
import { FEEDS, TABLE_COLUMNS } from '../pipeline/catalogue/feeds';
import { commit, machine } from './machine';
import { readResult, writeResult } from './results';

interface Row {
  readonly feed: string;
  readonly rows: number;
  readonly products: number;
  readonly megabytes: number;
  readonly seconds: number;
  readonly processorSeconds: number;
  readonly peakMegabytes: number;
  readonly commit: string;
  readonly machine: string;
}

const PIECE = 1 << 16;

export async function main(argv: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { rows: { type: 'string', default: '100000' } },
    allowPositionals: true,
  });
  const names = positionals.length > 0 ? positionals : Object.keys(FEEDS);
  const unknown = names.find((name) => !Object.hasOwn(FEEDS, name));
  if (unknown) throw new RangeError(`No such feed: ${unknown}. There are ${Object.keys(FEEDS).join(', ')}.`);
  buildChanged(['cli']);
  const place = await mkdtemp(join(tmpdir(), 'aisle-feeds-'));
  try {
    for (const name of names) keep(await measure(join(place, name), name, Number(values.rows)));
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

async function measure(feed: string, name: string, rows: number): Promise<Row> {
  await pipeline(Readable.from(larger(FEEDS[name]!(rows))), createWriteStream(feed));
  const columns = Object.entries(TABLE_COLUMNS).map(([field, column]) => `${field}=${column}`);
  const flags = name === 'table.csv' ? ['--columns', columns.join(), '--lang', 'de'] : [];
  const words = ['catalogue', feed, '--out', `${feed}-out`, '--currency', 'EUR', '--json', ...flags];
  const options = { env: plainEnv(), maxBuffer: 1 << 28 };
  const { stdout } = await promisify(execFile)(process.execPath, [join(built('cli'), 'aisle.js'), ...words], options);
  const report = JSON.parse(stdout) as CatalogueReport;
  const { size } = await stat(feed);
  await Promise.all([feed, `${feed}-out`].map((path) => rm(path, { recursive: true })));
  return {
    feed: name,
    rows,
    products: report.products,
    megabytes: size / 1e6,
    seconds: report.seconds,
    processorSeconds: report.processorSeconds,
    peakMegabytes: report.peakMemoryBytes / 1e6,
    commit: commit(),
    machine: machine(),
  };
}

function* larger(texts: Iterable<string>): Generator<string> {
  let piece = '';
  for (const text of texts) {
    piece += text;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

function keep(row: Row): void {
  const before = readResult<Row[]>('catalogue', []);
  const order = Object.keys(FEEDS);
  const rows = [...before.filter(({ feed, rows }) => feed !== row.feed || rows !== row.rows), row].sort(
    (a, b) => a.rows - b.rows || order.indexOf(a.feed) - order.indexOf(b.feed),
  );
  const text = markdown(rows);
  console.log(text);
  writeResult('catalogue', rows, text);
}

function markdown(rows: readonly Row[]): string {
  const titles = ['feed', 'rows', 'products', 'feed, MB', 'seconds', 'of the processor', 'peak memory, MB', 'commit'];
  const cells = rows.map(({ feed, rows, products, megabytes, seconds, processorSeconds, peakMegabytes, commit }) => [
    ...[feed, whole(rows), whole(products), whole(megabytes), seconds.toFixed(1), processorSeconds.toFixed(1)],
    ...[whole(peakMegabytes), commit],
  ]);
  return `# Catalogues from feeds

    node test/run.mjs test/bench/catalogue.ts [--rows N] [FEED…]

\`aisle catalogue\` once on each generated feed (\`test/pipeline/catalogue/feeds.ts\`), reading and writing, in a process of its own. Peak
memory is the resident set of the whole process. Machine: ${rows.at(-1)?.machine}; other work ran beside it.

${markdownTable(titles, cells).join('\n')}
`;
}
