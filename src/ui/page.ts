/** What `embed.js` loads on demand: the recommender of the page, and its commands. */

import { clock, hasOwn, isArray, keysOf, stringify } from '../captured';
import { quiet } from '../errors';
import { MAX_COMMANDS } from '../limits';
import type { PageProduct } from '../page/page-product';
import { createRecommender } from '../recommender';
import { didYouMean } from '../recommender/arguments';
import { setPush } from '../recommender/data-layer';
import { isHidden } from '../recommender/idle';
import type { Recommender, Status, TrackedEvent } from '../recommender/types';
import { isOfTag, optionsOfTag, partOptions } from './options';
import type { Commands, EmbedOptions, Host, PageOptions } from './types';
import type { Experiment } from './variants';
import type { Urgency, View } from './view';

type Slots = typeof import('./slots');

/** What runs after a start, until the next one. */
interface Running {
  readonly recommender: Recommender;
  readonly options: PageOptions;
  readonly product: PageProduct;
  readonly slots: Slots;
  strategyFor(strategy: string): string;
}

/** The privacy panel, whose code is loaded only if a page has one. */
const PANEL = 'aisle-privacy';
const NOTHING = { list: '[]', view: '', pageView: '', times: 0 };
/** Most changes of a page's markup that are reported of one page view. */
const MAX_REPORTS = 10;

/** Milliseconds after which a model that could not be loaded is tried again, if there is an occasion. */
const RETRY = 30_000;

