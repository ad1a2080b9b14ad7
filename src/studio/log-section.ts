/** The first step: which log, how it is read, and what it is like. */
import { button, h, textOf } from '../demo/dom';
import type { NamedBlob } from '../pipeline/blob-source';
import type { LogShape } from '../pipeline/log-shape';
import type { FileSummary } from '../pipeline/read-events';
import type { ReadOptions, COLUMNS as USUAL_COLUMNS } from '../session/options';
import type { Preview } from '../session/preview';
import { COLUMNS, FIELDS, SESSIONS, wholeNumber } from './fields';
import { details, field, messages, percent, progressBar, section, select, table, tiles, whole } from './parts';
import { barPlot, linePlot } from './plots';
import type { Bench } from './protocol';
import type { LogState } from './types';

type Column = keyof typeof COLUMNS;
const COLUMN_NAMES = Object.keys(COLUMNS) as Column[];
/** What a file calls them where nothing need be said. */
const USUAL: typeof USUAL_COLUMNS = {
  session: 'session_id',
  item: 'item_id',
  time: 'timestamp',
  user: 'user_id',
  event: 'event',
};

/** Reads files. @param onBadRow Called where a row is refused, and more of them may be passed over. */
type Read = (
  files: readonly NamedBlob[],
  options: () => ReadOptions,
  products: NamedBlob | undefined,
  onBadRow: () => void,
) => Promise<void>;

interface LogSection {
  readonly element: HTMLElement;
  /** Shows the first rows of files, to be read. */
  choose(files: readonly NamedBlob[]): Promise<void>;
  /** Shows a log that was read before. */
  show(state: LogState): void;
  readonly messages: ReturnType<typeof messages>;
  readonly progress: ReturnType<typeof progressBar>;
}

/**
 * @param mayReplace Whether what belongs to the log that is open may go: the visitor is asked.
 * @param onRead Called with a log that was read.
 * @param onFiles Called with files that were chosen: a log, or models.
 */
export function logSection(
  bench: Bench,
  mayReplace: () => Promise<boolean>,
  onRead: (state: LogState) => void,
  onFiles: (files: readonly File[]) => void,
): LogSection {
  const notices = messages();
  const progress = progressBar();
  const body = h('div', { class: 'stack' });
  const input = h('input', {
    type: 'file',
    id: 'log-files',
    class: 'unseen',
    multiple: true,
    on: {
      change: () => {
        onFiles([...(input.files ?? [])]);
        input.value = ''; // the same file may be chosen again
      },
    },
  });
  const drop = h(
    'div',
    { class: 'drop' },
    input,
    h('label', { for: 'log-files', class: 'button' }, 'Choose a log'),
    h(
      'p',
      {},
      'or drop it anywhere on this page: CSV, TSV, JSON lines or Parquet, also as .gz. One row for each click.',
    ),
    h('p', { class: 'soft' }, 'It is read here, in this tab. Nothing is uploaded.'),
  );
  const element = section('log', '1. Your log', drop, progress.element, notices.element, body);

  async function choose(files: readonly NamedBlob[]): Promise<void> {
    notices.clear();
    body.replaceChildren();
    try {
      const preview = await bench.preview(files);
      body.replaceChildren(readingForm(files, preview, read));
    } catch (error) {
      notices.fail(error);
    }
  }

  const read: Read = async (files, options, products, onBadRow) => {
    notices.clear();
    try {
      const choice = { files, read: options(), products };
      if (!(await mayReplace())) return;
      const state = await bench.read(choice);
      show(state);
      onRead(state);
    } catch (error) {
      const text = textOf(error);
      const isBadRow = files.some(
        ({ name }) => text.startsWith(`${name}:`) && /^\d+: /.test(text.slice(name.length + 1)),
      );
      if (isBadRow) onBadRow();
      const how = ` To read on, say how many such rows may be left out, under \`skipBadRows\`.`;
      notices.fail(isBadRow ? new Error(text + how) : error);
    } finally {
      progress.hide();
    }
  };

  function show({ name, summary, shape, heldOut, products }: LogState): void {
    const parts = [name, ...(products === undefined ? [] : [`products of ${products}`])];
    const held = heldOut
      ? `The last tenth of the sessions is held out: ${whole(heldOut.predictions)} clicks in ${whole(heldOut.sessions)} sessions to be predicted.`
      : 'The log is too small to hold sessions out: models are trained on all of it, and not measured.';
    body.replaceChildren(h('p', { class: 'lead' }, parts.join(', ')), ...figuresOf(summary, shape), h('p', {}, held));
  }

  return { element, choose, show, messages: notices, progress };
}

