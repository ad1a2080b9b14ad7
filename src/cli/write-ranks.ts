/** The file of `aisle evaluate --ranks`: one line per prediction. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { EventLog } from '../session/event-log';
import type { RankRow } from '../train/evaluate';

const COLUMNS = ['session_id', 'position', 'item_id', 'rank'];
/** Characters of one piece of output. */
const PIECE = 1 << 16;
/** What a reader of tab-separated values would take for something else. */
const SPECIAL = /[\t\n\r]|^"/;

/**
 * Writes ranks as tab-separated values, `session_id position item_id rank`; the position is that of the last event seen,
 * from 0, the item the target, the rank conservative. Ids that hold tabs or line breaks are quoted as in RFC 4180, and
 * then so are the names in the header. Written under another name first and renamed, so the file is whole or not there.
 *
 * @param log The log that was evaluated.
 * @throws Errors of the disk as Node reports them.
 */
export async function writeRanks(path: string, rows: readonly RankRow[], log: EventLog): Promise<void> {
  const draft = `${path}.part`;
  try {
    await pipeline(Readable.from(lines(rows, log)), createWriteStream(draft));
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

function* lines(rows: readonly RankRow[], { sessionIds, itemIds }: EventLog): Generator<string> {
  const quoted = rows.some(({ session, target }) =>
    [sessionIds[session]!, itemIds[target - 1]!].some((id) => SPECIAL.test(id)),
  );
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const cell = (text: string) => (quoted && /[\t\n\r"]/.test(text) ? quote(text) : text);
  let text = `${COLUMNS.map((name) => (quoted ? quote(name) : name)).join('\t')}\n`;
  for (const { session, position, target, rank } of rows) {
    text += `${cell(sessionIds[session]!)}\t${position}\t${cell(itemIds[target - 1]!)}\t${rank}\n`;
    if (text.length >= PIECE) {
      yield text;
      text = '';
    }
  }
  if (text !== '') yield text;
}