/** @returns Rejects if what fills the slots cannot be loaded. */
export function startPage(host: Host): Promise<unknown> {
  const { aisle } = host;
  let { settle } = host;
  /** Loaded beside the model, by a file of its own: a browser would compile all in one long task. */
  const loading = host
    .load(() => import('./slots'))
    .then((slots) => {
      view = slots.createView(host, () => running && { ...running, pageItem });
      host.onSlot = (slot, change) => {
        if (change === 'changed') view!.changed(slot);
        else if (change === 'came') view!.refreshSoon('better');
      };
      return slots;
    });
  /** There before anything runs. */
  let view: View | undefined;
  let earlyPage: Host['early'] | undefined = host.early;
  /** Which product the page shows, for every start. */
  let productHere: PageProduct | undefined;
  let hasStarted = false;
  /** Whether it was stopped, or could not start. */
  let isOver = false;
  /** Whether `aisle.ready` is settled: then the next start or stop makes another one. */
  let isSettled = false;
  /** The running load of the model, or the last one. Never rejects: what fails is reported. */
  let loadingModel: Promise<unknown> | undefined;
  /** When a model that could not be loaded was tried again. */
  let retried = 0;
  /** Counts starts and stops: a start that was overtaken does not open. */
  let turn = 0;
  let running: Running | undefined;
  /** The last answer by a command, or a denial in another tab; and whether the visitor had paused: both hold for a later start. */
  let answer: Commands['consent'][0] | undefined;
  let isPaused: boolean | undefined;
  /** The answer that the page itself knows of: by its option, or a command. Any other is by the recommender. */
  let given: unknown;
  /** What was last reported of the product on show, of which page view, and how often. */
  let reported = NOTHING;
  /** Commands that came before there is a recommender, in their order. */
  const waiting: (() => void)[] = [];
  /** Those of them that refuse, and came before there is one. */
  const refusals: (() => void)[] = [];
  /** What ends with the start that runs. */
  const stops: (() => unknown)[] = [];
  const notYet = (error: unknown) => host.warn('a script could not be loaded.', error);
  const guardReader = (read: () => void) => host.guard('A reader of the page', read);
  /** Updates the elements that show what is known of the visitor. */
  const panels = new Set<() => void>();

  function end(): void {
    turn++;
    isOver = true;
    if (isSettled) {
      isSettled = false;
      aisle.ready = new Promise((resolve) => {
        settle = resolve;
      });
    }
    running = undefined;
    const status = aisle.recommender?.status;
    if (status?.storage !== 'indexeddb') reported = NOTHING; // else its view would be stored again
    isPaused = status?.paused ?? isPaused;
    const { page, 'other-tab': tab } = status?.consentBy ?? {};
    if (tab === 'denied' || (page !== given && page === 'denied')) answer = 'denied';
    aisle.recommender = undefined;
    updatePanels();
    for (const stop of stops.splice(0)) host.guard('The end', stop);
  }
  /** Loads the model where that has failed, and waits for one that is on its way. */
  function loadModel(): void {
    loadingModel = quiet(() => aisle.recommender?.retry());
  }
  /** The item of the model that the page shows; one that the model does not know under what the page calls it. */
  async function pageItem(): Promise<string | undefined> {
    const list = running?.product.candidates() ?? [];
    if (list.length === 0) return undefined;
    return (await running?.recommender.identify(list)) ?? list.find(({ kind }) => kind !== 'url')?.id;
  }
  function updatePanels(): void {
    for (const update of panels) update();
  }
  /** Requests suggestions again, and before a model that could not be loaded. */
  function refresh(urgency: Urgency = 'asked'): void {
    const now = clock();
    if (isSettled && !running?.recommender.status.model && now - retried > RETRY) {
      retried = now;
      loadModel();
    }
    view?.refreshSoon(urgency);
  }
  function store(event: TrackedEvent): void {
    running?.recommender.track(event);
    updatePanels();
  }
  const privacy = () => aisle.recommender!.privacy;
  const commands: { readonly [C in keyof Commands]: (...args: Commands[C]) => unknown } = {
    start,
    track,
    async consent(word) {
      const heard = privacy().consent(word);
      answer = given = word; // unless it is none
      await heard;
      view?.refreshSoon('asked');
    },
    erase: () => privacy().erase(),
    pause: () => privacy().pause(),
    resume: () => privacy().resume(),
    on: (...args) => void running!.recommender.on(...(args as Parameters<Recommender['on']>)),
    page() {
      readPage();
      refresh();
    },
    catalogue: (products) => running!.recommender.update(products),
    refresh: () => refresh(),
    doctor() {
      aisle.doctor = import('./doctor/doctor').then(({ examine }) => examine(host, () => running));
      return aisle.doctor;
    },
    stop() {
      end();
      failAll('disposed');
    },
  };

  /**
   * Reads which product the page shows, and reports a view of it, or what completes the view.
   *
   * @param given The page's own word of it.
   */
  function readPage(given?: TrackedEvent): void {
    if (running === undefined) return;
    const { recommender, product, options } = running;
    const candidates = product.candidates();
    const [first] = candidates;
    const list = stringify(candidates);
    const now = product.view();
    // The same markup under another address is the same page view, unless the page names the product again.
    const isSameView = now === reported.view || (list === reported.list && !product.isNamed());
    const isNews = list !== reported.list || !isSameView;
    // A page view has one name from its first event; '': none was reported yet.
    const pageView = (isSameView ? reported.pageView : '') || now;
    if (now !== reported.view) refresh('better');
    const times = isSameView ? reported.times + Number(isNews && !given) : 0;
    reported = { list, view: now, pageView, times };
    if (!isNews && !given) return;
    view?.refreshSoon('asked');
    if (options.track === 'manual' || !first || (times > MAX_REPORTS && !given)) return;
    const report = (): void => store({ pageView, ...given, itemId: first.id, candidates });
    if (candidates.some(({ kind }) => kind !== 'url')) {
      report();
      return;
    }
    // Every page has an address: it is stored if it is a product's.
    recommender.identify(candidates).then(
      (item) => item !== null && running?.recommender === recommender && report(),
      () => {
        reported = NOTHING; // a model that comes later may know it
      },
    );
  }

  async function start(options: EmbedOptions): Promise<void> {
    end();
    hasStarted = true;
    isOver = false;
    const mine = turn;
    try {
      const { recommender, page } = partOptions(options);
      host.pictures = recommender.images !== 'none';
      let experiment: Experiment | undefined;
      if (page.variants !== undefined) {
        const { openExperiment } = await host.load(
          () => import('./variants'),
          (error) => {
            notYet(error);
            if (mine === turn) failAll('io');
          },
        );
        experiment = await openExperiment(page.variants, host, page.dataLayer, recommender.consent);
      }
      given = recommender.consent;
      const opened = await createRecommender({ ...recommender, ...experiment?.model });
      if (mine !== turn) return opened.dispose();
      aisle.recommender = opened;
      stops.push(opened.dispose);
      if (answer && recommender.consent !== 'denied') quiet(() => privacy().consent(answer!));
      if (isPaused) quiet(commands.pause);
      for (const run of refusals.splice(0)) run();
      updatePanels();
      if (!options.product) keepLists(opened, page); // what that says now is not known yet
      // Before what reads the page is loaded: the model may be there, or not, first.
      opened.on('error', (error) => host.warn('there are no suggestions.', error));
      loadModel();
      const loaded = await loading;
      if (mine === turn) open(opened, page, loaded, experiment);
    } catch (error) {
      if (mine === turn) failed(error);
    }
  }

  /** Until the first answer slots show what those of the page before showed, where the visitor lets that be kept. */
  function keepLists(recommender: Recommender, options: PageOptions): void {
    const stop = recommender.on('status', begin);
    function begin({ consent }: Status): void {
      if (consent !== 'granted') return;
      stop();
      host.guard('A slot', async () => {
        const { keepLists } = await import('./previous-list');
        if (aisle.recommender === recommender) stops.push(keepLists(host, recommender, options));
      });
    }
    begin(recommender.status);
  }

  function failed(error: unknown): void {
    end();
    const isOptions = error instanceof RangeError;
    host.warn(isOptions ? 'the options are wrong.' : 'there are no suggestions.', error);
    failAll(isOptions ? 'options' : 'engine-lost');
  }

  function open(
    recommender: Recommender,
    options: PageOptions,
    slots: Slots,
    experiment: Experiment | undefined,
  ): void {
    const { addressOf, idIn, readDataLayer, watchPage, watchSelections } = slots;
    productHere ??= slots.pageProduct(earlyPage);
    const product = productHere;
    const mine: Running = {
      recommender,
      options,
      product,
      slots,
      strategyFor: experiment?.strategyFor ?? ((strategy) => strategy),
    };
    running = mine;
    if (experiment) stops.push(experiment.attach(recommender));
    if (options.analytics) {
      host.guard('Analytics', async () => {
        const { startAnalytics } = await host.load(() => import('./analytics'), notYet);
        if (running === mine) stops.push(startAnalytics(host, recommender, options.dataLayer, product));
      });
    }
    loadingModel!.then(() => running === mine && settled(recommender));
    for (const slot of host.slots) host.redraw(slot);
    let before = '';
    const hear = ({ degraded, ids, learning, storage }: Status): void => {
      for (const { code, message } of degraded) host.warn(`it works with less (${code}).`, { message });
      // A new product may be unknown, too: that alone is no warning.
      if (ids.why) host.warn('unknown ids:', { message: ids.why }, 'info');
      // The adapter is used from now on, or no more; or what was stored is there.
      const now = stringify([learning?.gate.isOpen, storage]);
      if (now !== before) view?.refreshSoon('better');
      before = now;
    };
    hear(recommender.status);
    stops.push(
      recommender.on('erased', () => view?.refreshSoon('asked')),
      recommender.on('ready', () => readPage()),
      recommender.on('catalogue', () => view?.refreshSoon('better')),
      recommender.on('status', hear),
      watchSelections(host.slots, (selection) => host.guard('A click', () => recommender.select(selection))),
    );
    const item = idIn(options.item);
    if (item !== undefined) product.name(item, 'data-item');
    if (earlyPage && addressOf(earlyPage.href) !== addressOf(location.href)) guardReader(readPage);
    product.arrive();
    const layer = earlyPage?.layer;
    earlyPage = undefined;
    guardReader(() =>
      stops.push(
        readDataLayer(
          options.dataLayer,
          guardReader,
          ({ event, ids, transaction }) => {
            if (event === 'view') {
              product.name(ids[0]!, 'data-layer');
              readPage({ itemId: ids[0]! });
              return;
            }
            if (options.track === 'manual') return;
            readPage(); // what was viewed comes before
            const order = event === 'purchase' && transaction !== undefined ? { transaction } : {};
            for (const itemId of ids) store({ itemId, event, pageView: product.view(), ...order });
            view?.refreshSoon('asked');
          },
          layer,
        ),
      ),
    );
    guardReader(readPage);
    while (running === mine && waiting.length > 0) waiting.shift()!();
    if (running !== mine) return; // one of them was to stop
    guardReader(() => stops.push(watchPage(() => guardReader(readPage))));
    view?.refreshSoon('asked');
  }

  /** The slots say why there is nothing, and `aisle.ready` settles, unless the next start is there by then. */
  function failAll(code: string): void {
    const mine = turn;
    quiet(async () => {
      await quiet(() => loading); // `embed.js` says what failed
      if (mine !== turn) return;
      settled(undefined);
      view?.failAll(code);
    });
  }

  function carryOut(entry: unknown): void {
    const [first, ...args] = isArray(entry) ? (entry as unknown[]) : [entry];
    const name = String(first);
    const command = hasOwn(commands, name) ? commands[name as keyof Commands] : undefined;
    if (command === undefined) {
      host.warn(`there is no command "${name}".${didYouMean(name, keysOf(commands))}`);
      return;
    }
    const run = () => host.guard(`The command "${name}"`, () => (command as (...args: unknown[]) => unknown)(...args));
    if (running || command === start || command === commands.stop || command === commands.doctor) run();
    else if (command !== commands.track) {
      // What a visitor decides is never too much, and a refusal waits for the recommender alone.
      waiting.push(run);
      if (name === 'erase' || name === 'pause' || args[0] === 'denied') {
        if (aisle.recommender) run();
        else refusals.push(run);
      }
      if (isOver) host.warn(`"${name}" does nothing until the next start.`);
    } else if (waiting.length < MAX_COMMANDS) waiting.push(run);
    else host.warn('Too many events at once.');
  }

  /** What was waited for under `aisle.ready`; more than the first answer does nothing. */
  function settled(recommender: Recommender | undefined): void {
    isSettled = true;
    settle(recommender);
    aisle.ready = Promise.resolve(recommender); // that before may be settled, too: the scripts could not be loaded
  }

  function track(event: Parameters<Recommender['track']>[0]): void {
    const { product, slots, options } = running!;
    const given = typeof event === 'object' && event !== null ? event : { itemId: event };
    const id = slots.idIn(given.itemId); // of a number, too
    const report = { ...given, itemId: id ?? given.itemId };
    const { event: kind = 'view', time, pageView, candidates } = report;
    const isOnShow = kind === 'view' && time === undefined && id !== undefined;
    if (isOnShow) product.name(id, 'track');
    if (isOnShow && options.track === 'auto' && pageView === undefined && candidates === undefined) readPage(report);
    // An event with a time of its own is an earlier one.
    else store(time === undefined ? { pageView: product.view(), ...report } : report);
    view?.refreshSoon('asked');
  }

  // Without custom elements, `embed.js` has warned already.
  host.guard(`<${PANEL}>`, () =>
    window.customElements?.define(
      PANEL,
      class extends HTMLElement {
        connectedCallback(): void {
          host.guard(`<${PANEL}>`, async () => {
            const { showPanel } = await host.load(() => import('./privacy/panel'), notYet);
            showPanel(this, { ...host, panels, recommender: () => aisle.recommender });
          });
        }
      },
    ),
  );
  const early = aisle.splice(0);
  function push(...entries: unknown[]): number {
    for (let i = 0; i < entries.length; i++) host.guard('A command', () => carryOut(entries[i]));
    return 0;
  }
  setPush(aisle, push);
  push(...early);
  // A page from the browser's cache has missed the events since.
  addEventListener('pageshow', ({ persisted }) => {
    if (!persisted) return;
    running?.product.reopen();
    reported = NOTHING; // it is viewed again
    guardReader(readPage);
  });
  // The model, or a script, may have failed to load offline, or behind a network's sign-in page.
  addEventListener('online', async () => {
    await loadingModel; // a load that the network has cut off may still be about to fail
    loadModel();
    view?.refreshSoon('better');
  });
  // What was tracked before the visitor sees the page counts from then on.
  if (isHidden()) addEventListener('visibilitychange', () => view?.refreshSoon('asked'), { once: true });
  if (/[?&]aisle-doctor/.test(host.early.href)) carryOut('doctor');
  if (hasStarted) {
    // by one of these commands
  } else if (host.script !== undefined) {
    const { script } = host;
    if (!keysOf(script.dataset).every(isOfTag))
      host.guard('A warning', async () => (await import('./misspelt')).warnOfMisspelt(script, host));
    start(optionsOfTag(script));
  } else failed(new RangeError('Give a script data-model-url, or push ["start", { modelUrl }].'));
  return loading;
}
