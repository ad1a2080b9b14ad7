import { type EventLog, sessionCount } from './event-log';
import { COLUMNS } from './options';

/** Characters of one piece of output. */
export const PIECE = 1 << 16;

/**
 * A log as an events file of tab-separated values, in pieces of UTF-8: `readText` gives the same log back, ids byte for
 * byte. Times are in seconds. Where an id holds a tab or a line break, or starts with a quote, fields are quoted as in
 * RFC 4180 and so are the names in the header, which tells a reader that quotes are no plain text here.
 */
export function* writeTsv(log: EventLog): Generator<Uint8Array> {
  const { items, times, offsets } = log.sessions;
  const { userIds, events, eventNames } = log;
  const features = [...(log.features ?? [])];
  const taken = new Set<string>(Object.values(COLUMNS));
  const featureNames = features.map(([name]) => freeName(name, taken));
  const names = [
    COLUMNS.session,
    COLUMNS.item,
    COLUMNS.time,
    ...(userIds ? [COLUMNS.user] : []),
    ...(events ? [COLUMNS.event] : []),
    ...featureNames,
  ];
  const texts = [
    log.itemIds,
    log.sessionIds,
    userIds ?? [],
    eventNames ?? [],
    featureNames,
    ...features.map(([, f]) => f.names),
  ];
  const quoted = texts.some((list) => list.some((text) => SPECIAL.test(text)));
  const cell = quoted ? quoteSpecial : (text: string): string => text;
  const itemCells = log.itemIds.map(cell);
  const eventCells = (eventNames ?? []).map(cell);
  const featureCells = features.map(([, { names: values }]) => values.map(cell));

  const encoder = new TextEncoder();
  let text = `${names.map((name) => (quoted ? `"${name.replaceAll('"', '""')}"` : name)).join('\t')}\n`;
  for (let s = 0; s < sessionCount(log); s++) {
    const session = cell(log.sessionIds[s]!);
    const user = userIds ? `\t${cell(userIds[s]!)}` : '';
    for (let e = offsets[s]!; e < offsets[s + 1]!; e++) {
      text += `${session}\t${itemCells[items[e]! - 1]}\t${times[e]}${user}`;
      if (events) text += `\t${eventCells[events[e]!]}`;
      for (let f = 0; f < features.length; f++) text += `\t${featureCells[f]![features[f]![1].codes[e]!]}`;
      text += '\n';
    }
    if (text.length >= PIECE) {
      yield encoder.encode(text);
      text = '';
    }
  }
  if (text !== '') yield encoder.encode(text);
}

/** What would be read as something else in a file without quoting. */
export const SPECIAL = /[\t\n\r]|^"/;

export function quoteSpecial(text: string): string {
  return /[\t\n\r"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A feature may bear the name of a known column where `--columns` took another for that one. */
function freeName(name: string, taken: Set<string>): string {
  let free = name;
  for (let k = 2; taken.has(free); k++) free = `${name}_${k}`;
  taken.add(free);
  return free;
}
