/** What `embed.js` loads on demand: the recommender of the page, its commands, its readers and its slots. */
import { createRecommender } from '../recommender';
import { didYouMean } from '../recommender/arguments';
import type { Recommender, Status } from '../recommender/types';
import { optionsOfTag, partOptions } from './options';
import { type PageItem, pageItem } from './page-item';
import { type PageEvent, readDataLayer } from './readers/data-layer';
import { productOfPage } from './readers/json-ld';
import type { Commands, EmbedOptions, Host, PageOptions } from './types';
import { createView } from './view';

/** What runs after a start, until the next one. */
interface Running {
  readonly recommender: Recommender;
  readonly options: PageOptions;
  readonly item: PageItem;
  stop(): void;
}

/** The privacy panel, whose code is loaded only if a page has one. */
const PANEL = 'aisle-privacy';
/** Most commands that wait for a recommender, which may never come. */
const MAX_WAITING = 1000;

export function startPage(host: Host): void {
  const { aisle } = host;
  let { settle } = host;
  let hasStarted = false;
  /** Whether `aisle.ready` is settled: then the next start makes another one. */
  let isSettled = false;
  /** Counts starts and stops: a start that was overtaken does not open. */
  let turn = 0;
  let running: Running | undefined;
  /** The product in the page's JSON-LD when it was last read. */
  let described: string | undefined;
  /** Commands that came before there is a recommender, in their order. */
  const waiting: (() => void)[] = [];
  /** Updates the elements that show what is known of the visitor. */
  const panels = new Set<() => void>();
  const view = createView(host, () => running && { ...running, pageItem: running.item.get });

  function track(event: Parameters<Recommender['track']>[0]): void {
    const { recommender, item } = running!;
    const report = typeof event === 'object' && event !== null ? event : { itemId: event };
    const { itemId, event: kind = 'view', time } = report;
    // An event with a time of its own is an earlier one.
    recommender.track(time === undefined ? { pageView: item.view(), ...report } : report);
    if (kind === 'view' && time === undefined) item.set(itemId);
    view.refreshSoon('asked');
    updatePanels();
  }
  function updatePanels(): void {
    for (const update of panels) update();
  }
  async function ask<T>(answer: Promise<T>): Promise<T> {
    const result = await answer;
    view.refreshSoon('asked');
    return result;
  }
  const commands: { readonly [C in keyof Commands]: (...args: Commands[C]) => unknown } = {
    start,
    track,
    consent: (answer) => ask(running!.recommender.privacy.consent(answer)),
    erase: () => ask(running!.recommender.privacy.erase()),
    pause: () => running!.recommender.privacy.pause(),
    resume: () => running!.recommender.privacy.resume(),
    on: (...args) => void running!.recommender.on(...(args as Parameters<Recommender['on']>)),
    page: () => readPage(),
    refresh: () => view.refreshSoon('asked'),
    stop() {
      end();
      view.failAll('disposed');
      settled(undefined);
    },
  };

  function carryOut(entry: unknown): void {
    const [name, ...args] = Array.isArray(entry) ? (entry as unknown[]) : [entry];
    const command = Object.hasOwn(commands, String(name)) ? commands[name as keyof Commands] : undefined;
    if (command === undefined) {
      host.warn(`there is no command "${String(name)}".${didYouMean(String(name), Object.keys(commands))}`);
      return;
    }
    const run = () =>
      host.guard(`The command "${String(name)}"`, () => (command as (...args: unknown[]) => unknown)(...args));
    if (running !== undefined || command === start) run();
    else if (waiting.length < MAX_WAITING) waiting.push(run);
  }

  function start(options: EmbedOptions): void {
    end();
    if (isSettled) {
      isSettled = false;
      aisle.ready = new Promise((resolve) => {
        settle = resolve;
      });
    }
    hasStarted = true;
    const mine = turn;
    try {
      const { recommender, page } = partOptions(options);
      host.pictures = recommender.images !== 'none';
      createRecommender(recommender)
        .then((opened) => (mine === turn ? open(opened, page) : opened.dispose()))
        .then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }

  /** What was waited for under `aisle.ready`; more than the first answer does nothing. */
  function settled(recommender: Recommender | undefined): void {
    isSettled = true;
    settle(recommender);
  }

  function failed(error: unknown): void {
    end();
    const isOptions = error instanceof RangeError;
    host.warn(isOptions ? 'the options are wrong.' : 'there are no suggestions.', error);
    view.failAll(isOptions ? 'options' : 'engine-lost');
    settled(undefined);
  }

  function open(recommender: Recommender, options: PageOptions): void {
    const item = pageItem();
    const stops: (() => void)[] = [];
    const mine: Running = {
      recommender,
      options,
      item,
      stop() {
        for (const end of stops) host.guard('The end', end);
      },
    };
    running = mine;
    aisle.recommender = recommender;
    updatePanels();
    for (const slot of host.slots) host.redraw(slot);
    const tellDegraded = ({ degraded }: Status): void => {
      for (const { code, message } of degraded) host.warn(`it works with less (${code}).`, { message });
    };
    tellDegraded(recommender.status);
    let { storage } = recommender.status;
    let answers: boolean | undefined;
    stops.push(
      recommender.on('ready', () => settled(recommender)),
      recommender.on('error', () => settled(recommender)),
      // The model may have failed to load offline, or behind a network's sign-in page.
      listen(globalThis, ['online'], () => {
        if (recommender.status.model !== undefined) return;
        recommender.retry().catch(() => {}); // reported like the first failure
        view.refreshSoon('asked');
      }),
      recommender.on('erased', () => view.refreshSoon('asked')),
      recommender.on('status', (status) => {
        tellDegraded(status);
        const answersNow = status.learning?.gate.isOpen;
        if (answersNow !== answers) view.refreshSoon('better'); // the adapter is used from now on, or no more
        answers = answersNow;
        if (status.storage === 'indexeddb' && storage !== 'indexeddb') view.refreshSoon('better');
        storage = status.storage;
      }),
    );
    described = undefined;
    if (options.item !== undefined) report({ itemId: options.item, event: 'view' });
    host.guard('A reader of the page', () => stops.push(readDataLayer(options.dataLayer, host, report)));
    host.guard('A reader of the page', readPage);
    while (running === mine && waiting.length > 0) waiting.shift()!();
    if (running !== mine) return; // one of them was to stop
    // An application shows another of its pages; its own listeners draw first.
    const moved = () => void setTimeout(() => host.guard('A reader of the page', readPage), 0);
    const { navigation } = globalThis as { navigation?: EventTarget };
    host.guard('A reader of the page', () => {
      if (navigation) stops.push(listen(navigation, ['navigatesuccess'], moved));
      stops.push(listen(globalThis, ['popstate', 'hashchange'], moved));
    });
    for (const slot of host.slots) view.refresh(slot, 'asked');
  }

  /** A report of the page's own readers. */
  function report({ itemId, event }: PageEvent): void {
    if (running === undefined) return;
    if (running.options.track === 'auto') track({ itemId, event });
    else if (event === 'view') running.item.set(itemId);
    view.refreshSoon('asked');
  }

  /** Reads which product the page shows from its JSON-LD, which an application may leave in pages that follow. */
  function readPage(): void {
    running?.item.view(); // a page without a report counts, too
    const before = described;
    described = productOfPage(document);
    const isNews = described !== undefined && described !== before && running?.item.get() === undefined;
    if (isNews) report({ itemId: described!, event: 'view' });
    view.refreshSoon('asked');
  }

  function end(): void {
    turn++;
    const before = running;
    running = undefined;
    aisle.recommender = undefined;
    if (before) updatePanels();
    before?.stop();
    host.guard('The end', () => before?.recommender.dispose());
  }

  // Without custom elements, `embed.js` has warned already.
  host.guard(`<${PANEL}>`, () =>
    window.customElements?.define(
      PANEL,
      class extends HTMLElement {
        connectedCallback(): void {
          host.guard(`<${PANEL}>`, async () => {
            const { showPanel } = await import('./privacy/panel');
            showPanel(this, { ...host, panels, recommender: () => aisle.recommender });
          });
        }
      },
    ),
  );
  host.onSlot = (slot, change) => {
    if (change === 'went') view.stop(slot);
    else if (change === 'changed') view.changed(slot);
    else view.refresh(slot, 'asked');
  };
  const early = aisle.splice(0);
  aisle.push = (...entries: unknown[]) => {
    for (const entry of entries) host.guard('A command', () => carryOut(entry));
    return 0;
  };
  for (const entry of early) host.guard('A command', () => carryOut(entry));
  // A page from the browser's cache has missed the events since.
  addEventListener('pageshow', ({ persisted }) => {
    if (!persisted) return;
    running?.item.reopen();
    view.refreshSoon('better');
  });
  if (hasStarted) return;
  if (host.script !== undefined) start(optionsOfTag(host.script, host));
  else failed(new RangeError('No script has data-model-url, and no ["start", { modelUrl }] was pushed.'));
}

/** @returns Stops listening. */
function listen(source: EventTarget, types: readonly string[], listener: () => void): () => void {
  for (const type of types) source.addEventListener(type, listener);
  return () => {
    for (const type of types) source.removeEventListener(type, listener);
  };
}
