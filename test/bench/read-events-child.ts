/**
 * Reads an events file once, in a process of its own so that its peak memory is its own, and prints the result as JSON.
 *
 *     node read-events-child.js ours|csv-parse FILE
 */
import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import { readEventsFile } from '../../src/pipeline/files/events-file';

const [side, file] = process.argv.slice(2);
const started = performance.now();
let events = 0;
if (side === 'ours') {
  events = (await readEventsFile(file!, { minLength: 1 })).sessions.items.length;
} else {
  for await (const _ of createReadStream(file!).pipe(parse({ delimiter: '\t', from_line: 2 }))) events++;
}
const seconds = (performance.now() - started) / 1000;
console.log(JSON.stringify({ seconds, events, peakBytes: process.resourceUsage().maxRSS * 1024 }));
