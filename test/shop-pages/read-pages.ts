/** Opens pages of the corpus with the built embed and a model of their vocabulary, and says which events are known afterwards. */
import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { Browser, Page, Route } from 'playwright-core';
import type {} from '../../src/ui/embed';
import { built } from '../build/built';
import { type Folder, folderOf, smallModel } from '../engine/fixture';
import { type EventName, type KnownItem, ORIGIN, type ShopPage, scriptOf, TAG_PLACE } from './page';

/** Pages that are open at one time. */
const SIDE_BY_SIDE = 6;
/** Milliseconds that a page has after its last step: changes are gathered for 200, a data layer is looked for every 300. */
const AFTERWARDS = 700;
const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.json': 'application/json' };

type Event = ShopPage['expected'][number];

export interface PageResult {
  readonly page: ShopPage;
  /** What the model gets, in order. */
  readonly events: readonly Event[];
  /** Expected events that are missing, and events that are not expected. */
  readonly missing: readonly Event[];
  readonly wrong: readonly Event[];
  /** Errors that reached the window or the console. */
  readonly errors: readonly string[];
}

/** A folder with a counting model of these items. */
async function modelOf(vocabulary: readonly KnownItem[]): Promise<Folder> {
  const aliases = new Map(
    vocabulary.map(({ id, aliases, group }) => [id, { ...(aliases && { also: aliases }), ...(group && { group }) }]),
  );
  return folderOf(await smallModel({ architecture: 'pop', itemIds: vocabulary.map(({ id }) => id), aliases }));
}

/** @returns A result for each page, in their order. */
export async function readPages(browser: Browser, pages: readonly ShopPage[]): Promise<PageResult[]> {
  const context = await browser.newContext();
  const results: PageResult[] = [];
  const queue = [...pages.entries()];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [k, page] = next;
      const opened = await context.newPage();
      results[k] = await readPage(opened, page, `http://p${k}.localhost`);
      await opened.close();
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
  await context.close();
  return results;
}

async function readPage(opened: Page, page: ShopPage, origin: string): Promise<PageResult> {
  const here = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll(ORIGIN, origin)) as T;
  const { html, url, tag, steps, vocabulary } = here(page);
  const folder = await modelOf(vocabulary);
  const script = `<script type="module" src="/aisle/embed.js" data-model-url="/model/" data-backend="cpu" ${tag.attributes}></script>`;
  const document = html.replace(TAG_PLACE, () => (tag.at === 0 ? script : ''));
  const errors: string[] = [];
  opened.on('pageerror', (error) => errors.push(error.message));
  opened.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())));
  await opened.route('**', (route) => answer(route, url, document, folder));
  const later = steps.map((step) => `setTimeout(() => { ${scriptOf(step)} }, ${step.at});`);
  if (tag.at > 0) {
    const add = `const place = document.createElement('template');
      place.innerHTML = ${JSON.stringify(script)};
      const tag = document.createElement('script');
      for (const { name, value } of place.content.firstChild.attributes) tag.setAttribute(name, value);
      document.head.append(tag);`;
    later.push(`setTimeout(() => { ${add} }, ${tag.at});`);
  }
  const end = Math.max(tag.at, ...steps.map(({ at }) => at), 0) + AFTERWARDS;
  later.push(`setTimeout(() => { globalThis.isOver = true; }, ${end});`);
  // On a busy machine the embed comes late: a page that goes on by itself waits for it.
  const begin = tag.at > 0 ? 'true' : 'globalThis.aisle?.recommender';
  await opened.addInitScript(`addEventListener('load', function begin() {
    if (!(${begin})) return void setTimeout(begin, 10);
    ${later.join('\n')}
  });`);
  await opened.goto(origin + url);
  await opened.waitForFunction('globalThis.isOver && globalThis.aisle?.ready', undefined, { timeout: 60_000 });
  const known = await opened.evaluate(async () => {
    const recommender = await globalThis.aisle.ready;
    await recommender!.recommend({ k: 1 }); // the model has been asked about every event
    await new Promise((settled) => setTimeout(settled, 50));
    const { sessions } = await recommender!.privacy.export();
    return sessions.flat().map(({ event, itemId }) => ({ event: event as EventName, id: itemId }));
  });
  const ids = new Set(vocabulary.map(({ id }) => id));
  const events = known.filter(({ id }) => ids.has(id));
  const expected = here(page.expected);
  const missing = without(expected, events);
  const isComplete = missing.length === 0 && events.length === expected.length;
  const isSorted = JSON.stringify(events.map(keyOf)) === JSON.stringify(expected.map(keyOf));
  // Events in another order are all wrong.
  return { page, events, missing, wrong: isComplete && !isSorted ? events : without(events, expected), errors };
}

const keyOf = ({ event, id }: Event): string => JSON.stringify([event, id]);

/** The events that are not among the others, each of which counts once. */
function without(events: readonly Event[], others: readonly Event[]): Event[] {
  const left = others.map(keyOf);
  return events.filter((event) => {
    const at = left.indexOf(keyOf(event));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

async function answer(route: Route, url: string, document: string, folder: Folder): Promise<void> {
  const { pathname } = new URL(route.request().url());
  if (route.request().isNavigationRequest()) return route.fulfill({ body: document, contentType: 'text/html' });
  const contentType = TYPES[extname(pathname)] ?? 'application/octet-stream';
  const [, root, ...rest] = pathname.split('/');
  if (root === 'aisle') return route.fulfill({ body: readFileSync(join(built('embed'), ...rest)), contentType });
  const file = root === 'model' ? folder.get(rest.join('/')) : undefined;
  return file ? route.fulfill({ body: Buffer.from(file), contentType }) : route.fulfill({ status: 404, body: url });
}

/** What came out, as a test and a table ask for it. */
export function summaryOf(results: readonly PageResult[]) {
  const withView = results.filter(({ page }) => page.expected.some(({ event }) => event === 'view'));
  const isComplete = ({ missing, wrong }: PageResult) => missing.length + wrong.length === 0;
  return {
    pages: results.length,
    /** Pages that show a known product, and those of them where it is found. */
    withView: withView.length,
    found: withView.filter(({ missing }) => !missing.some(({ event }) => event === 'view')).length,
    wrong: results.filter(({ wrong }) => wrong.length > 0).length,
    complete: results.filter(isComplete).length,
    /** One line for each page that is not as expected. */
    misses: results.filter((result) => !isComplete(result)).map(lineOf),
    errors: results.flatMap(({ page, errors }) => errors.map((error) => `${page.name}: ${error}`)),
  };
}

const text = (events: readonly Event[]): string =>
  events.map(({ event, id }) => `${event} ${id.slice(0, 60)}`).join(', ') || 'nothing';
const lineOf = ({ page, events, missing, wrong }: PageResult): string =>
  `${page.name}: missing ${text(missing)}; wrong ${text(wrong)}; got ${text(events)}`;
