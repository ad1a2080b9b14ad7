import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { random } from '../../src/session/random';

const ITEMS = 100_000;
const MEAN_LENGTH = 5;
/** Sessions that are open at the same time: their rows stand among each other, as in a shop's log. */
const OPEN = 500;
const PIECE = 1 << 16;

/** Writes a TSV of so many events, in order of time: skewed popularity, times in seconds with milliseconds. */
export async function generateEvents(path: string, events: number, seed: number): Promise<void> {
  await pipeline(Readable.from(rows(events, seed)), createWriteStream(path));
}

function* rows(events: number, seed: number): Generator<string> {
  const draws = random(seed);
  let sessions = 0;
  const open = Array.from({ length: OPEN }, () => ++sessions);
  let milliseconds = 1_396_314_000_000;
  let text = 'session_id\titem_id\ttimestamp\n';
  for (let e = 0; e < events; e++) {
    const at = Math.floor(draws.uniform() * OPEN);
    milliseconds += Math.floor(draws.uniform() * 200);
    const item = 214_500_000 + Math.floor(ITEMS * draws.uniform() ** 3);
    text += `${open[at]}\t${item}\t${milliseconds / 1000}\n`;
    if (draws.uniform() < 1 / MEAN_LENGTH) open[at] = ++sessions;
    if (text.length < PIECE) continue;
    yield text;
    text = '';
  }
  yield text;
}
