/** The doctor's panel: findings, the facts behind them, and the report to copy. For the shop's engineers, in English. */
import type { Host } from '../types';
import { countsOf } from './findings';
import { CSS } from './sheet';
import type { Examination, Finding } from './types';

export interface Panel {
  readonly isOpen: boolean;
  show(found: Examination): void;
}

const SEVERITIES = { error: 'Error', warning: 'Warning', ok: 'OK' } as const;

/** @param again Called when the panel is to be filled again. */
export function openPanel(host: Host, again: () => Promise<unknown>): Panel {
  const { node } = host;
  const text = (tag: string, words: string, attributes = {}) => {
    const element = node(tag, attributes);
    element.textContent = words;
    return element;
  };
  const button = (words: string, act: () => unknown) => {
    const element = text('button', words, { type: 'button' });
    element.addEventListener('click', () => host.guard('The doctor', act));
    return element;
  };
  const body = node('div', { class: 'body', tabindex: '0', role: 'group', 'aria-label': 'Findings' });
  const said = text('span', 'Looking…', { class: 'said', role: 'status' });
  const heading = text('h2', 'Aisle: doctor', { id: 'heading', tabindex: '-1' });
  const section = node(
    'section',
    { role: 'dialog', 'aria-labelledby': 'heading', lang: 'en', dir: 'ltr' },
    node('header', {}, heading, button('Close', close)),
    body,
    node('footer', {}, button('Copy report', copy), button('Check again', checkAgain), said),
  );
  const element = node('aisle-doctor', {});
  const root = element.attachShadow({ mode: 'open' });
  root.append(section);
  host.applyStyles(root, CSS);
  const before = document.activeElement;
  document.body.append(element);
  heading.focus();
  section.addEventListener('keydown', ({ key }) => {
    if (key === 'Escape') close();
  });
  let report = '';
  let shown = '';

  function close(): void {
    element.remove();
    (before as HTMLElement | null)?.focus?.();
  }
  function checkAgain(): unknown {
    getSelection()?.removeAllRanges();
    return again();
  }
  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(report);
      said.textContent = 'The report is in the clipboard.';
    } catch {
      const pre = root.querySelector('pre')!;
      pre.closest('details')!.open = true;
      getSelection()?.selectAllChildren(pre);
      pre.scrollIntoView();
      said.textContent = 'The browser does not let it be copied: the text is selected.';
    }
  }

  /** Whether someone is about to copy the report: what is drawn again is no longer selected. */
  const isSelected = () => report !== '' && String(getSelection()).trim() === report.trim();

  const item = ({ severity, what, todo, detail }: Finding) =>
    node(
      'li',
      { class: severity },
      node('p', {}, text('span', `${SEVERITIES[severity]}: `, { class: 'severity' }), new Text(what)),
      ...(todo === undefined ? [] : [text('p', todo)]),
      ...(detail === undefined ? [] : [text('p', detail, { class: 'detail' })]),
    );
  const facts = (title: string, rows: readonly (readonly [name: string, value: string])[]) =>
    rows.length === 0
      ? []
      : [text('h3', title), node('dl', {}, ...rows.flatMap(([name, value]) => [text('dt', name), text('dd', value)]))];

  function draw(found: Examination): void {
    const { product, dataLayer, ids, consent, engine, model, catalogue, slots, storage, files } = found;
    const wasOpen = root.querySelector('details')?.open ?? false;
    const details = node('details', {}, text('summary', 'The report, as it is copied'), text('pre', found.report));
    details.toggleAttribute('open', wasOpen);
    body.replaceChildren(
      node('ul', {}, ...found.findings.map(item)),
      ...facts('Product', [
        ...product.candidates.map(({ kind, source, id, item }, i): [string, string] => [
          `${i + 1}. ${kind}, ${source}`,
          `${id} → ${item ?? 'unknown'}`,
        ]),
        [
          'Item of the model',
          product.item ?? (product.nearest === undefined ? 'none' : `none; it has ${product.nearest}, …`),
        ],
        [
          'Data layer',
          list(
            dataLayer.events.map(({ event, ids }) => `${event} ${ids.join(' ')}`),
            `${dataLayer.others} other entries`,
          ),
        ],
        ['Ids of this session', `${ids.known} known, ${ids.unknown} unknown ${ids.examples.join(', ')}`],
      ]),
      ...facts('Consent', [
        ['Answer', consent.answer],
        ...Object.entries(consent.by).map(([source, word]): [string, string] => [source, word]),
        ...Object.entries(consent.types).map(([name, { update, default: first }]): [string, string] => [
          name,
          update === undefined ? `${first} by default` : `${update} by an update`,
        ]),
        [
          'Visits are kept',
          { indexeddb: 'in IndexedDB', memory: 'in the page’s memory', idle: 'in IndexedDB, soon' }[storage],
        ],
      ]),
      ...facts('Engine', [
        ['Backend', engine === undefined ? 'none' : `${engine.backend}, ${engine.thread}: ${engine.why}`],
        [
          'Model',
          model === undefined ? 'none' : `${model.name} ${model.version}, ${model.architecture}, ${model.items} items`,
        ],
        [
          'Catalogue',
          catalogue === undefined
            ? 'none'
            : `${catalogue.products} products; ${catalogue.soldOut} not available, ${catalogue.leftOut} left out by the page, ` +
              `${catalogue.withoutLink} without a link that is allowed, ${catalogue.sameLink} with a link to the page of another`,
        ],
        [
          'Loaded',
          `${files.count} files, ${kilobytes(files.bytes)} over the wire, ${kilobytes(files.decodedBytes)} as they are`,
        ],
        ['Blocked', list(found.violations.map(({ directive, blocked }) => `${directive}: ${blocked}`))],
      ]),
      ...facts(
        'Slots',
        slots.map(({ state, strategy, variant, asked, shown }, i) => [
          `${i + 1}. ${strategy}${variant === undefined ? '' : `, by the variant ${variant}`}`,
          `${state}, ${shown} of ${asked}`,
        ]),
      ),
      ...facts(
        'Degraded',
        found.degraded.map(({ code, message, since }) => [code, `${message} (since ${new Date(since).toISOString()})`]),
      ),
      ...facts(
        'Console',
        found.console.map((line, i) => [`${i + 1}`, line]),
      ),
      details,
    );
  }

  return {
    get isOpen() {
      return element.isConnected;
    },
    show(found) {
      const next = JSON.stringify(found);
      if (next === shown || isSelected()) return;
      shown = next;
      report = found.report;
      draw(found);
      said.textContent = countsOf(found.findings);
    },
  };
}

const list = (words: readonly string[], last?: string): string =>
  [...words, ...(last === undefined ? [] : [last])].join('; ') || 'none';
const kilobytes = (bytes: number): string => `${Math.round(bytes / 1000).toLocaleString('en')} kB`;