function readingForm(files: readonly NamedBlob[], { names, rows, columns, events }: Preview, read: Read): HTMLElement {
  const none = { value: '', label: '—' };
  const choices = [none, ...names.map((name) => ({ value: name, label: name }))];
  const picked = Object.fromEntries(
    COLUMN_NAMES.map((column) => [column, select(choices, columns?.[column] ?? '')]),
  ) as Record<Column, HTMLSelectElement>;
  const bySession = columns?.session === undefined && columns?.user !== undefined ? 'gap' : 'id';
  const sessions = select(
    Object.entries(SESSIONS).map(([value, label]) => ({ value, label })),
    bySession,
  );
  const kinds = h('input', { type: 'text', placeholder: 'all', autocomplete: 'off' });
  const support = h('input', { type: 'number', min: 1, value: 1 });
  const collapse = h('input', { type: 'checkbox' });
  const skip = h('input', { type: 'number', min: 0, value: 0 });
  const feed = h('input', { type: 'file' });
  const more = details(
    'More',
    h(
      'div',
      { class: 'fields' },
      field(FIELDS.events, kinds, 'separated by commas, such as view, cart'),
      field(FIELDS.minSupport, support),
      field(FIELDS.skipBadRows, skip),
      h('label', { class: 'check' }, collapse, 'Count a click that repeats the one before once'),
    ),
  );
  const start = button(() => void submit(), 'button', 'Read the log');
  function chosenOptions(): ReadOptions {
    const named = COLUMN_NAMES.flatMap((column) => {
      const { value } = picked[column];
      const usual = USUAL[column];
      return value === (names.includes(usual) ? usual : '') ? [] : [[column, value] as const];
    });
    const wanted = kinds.value
      .split(',')
      .map((kind) => kind.trim())
      .filter((kind) => kind !== '');
    const fewest = wholeNumber(support, FIELDS.minSupport, 1) ?? 1;
    const bad = wholeNumber(skip, FIELDS.skipBadRows, 0) ?? 0;
    return {
      ...(columns && named.length > 0 && { columns: Object.fromEntries(named) }),
      ...(columns && sessions.value === 'gap' && { sessionsBy: { by: 'gap', minutes: 30 } as const }),
      ...(columns && sessions.value === 'user' && { sessionsBy: { by: 'user' } as const }),
      ...(wanted.length > 0 && { events: wanted }),
      ...(fewest > 1 && { minSupport: fewest }),
      ...(bad > 0 && { skipBadRows: bad }),
      ...(collapse.checked && { collapseRepeats: true }),
    };
  }
  async function submit(): Promise<void> {
    const products = feed.files?.[0];
    start.disabled = true;
    await read(files, chosenOptions, products && { name: products.name, blob: products }, () => {
      more.open = true;
    });
    start.disabled = false;
  }
  const isOf = (name: string) => COLUMN_NAMES.find((column) => columns?.[column] === name);
  const head = names.map((name) => {
    const column = isOf(name);
    return column ? `${name} (${COLUMNS[column].toLowerCase()})` : name;
  });
  return h(
    'div',
    { class: 'stack' },
    h('h3', {}, `${files.map(({ name }) => name).join(', ')}: about ${whole(events)} rows`),
    table(
      'First rows',
      head,
      rows.map((cells) => h('tr', {}, ...cells.map((cell) => h('td', { class: 'cell' }, cell)))),
    ),
    columns
      ? h(
          'fieldset',
          { class: 'fields' },
          h('legend', {}, 'Columns'),
          ...COLUMN_NAMES.map((column) => field(COLUMNS[column], picked[column])),
          field(FIELDS.sessionsBy, sessions),
        )
      : h(
          'p',
          {},
          'An export of Google Analytics 4: sessions, items and kinds of events are read from it as they are.',
        ),
    more,
    field(
      FIELDS.catalogue,
      feed,
      'catalogue.json, a table with item_id, or a feed: Merchant Center, Shopify, WooCommerce, Magento',
    ),
    h('p', {}, start),
  );
}

function figuresOf(summary: FileSummary, { time: periods, itemSessions }: LogShape): HTMLElement[] {
  const { length, popularity, repeats, time, eventKinds, users } = summary;
  const day = (seconds: number): string => new Date(1000 * seconds).toISOString().slice(0, 10);
  const span = ({ from, to }: { readonly from: number; readonly to?: number }): string =>
    to === undefined ? `${whole(from)} and more` : to === from ? whole(from) : `${whole(from)}–${whole(to)}`;
  const plots = [
    ...(periods && periods.events.length > 1
      ? [
          linePlot(
            `Events of each ${periods.period}`,
            [{ name: 'events', points: periods.events.map((events, i) => [i + 1, events] as const) }],
            `${periods.period}s since ${day(time!.first)}`,
          ),
        ]
      : []),
    barPlot(
      'Clicks of a session',
      length.distribution.map((bar) => ({ label: span(bar), value: bar.sessions, text: whole(bar.sessions) })),
    ),
    barPlot(
      'Events of the most clicked items',
      popularity.top.map(({ share, events }) => ({
        label: `top ${percent(share)}`,
        value: events,
        text: percent(events),
      })),
    ),
    barPlot(
      'Items by their sessions',
      itemSessions.map((bar) => ({ label: span(bar), value: bar.items, text: whole(bar.items) })),
    ),
    barPlot(
      'What is clicked next in a session',
      (
        [
          ['the same item', repeats.immediate],
          ['an earlier one', repeats.seen - repeats.immediate],
          ['a new one', 1 - repeats.seen],
        ] as const
      ).map(([label, value]) => ({ label, value, text: percent(value) })),
    ),
    ...(eventKinds.length > 1
      ? [
          barPlot(
            'Kinds of events',
            eventKinds.map(({ name, events }) => ({ label: name, value: events, text: whole(events) })),
          ),
        ]
      : []),
  ];
  return [
    tiles([
      ['events', whole(summary.events)],
      ['sessions', whole(summary.sessions)],
      ['items', whole(summary.items)],
      ...(users === undefined ? [] : [['users', whole(users)] as const]),
      ['clicks of a session', `${length.mean.toFixed(1)} (median ${length.median})`],
      ...(time ? [['time', `${day(time.first)} to ${day(time.last)}`] as const] : []),
      ['items with less than 5 events', whole(popularity.itemsBelowFiveEvents)],
    ]),
    h('div', { class: 'plots' }, ...plots),
  ];
}
