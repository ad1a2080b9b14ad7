/** Events files that no command may read as if nothing were wrong. */
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';

export const HEADER = 'session_id,item_id,timestamp\n';
export const GOOD = `${HEADER}a,x,1\na,y,2\nb,y,3\nb,z,4\n`;
const bytes = (...parts: (string | number[])[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
const packed = gzipSync(GOOD.repeat(1));
const parquet = (type: 'BOOLEAN' | 'DOUBLE'): Uint8Array =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'session_id', data: ['a', 'a'], type: 'STRING' },
        { name: 'item_id', data: type === 'BOOLEAN' ? [true, false] : [1.5, 2.5], type },
        { name: 'timestamp', data: [1, 2], type: 'DOUBLE' },
      ],
    }),
  );

/** A log whose items are lists. */
function nested(): Uint8Array {
  return new Uint8Array(
    parquetWriteBuffer({
      schema: [
        { name: 'root', num_children: 3 },
        { name: 'session_id', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
        { name: 'item_id', converted_type: 'LIST', num_children: 1, repetition_type: 'OPTIONAL' },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        { name: 'element', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
        { name: 'timestamp', type: 'DOUBLE', repetition_type: 'REQUIRED' },
      ],
      columnData: [
        { name: 'session_id', data: ['a'] },
        { name: 'item_id', data: [['x', 'y']] },
        { name: 'timestamp', data: [1] },
      ],
    }),
  );
}

/** What is wrong, the file, and its message after the path of the file. Exit code 2 for all. */
export const badLogs: readonly [what: string, name: string, content: string | Uint8Array, message: string][] = [
  [
    'a missing column',
    'e.csv',
    'session_id,item_id\na,x\n',
    ':1: no column "timestamp", expected times under that name; got "session_id", "item_id". Name it with --columns time=…',
  ],
  [
    'a wrong column name',
    'e.csv',
    GOOD.replace('item_id', 'itemId'),
    ':1: no column "item_id", expected ids of items under that name; got "session_id", "itemId", "timestamp". Is it --columns item=itemId ?',
  ],
  [
    'several other names',
    'e.csv',
    'visitor_id,session_id,sku,event_name,event_time\n1,a,x,view_item,1\n',
    'Is it --columns item=sku,time=event_time ?',
  ],
  [
    'the names of an export of orders of Shopify',
    'e.csv',
    'Name,Email,Created at,Lineitem quantity,Lineitem name,Lineitem sku\n#1,a@b.example,2024-01-05 10:00:00 +0100,1,Mug,M-1\n',
    "Is it --columns 'session=Name,item=Lineitem sku,time=Created at' ?",
  ],
  [
    'a name with a blank beside one that is not known',
    'e.csv',
    'session id,x,time\na,y,1\n',
    "Name it with --columns 'session=session id,item=…,time=time'",
  ],
  [
    'the names of an export of orders',
    'e.csv',
    'order_id,sku,created_at\n1,a,1\n',
    'Is it --columns session=order_id,item=sku,time=created_at ?',
  ],
  ['a misspelt column name', 'e.csv', GOOD.replace('session_id', 'sesion_id'), 'Is it --columns session=sesion_id ?'],
  [
    'users but no sessions',
    'e.csv',
    GOOD.replace('session_id', 'user_id'),
    'Or form sessions per user: --sessions-by gap:30.',
  ],
  [
    'a column that stands twice',
    'e.csv',
    GOOD.replace('\n', ',item_id\n'),
    ':1: column "item_id" stands twice; name each column once.',
  ],
  [
    'text in the time column',
    'e.csv',
    `${GOOD}c,x,yesterday\n`,
    ':6: timestamp is no time, expected a time in seconds since 1970, got "yesterday".',
  ],
  ['no time', 'e.csv', `${GOOD}c,x,\n`, ':6: timestamp is no time, expected a time in seconds since 1970, got "".'],
  [
    'a negative time',
    'e.csv',
    `${GOOD}c,x,-5\n`,
    ':6: timestamp is no time, expected a time of 1970 or later (not negative), got "-5".',
  ],
  [
    'times in two units',
    'e.csv',
    `${GOOD}c,x,1396314141719\n`,
    ':6: timestamp is no time, expected seconds since 1970, as in the first row, got "1396314141719".',
  ],
  [
    'times in microseconds',
    'e.csv',
    `${HEADER}c,x,1396314141719000\n`,
    ':2: timestamp is no time, expected seconds or milliseconds since 1970 (divide microseconds by 1,000), got "1396314141719000".',
  ],
  [
    'a day that does not exist',
    'e.csv',
    `${HEADER}a,x,2014-02-29\n`,
    ':2: timestamp is no time, expected a time in seconds, milliseconds or ISO 8601, got "2014-02-29".',
  ],
  ['too few columns', 'e.csv', `${GOOD}c,x\n`, ':6: 2 columns, expected 3 as in the header, got "c,x".'],
  ['too many columns', 'e.csv', `${GOOD}c,x,1,2\n`, ':6: 4 columns, expected 3 as in the header, got "c,x,1,2".'],
  ['an empty item', 'e.csv', `${GOOD}c,,1\n`, ':6: item_id is empty, expected an id, got nothing.'],
  ['an empty session', 'e.csv', `${GOOD},x,1\n`, ':6: session_id is empty, expected an id, got nothing.'],
  [
    'an open quote',
    'e.csv',
    `${GOOD}c,"x,1\n`,
    ':6: a quote is not closed, expected a second one before the end of the file, got none.',
  ],
  ['text after a quote', 'e.csv', `${GOOD}c,"x"y,1\n`, ':6: text follows a closing quote'],
  ['an empty file', 'e.csv', '', ': the file is empty; expected a header with session_id, item_id, timestamp.'],
  [
    'empty lines only',
    'e.csv',
    '\n\r\n\n',
    ': the file is empty; expected a header with session_id, item_id, timestamp.',
  ],
  ['a header only', 'e.csv', HEADER, ': no events, only a header; expected at least one row below it.'],
  [
    'one item',
    'e.csv',
    `${HEADER}a,x,1\na,x,2\n`,
    ': only one item, "x", expected at least 2; there is nothing to choose between.',
  ],
  [
    'no session of two events',
    'e.csv',
    `${HEADER}a,x,1\nb,y,2\n`,
    ': no session with at least 2 events, expected one or more; got 2 sessions with 2 events.',
  ],
  [
    'a truncated gzip file',
    'e.csv.gz',
    packed.subarray(0, packed.length - 12),
    ': the gzip file is cut off, expected a whole one, got',
  ],
  [
    'a damaged gzip file',
    'e.csv.gz',
    Buffer.concat([packed.subarray(0, 12), Buffer.from([255, 255]), packed.subarray(14)]),
    ': the gzip file is damaged, expected a whole one, got',
  ],
  [
    'Parquet with truth values as items',
    'e.parquet',
    parquet('BOOLEAN'),
    ': column "item_id" holds no ids: expected text or whole numbers, got BOOLEAN.',
  ],
  [
    'Parquet with fractions as items',
    'e.parquet',
    parquet('DOUBLE'),
    ': column "item_id" holds no ids: expected text or whole numbers, got DOUBLE.',
  ],
  ['text named Parquet', 'e.parquet', GOOD, ': no Parquet file, or a damaged one'],
  [
    'a 10 MB line',
    'e.csv',
    `${GOOD}c,${'x'.repeat(1e7)},5\n`,
    ':6: the row is too long, expected at most 1,048,576 bytes, got more (is a quote left open?).',
  ],
  [
    'a 10 MB line without a header',
    'e.csv',
    'x'.repeat(1e7),
    ':1: no header, expected a header with session_id, item_id, timestamp, got more than 1048576 bytes without an end of line.',
  ],
  [
    'a NUL byte in an id',
    'e.csv',
    bytes(`${GOOD}c,x`, [0], 'y,5\n'),
    ':6: item_id holds a NUL byte, expected UTF-8 text, got "x\\u0000y".',
  ],
  [
    'NUL bytes only',
    'e.csv',
    new Uint8Array(1000),
    ':1: the header holds a NUL byte, expected names of columns in UTF-8',
  ],
  [
    'invalid UTF-8 in an id',
    'e.csv',
    bytes(`${GOOD}c,x`, [0xff], 'y,5\n'),
    ':6: item_id holds invalid UTF-8, expected UTF-8 text, got "x\ufffdy".',
  ],
  [
    'UTF-16',
    'e.csv',
    Buffer.from(`\ufeff${GOOD}`, 'utf16le'),
    ': UTF-16 text, expected UTF-8; save the file as UTF-8.',
  ],
  [
    'a list of JSON',
    'e.json',
    '[{"session_id":"a"}]',
    ":1: a JSON list, expected objects, one a line. Write it with  jq -c '.[]'",
  ],
  [
    'a cut JSON object',
    'e.jsonl',
    '{"session_id":"a","item_id":"x","timestamp":1}\n{"session_id":',
    ':2: no valid JSON, expected an object, got "{\\"session_id\\":".',
  ],
  [
    'a nested item of JSON',
    'e.jsonl',
    '{"session_id":"a","item":{"id":"x"},"timestamp":1}',
    ': no column "item_id", expected ids of items under that name; got "session_id", "item.id", "timestamp". ' +
      'Is it --columns item=item.id ?',
  ],
  [
    'Parquet with nested items',
    'e.parquet',
    nested(),
    ': column "item_id" holds no ids: expected text or whole numbers, ',
  ],
  [
    'RecBole users without sessions',
    'e.inter',
    'user_id:token\titem_id:token\ttimestamp:float\na\tx\t1\n',
    'Or form sessions per user: --sessions-by gap:30.',
  ],
  [
    'RecBole histories beside the next item',
    'e.inter',
    'session_id:token\titem_id_list:token_seq\titem_id:token\ttimestamp:float\na\tx y\tz\t1\n',
    ':1: column "item_id_list:token_seq" holds a list in every row, as where RecBole has written a row for each prefix',
  ],
  [
    'RecBole items in a list',
    'e.inter',
    'session_id:token\titem_id:token_seq\ttimestamp:float\na\tx y\t1\n',
    ':1: column "item_id:token_seq" holds a list in every row',
  ],
  [
    'a gzip file of Parquet that is cut off',
    'e.parquet.gz',
    gzipSync(parquet('DOUBLE')).subarray(0, 99),
    ': the gzip file is cut off',
  ],
];
