/** What `embed.js` loads when it is wanted: the recommender of the page, its commands, its readers and its slots. */
import { nearestName } from '../errors';
import { createRecommender, type Recommender } from '../recommender';
import type { Host } from './host';
import { type EmbedOptions, optionsOfTag, type PageOptions, partOptions } from './options';
import { type PageItem, pageItem } from './page-item';
import { type PageEvent, readDataLayer } from './readers/data-layer';
import { productOfPage } from './readers/json-ld';
import { createView } from './view';

/** What runs after a start, until the next one. */
interface Running {
  readonly recommender: Recommender;
  readonly options: PageOptions;
  readonly item: PageItem;
  stop(): void;
}

type Command = (...args: never[]) => unknown;

export function startPage(host: Host): void {
  const { aisle } = host;
  let { settle } = host;
  let starts = 0;
  let running: Running | undefined;
  /** The product in the page's JSON-LD when it was last read. */
  let described: string | undefined;
  /** Commands that came before there is a recommender, in their order. */
  const waiting: (() => void)[] = [];
  const view = createView(host, () => running && { ...running, pageItem: running.item.get });

  function track(event: Parameters<Recommender['track']>[0]): void {
    const { recommender, item } = running!;
    recommender.track(event);
    const { itemId, event: kind = 'view' } = typeof event === 'string' ? { itemId: event } : event;
    if (kind === 'view') item.set(itemId);
    view.refreshSoon(kind === 'view' ? 'asked' : 'better');
  }
  async function ask<T>(answer: Promise<T>): Promise<T> {
    const result = await answer;
    view.refreshSoon('asked');
    return result;
  }
  const commands: Readonly<Record<string, Command>> = {
    start,
    track,
    consent: (answer: 'granted' | 'denied') => ask(running!.recommender.privacy.consent(answer)),
    erase: () => ask(running!.recommender.privacy.erase()),
    on: (...args: Parameters<Recommender['on']>) => void running!.recommender.on(...args),
    page: () => readPage(),
    refresh: () => view.refreshSoon('asked'),
    stop: () => stop(),
  };

  function carryOut(entry: unknown): void {
    const [name, ...args] = Array.isArray(entry) ? (entry as [unknown, ...never[]]) : [entry];
    const command = Object.hasOwn(commands, String(name)) ? commands[String(name)] : undefined;
    if (command === undefined) {
      const near = nearestName(String(name), Object.keys(commands));
      host.warn(`there is no command "${String(name)}".${near === undefined ? '' : ` Did you mean "${near}"?`}`);
      return;
    }
    const run = () => host.guard(`The command "${String(name)}"`, () => command(...args));
    if (running !== undefined || command === start) run();
    else waiting.push(run);
  }

  function start(options: EmbedOptions): void {
    stop();
    if (++starts > 1) {
      aisle.ready = new Promise((resolve) => {
        settle = resolve;
      });
    }
    try {
      const { recommender, page } = partOptions(options);
      const mine = starts;
      createRecommender(recommender).then(
        (opened) => host.guard('The start', () => (mine === starts ? open(opened, page) : opened.dispose())),
        failed,
      );
    } catch (error) {
      failed(error);
    }
  }

  function failed(error: unknown): void {
    host.warn('the options are wrong.', error);
    view.failAll('options');
    settle(undefined);
  }

  function open(recommender: Recommender, options: PageOptions): void {
    const item = pageItem(options.item);
    const stops: (() => void)[] = [];
    running = {
      recommender,
      options,
      item,
      stop() {
        for (const end of stops) host.guard('The end', end);
      },
    };
    aisle.recommender = recommender;
    let { storage } = recommender.status;
    stops.push(
      recommender.on('ready', () => settle(recommender)),
      recommender.on('error', () => settle(recommender)),
      recommender.on('status', (status) => {
        if (status.storage === 'indexeddb' && storage !== 'indexeddb') view.refreshSoon('better');
        storage = status.storage;
      }),
    );
    const heard = (event: PageEvent) => {
      if (options.track === 'auto') track(event);
      else if (event.event === 'view') item.set(event.itemId);
    };
    host.guard('A reader of the page', () => stops.push(readDataLayer(options.dataLayer, host, heard)));
    host.guard('A reader of the page', readPage);
    host.guard('A reader of the page', () => stops.push(onNavigation(readPage)));
    for (const run of waiting.splice(0)) run();
    for (const slot of host.slots) view.refresh(slot, 'asked');
  }

  /** Reads which product the page shows, from the option or from its JSON-LD. */
  function readPage(): void {
    if (running === undefined) return;
    const { options, item } = running;
    const before = described;
    described = productOfPage(document);
    // An application may leave the JSON-LD of its first page in all that follow.
    const found = item.get() ?? (described === before ? undefined : described);
    if (found === undefined) view.refreshSoon('asked');
    else if (options.track === 'auto') track(found);
    else {
      item.set(found);
      view.refreshSoon('asked');
    }
  }

  function stop(): void {
    const before = running;
    running = undefined;
    aisle.recommender = undefined;
    before?.stop();
    host.guard('The end', () => before?.recommender.dispose());
  }

  host.onSlot = (slot, change) => {
    if (change === 'went') view.stop(slot);
    else if (change === 'changed') view.changed(slot);
    else view.refresh(slot, 'asked');
  };
  const early = aisle.splice(0);
  aisle.push = (...entries) => {
    for (const entry of entries) host.guard('A command', () => carryOut(entry));
    return 0;
  };
  for (const entry of early) host.guard('A command', () => carryOut(entry));
  if (starts > 0) return;
  if (host.script !== undefined) start(optionsOfTag(host.script, host));
  else failed('No script has data-model-url, and no ["start", { modelUrl }] was pushed.');
}

/** Calls back when a page that is an application shows another of its pages. */
function onNavigation(moved: () => void): () => void {
  const soon = () => void setTimeout(moved, 0); // the page's own listeners draw first
  const { navigation } = globalThis as { navigation?: EventTarget };
  const sources: [EventTarget | undefined, string][] = [
    [navigation, 'navigatesuccess'],
    [globalThis, 'popstate'],
    [globalThis, 'hashchange'],
  ];
  for (const [source, type] of sources) source?.addEventListener(type, soon);
  return () => {
    for (const [source, type] of sources) source?.removeEventListener(type, soon);
  };
}
