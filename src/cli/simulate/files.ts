/** The files of a simulated log: `events.tsv.gz` and `catalogue.json`. */
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { RecommenderError, throwIfAborted } from '../../errors';
import { catalogueItem } from './products';
import type { SimulatedLog } from './simulate';
import { EVENT_NAMES } from './visit';

export const EVENTS_FILE = 'events.tsv.gz';
export const CATALOGUE_FILE = 'catalogue.json';

/** Rows handed to the compressor at a time. */
const CHUNK = 4096;

/**
 * Writes the log and its catalogue into a folder, made where it is missing. Each file is written beside its place and
 * renamed, so that no half-written one is left.
 *
 * @throws RecommenderError `io` if the disk refuses, `aborted`.
 */
export async function writeSimulation(log: SimulatedLog, folder: string, signal?: AbortSignal): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await replace(join(folder, EVENTS_FILE), (file) => writeEvents(log, file, signal));
    await replace(join(folder, CATALOGUE_FILE), (file) => writeFile(file, catalogueText(log)));
  } catch (error) {
    if (error instanceof RecommenderError) throw error;
    throw new RecommenderError(
      'io',
      `The simulated log could not be written to ${folder}: ${(error as Error).message}.`,
      {
        cause: error,
      },
    );
  }
}

/** The catalogue as text: one product a line, so that two of them compare well. */
export function catalogueText({ shop }: SimulatedLog): string {
  return `[\n${shop.products.map((product) => JSON.stringify(catalogueItem(product))).join(',\n')}\n]\n`;
}

/** The events as lines of text, header first: `session_id item_id timestamp user_id event`, tabs between. */
export function* eventLines({ shop, offsets, items, times, visitors, events }: SimulatedLog): Generator<string> {
  yield 'session_id\titem_id\ttimestamp\tuser_id\tevent\n';
  for (let s = 0; s + 1 < offsets.length; s++) {
    for (let e = offsets[s]!; e < offsets[s + 1]!; e++) {
      const { id } = shop.products[items[e]!]!;
      yield `${s + 1}\t${id}\t${times[e]!.toFixed(3)}\tv${visitors[s]! + 1}\t${EVENT_NAMES[events[e]!]}\n`;
    }
  }
}

async function writeEvents(log: SimulatedLog, file: string, signal: AbortSignal | undefined): Promise<void> {
  async function* chunks(): AsyncGenerator<string> {
    let rows: string[] = [];
    for (const line of eventLines(log)) {
      if (rows.push(line) < CHUNK) continue;
      throwIfAborted(signal);
      yield rows.join('');
      rows = [];
    }
    yield rows.join('');
  }
  await pipeline(chunks, createGzip(), createWriteStream(file));
}

async function replace(file: string, write: (file: string) => Promise<void>): Promise<void> {
  const part = `${file}.part`;
  try {
    await write(part);
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
