/** The last step: models to take home, to try, and those that were made elsewhere. */
import { button, h, saveFile } from '../demo/dom';
import type { NamedBlob } from '../pipeline/blob-source';
import type { OpenedArchive } from './archives';
import { bytesOf, details, field, messages, row, section, select, table, tiles, whole } from './parts';
import type { Bench } from './protocol';
import type { Row } from './types';

/** What a shop's server sends with its pages, beside what it sends already. */
const POLICY =
  "Content-Security-Policy: default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; img-src 'self' data:";

interface ModelsSection {
  readonly element: HTMLElement;
  open(): void;
  add(row: Row): void;
  remove(name: string): void;
}

/** Makes the demo shop find a model, of an archive where it is none of the studio's own. @returns The address of the shop with it. */
export type Serve = (name: string, archive?: Blob) => Promise<string>;

interface Takeable {
  readonly name: string;
  readonly bytes: number;
  readonly hasReport: boolean;
  /** Whether the studio has made it. */
  readonly canDownload: boolean;
  readonly archive?: Blob;
}

/** How a model gets to a shop. */
function homeOf(
  { name, bytes, hasReport, canDownload, archive }: Takeable,
  bench: Bench,
  serve: Serve,
  notices: ReturnType<typeof messages>,
): HTMLElement {
  const attempt = (work: () => Promise<void>) => (): void => {
    notices.clear();
    work().catch(notices.fail);
  };
  const tag = `<script type="module" src="/aisle/embed.js" data-model-url="/models/${name}/"></script>\n<aisle-recommendations></aisle-recommendations>`;
  return h(
    'article',
    { class: 'run stack', 'aria-label': `Model ${name}` },
    h('h3', {}, name),
    h(
      'div',
      { class: 'acts' },
      canDownload &&
        button(
          attempt(async () => saveFile(`${name}.zip`, archive ?? (await bench.archive(name)))),
          'button small',
          `Download ${name}.zip, ${bytesOf(bytes)}`,
        ),
      canDownload &&
        hasReport &&
        button(
          attempt(async () => {
            const report = await bench.file(name, 'report.html');
            if (report === undefined) notices.add('info', `${name} has no report: nothing was measured.`);
            else saveFile(`${name}-report.html`, new Blob([report], { type: 'text/html' }));
          }),
          'button quiet small',
          'Download the report',
        ),
      button(
        attempt(async () => {
          // Opened at once: browsers block a window that comes later.
          const shop = window.open('', '_blank');
          const address = await serve(name, archive).catch((error: unknown) => {
            shop?.close();
            throw error;
          });
          if (shop) shop.location.href = address;
          else location.assign(address);
        }),
        'button quiet small',
        'Try it in the demo shop',
      ),
    ),
    h(
      'p',
      {},
      `Unpack it to /models/${name}/ of your site, and the embed’s folder to /aisle/.${hasReport ? ' Leave report.html out: it shows sessions of your log.' : ''}`,
    ),
    pasted('The tag', tag),
    pasted('The security policy, where your pages have one', POLICY),
  );
}

export function takeHomeSection(bench: Bench, serve: Serve): ModelsSection {
  const notices = messages();
  const list = h('div', {});
  const entries = new Map<string, HTMLElement>();
  const none = h(
    'p',
    { class: 'soft' },
    'Models that have been trained stand here, each as a folder of files for your server.',
  );
  const element = section('home', '4. Take it home', none, notices.element, list);

  return {
    element,
    open() {
      entries.clear();
      list.replaceChildren();
      none.hidden = false;
    },
    add(one) {
      if (one.isCounted) return;
      const { name, bytes = 0 } = one;
      const made = homeOf({ name, bytes, canDownload: true, hasReport: true }, bench, serve, notices);
      entries.get(one.name)?.remove();
      entries.set(one.name, made);
      list.append(made);
      none.hidden = true;
    },
    remove(name) {
      entries.get(name)?.remove();
      entries.delete(name);
      none.hidden = entries.size > 0;
    },
  };
}

/** A text to be copied. */
function pasted(label: string, text: string): HTMLElement {
  const copy = button(
    () => {
      navigator.clipboard.writeText(text).then(
        () => copy.replaceChildren('Copied'),
        () => copy.replaceChildren('Select it, and copy'),
      );
    },
    'button quiet small',
    'Copy',
  );
  copy.setAttribute('aria-label', `Copy: ${label}`);
  return h('div', { class: 'paste' }, h('p', {}, label), h('pre', { tabindex: 0, 'aria-label': label }, text), copy);
}

interface OpenSection {
  readonly element: HTMLElement;
  inspect(file: NamedBlob): Promise<void>;
  /** Weights of another program, with what they need, as far as it was dropped with them. */
  offer(files: readonly NamedBlob[]): Promise<void>;
}

/** Names of files with weights. */
export const WEIGHTS = /\.safetensors$/i;

