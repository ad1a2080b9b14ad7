/** The files of a simulated log: `events.tsv.gz` and `catalogue.json`. */
import { CATALOGUE_MANIFEST } from '../../checkpoint/catalogue-folder';
import { MANIFEST } from '../../checkpoint/manifest';
import { RecommenderError, throwIfAborted } from '../../errors';
import { join, namesIn, pieces, replaceFiles } from '../files/disk';
import { openFile } from '../files/events-file';
import { catalogueItem, PRODUCT_LINK } from './products';
import type { SimulatedLog } from './simulate';
import { EVENT_NAMES } from './visit';

export const EVENTS_FILE = 'events.tsv.gz';
export const CATALOGUE_FILE = 'catalogue.json';

/** Rows handed to the compressor at a time. */
const CHUNK = 4096;

/**
 * Checks that a simulation may be written to a folder: it replaces an earlier one and nothing else. Call it before the work.
 *
 * @throws RecommenderError `bad-input` for the folder of a model or of a finished catalogue, or where a file would be replaced that no simulation wrote.
 */
export async function refuseForeignShop(folder: string): Promise<void> {
  const names = await namesIn(folder);
  const foreign = [MANIFEST, CATALOGUE_MANIFEST, EVENTS_FILE, CATALOGUE_FILE].find((name) => names.includes(name));
  if (foreign === undefined) return;
  const isOurs = foreign === EVENTS_FILE || foreign === CATALOGUE_FILE;
  if (isOurs && names.includes(CATALOGUE_FILE) && (await isSimulated(join(folder, CATALOGUE_FILE)))) return;
  throw new RecommenderError(
    'bad-input',
    `${folder} holds ${foreign}, which no simulation wrote, and is left alone; name a new or empty folder.`,
  );
}

/** Whether a catalogue begins with a product of `catalogueText`. */
async function isSimulated(path: string): Promise<boolean> {
  const file = await openFile(path, 'a catalogue');
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(1024));
    const text = buffer.toString('utf8', 0, bytesRead);
    return text.startsWith('[\n{"id":') && text.includes(`"url":"${PRODUCT_LINK}`);
  } finally {
    await file.close();
  }
}

/**
 * Writes the log and its catalogue into a folder, made where it is missing. Both files are
 * written beside their places and renamed, so that no half-written one is left, nor a folder that was made for them.
 *
 * @throws RecommenderError `io` if the disk refuses, `aborted`.
 */
export async function writeSimulation(log: SimulatedLog, folder: string, signal?: AbortSignal): Promise<void> {
  const events = pieces(chunks(log, signal), { gzip: true });
  await replaceFiles(folder, { [EVENTS_FILE]: events, [CATALOGUE_FILE]: catalogueText(log) });
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

/** The lines in larger strings: the compressor is slow with many small ones. */
function* chunks(log: SimulatedLog, signal: AbortSignal | undefined): Generator<string> {
  let rows: string[] = [];
  for (const line of eventLines(log)) {
    if (rows.push(line) < CHUNK) continue;
    throwIfAborted(signal);
    yield rows.join('');
    rows = [];
  }
  yield rows.join('');
}
