/** Reads a product feed row by row: a table, XML of RSS or Atom, a JSON list, or JSON objects one after the other. */
import { RecommenderError, throwIfAborted } from '../../errors';
import { TableReader } from '../../session/read-table';
import { type EntryOptions, KNOWN_NAMES } from './dialects';
import { empty, type FeedHandlers, type FeedReader, HEAD, Rows } from './feed-rows';
import { JsonReader } from './json-feed';
import { XmlReader } from './xml-feed';

/**
 * Reads a feed. Its first bytes tell the format, its names the dialect.
 *
 * @param source The bytes, unpacked; a piece may be reused once the next one is requested.
 * @param file Name for messages.
 * @param afterPiece Awaited after each piece.
 * @returns The names that the feed has, as it writes them.
 * @throws RecommenderError `bad-input` as `FILE:LINE: what, expected, got`; what the handlers throw; `aborted`.
 */
export async function readFeed(
  source: AsyncIterable<Uint8Array>,
  file: string,
  options: EntryOptions,
  handlers: FeedHandlers,
  afterPiece: () => Promise<void>,
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> {
  const rows = new Rows(file, options, handlers);
  let head = new Uint8Array(0);
  let reader: FeedReader | undefined;
  for await (const piece of source) {
    throwIfAborted(signal);
    if (reader) reader.push(piece);
    else {
      const longer = new Uint8Array(head.length + piece.length);
      longer.set(head);
      longer.set(piece, head.length);
      head = longer;
      if (head.length >= HEAD) reader = readerOf(head, file, rows);
    }
    await afterPiece();
  }
  reader ??= readerOf(head, file, rows);
  reader.finish();
  await afterPiece();
  return rows.names;
}

/** The reader for a feed with this beginning, which it has read. */
function readerOf(head: Uint8Array, file: string, rows: Rows): FeedReader {
  const text = new TextDecoder().decode(head.subarray(0, HEAD)).trimStart();
  if (text === '') throw empty(file);
  if (text.startsWith('PAR1')) {
    const expected = 'expected a table of text, XML or JSON; export it as CSV, or as JSON with an object a line';
    throw new RecommenderError('bad-input', `${file}: a Parquet file, ${expected}.`);
  }
  if (/^<!doctype html/i.test(text)) {
    throw new RecommenderError('bad-input', `${file}:1: this is no feed, expected RSS 2.0 or Atom, got a web page.`);
  }
  const hasMark = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf;
  const bytes = hasMark ? head.subarray(3) : head;
  const reader = /^[<[{]/.test(text)
    ? text.startsWith('<')
      ? new XmlReader(file, rows)
      : new JsonReader(file, rows, bytes)
    : tableReader(file, rows);
  reader.push(bytes);
  return reader;
}

function tableReader(file: string, rows: Rows): FeedReader {
  return new TableReader(file, [rows.idColumn, ...KNOWN_NAMES], {
    header: (names) => rows.begin(names, 'table', true),
    row(line, cell) {
      rows.row(line, (at) => cell(at));
    },
    bad: (...row) => rows.bad(...row),
  });
}