/** Models that were made elsewhere. */
export function openSection(bench: Bench, references: readonly string[], serve: Serve): OpenSection {
  const notices = messages();
  const body = h('div', { class: 'stack' });
  const chosen = (label: string, hint: string) => {
    const input = h('input', { type: 'file' });
    return { input, element: field(label, input, hint) };
  };
  const archive = chosen('An artifact as a zip', 'made here, or from the folder of aisle train');
  archive.input.addEventListener('change', () => {
    const file = archive.input.files?.[0];
    if (file) void inspect({ name: file.name, blob: file });
  });
  const from = select(
    references.map((name) => ({ value: name, label: name })),
    references[0]!,
  );
  const weights = chosen('Weights', 'its state dict as safetensors');
  const config = chosen('Parameters', 'a JSON object, by its own names');
  const items = chosen('Item ids', 'a JSON list, or one a line, in the order of its rows');
  /** Weights, parameters and item ids, as in the fields. */
  let dropped: readonly (NamedBlob | undefined)[] = [];
  const start = button(() => void importNow(), 'button quiet', 'Import');
  const importing = details(
    'Weights of another program',
    h('div', { class: 'fields' }, field('Trained by', from), weights.element, config.element, items.element),
    h('p', {}, start),
  );
  const element = section('open', 'Open a model made elsewhere', archive.element, importing, notices.element, body);

  async function inspect(file: NamedBlob): Promise<void> {
    notices.clear();
    body.replaceChildren();
    try {
      const opened = await bench.inspect(file);
      const { summary: about, hasReport } = opened;
      const takeable = {
        name: addressable(about.name),
        bytes: about.bytes,
        hasReport,
        canDownload: false,
        archive: file.blob,
      };
      body.replaceChildren(summary(opened), homeOf(takeable, bench, serve, notices));
    } catch (error) {
      notices.fail(error);
    }
  }

  async function importNow(): Promise<void> {
    notices.clear();
    body.replaceChildren();
    const named = [weights, config, items].map(({ input }, i) => {
      const file = input.files?.[0];
      return file ? { name: file.name, blob: file } : dropped[i];
    });
    const [first, second, third] = named;
    if (!first || !second || !third) {
      notices.fail(new Error('Choose the weights, the parameters and the item ids.'));
      return;
    }
    start.disabled = true;
    try {
      const files = [first, second, third];
      const names = { from: from.value, weights: first.name, config: second.name, items: third.name };
      const run = `imported-${from.value}`;
      const imported = await bench.importWeights(files, names, run);
      const { archive } = imported;
      const takeable = { name: run, bytes: imported.summary.bytes, hasReport: false, canDownload: true, archive };
      body.replaceChildren(summary(imported), homeOf(takeable, bench, serve, notices));
    } catch (error) {
      notices.fail(error);
    } finally {
      start.disabled = false;
    }
  }

  return {
    element,
    inspect,
    async offer(files) {
      const others = files.filter(({ name }) => !WEIGHTS.test(name));
      const isObject = await Promise.all(
        others.map(async ({ blob }) => /^\s*\{/.test(await blob.slice(0, 100).text())),
      );
      dropped = [
        files.find(({ name }) => WEIGHTS.test(name)),
        others.find((_, i) => isObject[i]),
        others.find((_, i) => !isObject[i]),
      ];
      const found = ['weights', 'parameters', 'item ids'].flatMap((what, i) =>
        dropped[i] ? [`${what} from ${dropped[i].name}`] : [],
      );
      importing.open = true;
      notices.clear();
      body.replaceChildren();
      notices.add('info', `Taken: ${found.join(', ')}. Say who trained them, and choose what is missing.`);
      element.scrollIntoView();
    },
  };
}

/** A name as it can be in addresses, and of a folder. */
const addressable = (name: string): string => name.replace(/[^\w.-]+/g, '-').replace(/^\.+/, '') || 'model';

function summary({ summary: about, hasReport }: OpenedArchive): HTMLElement {
  const { name, version, architecture, items, parameters, events, bytes, products, licence, modelCard, tensors } =
    about;
  return h(
    'div',
    { class: 'stack' },
    h('h3', {}, `${name} ${version}`),
    tiles([
      ['architecture', architecture],
      ['items', whole(items)],
      ['weights', whole(parameters)],
      ...(events > 0 ? [['events it has learnt from', whole(events)] as const] : []),
      ['files', bytesOf(bytes)],
      ...(products === undefined ? [] : [['products', whole(products)] as const]),
      ['licence', licence],
    ]),
    h(
      'p',
      { class: 'soft' },
      `Every file is whole, and every weight is there.${hasReport ? ' It has a report, which shows sessions of the log.' : ''}`,
    ),
    details('Model card', h('pre', { tabindex: 0, 'aria-label': 'Model card' }, modelCard)),
    details(
      'Tensors',
      table(
        'Tensors',
        ['name', 'type', 'shape'],
        tensors.map((tensor) => row(tensor.name, tensor.type, tensor.shape.join(' × '))),
      ),
    ),
  );
}
