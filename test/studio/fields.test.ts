import { expect, test } from 'vitest';
import { withFields } from '../../src/studio/fields';

test.each([
  ['Name it with --columns time=…', 'Name it with “Time”'],
  ['Is it --columns item=sku,time=event_time ?', 'Is it “Item” sku, “Time” event_time ?'],
  ['Is it the right item column (--columns item=…)?', 'Is it the right item column (“Item”)?'],
  ['add event=kind to --columns.', 'add event=kind to “Columns”.'],
  [
    'form sessions per user: --sessions-by gap:30.',
    'form sessions per user: “Sessions are” pauses of a user, of 30 minutes.',
  ],
  ['; --skip-bad-rows allows 3.', '; “Bad rows to pass over” allows 3.'],
  ['`seed`: expected a whole number, got 1.5.', '“Seed”: expected a whole number, got 1.5.'],
  ['aisle train --data log.csv --model gru4rec', 'aisle train --data log.csv --model gru4rec'],
  ['Rename it: --columns id=…,title=…', 'Rename it: “Columns” id=…,title=…'],
])('%s', (text, expected) => {
  expect(withFields(text)).toBe(expected);
});
