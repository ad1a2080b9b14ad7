/** The file of ranks that an evaluation writes: one line for each prediction. */
import { open } from 'node:fs/promises';
import { RecommenderError } from '../../errors';
import type { EventLog } from '../../session/event-log';
import { PIECE, quoteSpecial, SPECIAL } from '../../session/write';
import type { RankRow } from '../../train/evaluate';
import { systemCodeOf } from '../errors';
import { refuseInsideModel } from './artifact-folder';
import { checkWritable, dirname, pieces, replaceable, replaceFile } from './disk';

/** One prediction: its session's id in the file, the position seen last, the target's id, its conservative rank. */
export interface Rank {
  readonly session: string;
  readonly position: number;
  readonly item: string;
  readonly rank: number;
}

const COLUMNS = ['session_id', 'position', 'item_id', 'rank'];

/**
 * Writes ranks as tab-separated values, `session_id position item_id rank`: the position of the last event seen, from 0, the
 * target, and its conservative rank. If an id holds tabs or line breaks, such ids and the header are quoted as in RFC 4180. The
 * file is written whole or not at all.
 *
 * @param log The log that was evaluated.
 * @throws RecommenderError `io` if the disk refuses.
 */
export async function writeRanks(path: string, rows: readonly RankRow[], log: EventLog): Promise<void> {
  await replaceFile(path, pieces(lines(rows, log)));
}

/**
 * Checks that `writeRanks` can write there. Call it before the work.
 *
 * @throws RecommenderError `bad-input` if the folder is missing or may not be written to, or `path` is there and is no file of ranks.
 */
export async function checkRanksPath(path: string): Promise<void> {
  const refuse = (why: string, cause?: unknown): RecommenderError =>
    new RecommenderError('bad-input', `\`ranks\` ${path}: ${why}`, { cause });
  const folder = dirname(path);
  try {
    await checkWritable(folder);
  } catch (error) {
    const missing = systemCodeOf(error) === 'ENOENT';
    const what = missing ? 'there is no such folder' : `the folder cannot be written to (${systemCodeOf(error)})`;
    throw refuse(`${what}; ${missing ? 'make it first' : 'choose another'}.`, error);
  }
  await refuseInsideModel(path, 'a file');
  await replaceable(path);
  const file = await open(path).catch(() => undefined);
  if (!file) return;
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(64));
    const [header] = buffer.toString('utf8', 0, bytesRead).replaceAll('"', '').split('\n');
    if (bytesRead > 0 && header !== COLUMNS.join('\t')) {
      throw refuse('it holds something else than ranks, and is left alone; name another file.');
    }
  } finally {
    await file.close();
  }
}

function* lines(rows: readonly RankRow[], { sessionIds, itemIds }: EventLog): Generator<string> {
  const quoted = rows.some(({ session, target }) =>
    [sessionIds[session]!, itemIds[target - 1]!].some((id) => SPECIAL.test(id)),
  );
  const cell = quoted ? quoteSpecial : (text: string) => text;
  let text = `${COLUMNS.map((name) => (quoted ? `"${name}"` : name)).join('\t')}\n`;
  for (const { session, position, target, rank } of rows) {
    text += `${cell(sessionIds[session]!)}\t${position}\t${cell(itemIds[target - 1]!)}\t${rank}\n`;
    if (text.length >= PIECE) {
      yield text;
      text = '';
    }
  }
  if (text !== '') yield text;
}

/** The ranks in the text of a file that `writeRanks` wrote. */
export function parseRanks(text: string): Rank[] {
  return tsvRows(text)
    .slice(1)
    .map(([session, position, item, rank]) => ({
      session: session!,
      position: Number(position),
      item: item!,
      rank: Number(rank),
    }));
}

function tsvRows(text: string): string[][] {
  if (!text.startsWith('"')) return text.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')]));
  const rows: string[][] = [[]];
  // A quoted or plain cell, and its delimiter.
  for (const [, quotedCell, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^\t\n"]*))(\t|\n)/g)) {
    rows.at(-1)!.push(quotedCell === undefined ? plain! : quotedCell.replaceAll('""', '"'));
    if (end === '\n') rows.push([]);
  }
  return rows.slice(0, -1);
}
