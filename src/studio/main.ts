/** The studio: from a click log to a model, step by step, in one page. One tab at a time has it. */
import '../demo/styles/base.css';
import './studio.css';
import { button, h, setText, textOf } from '../demo/dom';
import { openBench } from './client';
import { logSection } from './log-section';
import { openSection, type Serve, takeHomeSection, WEIGHTS } from './models-section';
import { messages } from './parts';
import { raceSection } from './race-section';
import { activeOf } from './serving';
import { trainSection } from './train-section';
import type { LogState, Note, RestoredRun } from './types';

const place = document.getElementById('studio') as HTMLElement;
const LOCK = 'aisle-studio';
/** Served at the top of the site, where it may answer for the demo shop. */
const SERVICE = '../studio-models.js';

const NOT_OPENED = 'The studio could not be opened';
// Elsewhere a browser gives a page neither locks nor private storage.
if (isSecureContext) whenAlone(() => void start().catch((error: unknown) => say(NOT_OPENED, 'alert', textOf(error))));
else say(NOT_OPENED, 'alert', 'The studio needs https or localhost.');

/** In place of the studio. */
function say(title: string, role: 'alert' | 'status', text: string): void {
  place.replaceChildren(h('main', { class: 'page' }, h('h1', {}, title), h('p', { role }, text)));
}

/** Runs once no other tab has the studio. */
function whenAlone(run: () => void): void {
  const hold = (): Promise<never> => {
    run();
    return new Promise(() => {}); // until the tab is closed
  };
  void navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => {
    if (lock) return hold();
    const why = 'It trains in one tab at a time. It opens here as soon as the other tab is closed.';
    say('The studio is open in another tab', 'status', why);
    void navigator.locks.request(LOCK, hold);
    return undefined;
  });
}

async function start(): Promise<void> {
  const notices = messages();
  let isTraining = false;
  const note = (one: Note): void => {
    if (one.kind === 'racer') {
      race.add(one.row);
      home.add(one.row);
    } else if (isTraining) {
      training.note(one);
      if (one.kind === 'epoch') race.epoch(one.run, one.epoch);
    } else if (one.kind === 'progress') log.progress.show(one);
    else if (one.kind === 'message') log.messages.add(one.level, one.text);
  };
  const bench = openBench(note, (why) => notices.fail(new Error(why)));
  const { architectures, references, threads: most, hasGpu } = await bench.models();
  // They need a page that is isolated from other origins, by two headers of its server.
  const threads = crossOriginIsolated ? Math.min(most, navigator.hardwareConcurrency) : 1;
  const mayReplace = async (): Promise<boolean> => {
    if (isTraining) return true; // no log is read then, whatever the answer
    const runs = await bench.runs();
    const of = 'They belong to the log before this one: take home first what you want to keep.';
    return runs.length === 0 || confirm(`Remove ${runs.join(', ')} from this browser? ${of}`);
  };
  const log = logSection(bench, mayReplace, (state) => void opened(state, []), take);
  const training = trainSection(
    bench,
    architectures,
    { threads, hasGpu },
    (isBusy) => {
      isTraining = isBusy;
      // Browsers that ask the visitor do so at a click.
      if (isBusy) void navigator.storage.persist().then(showKept, notices.fail);
      race.setBusy(isBusy ? 'training' : undefined);
    },
    (run) => {
      race.remove(run);
      home.remove(run);
    },
  );
  const race = raceSection(bench);
  const serve: Serve = async (name, archive) => {
    await bench.serve(name, archive);
    const service = await navigator.serviceWorker.register(SERVICE);
    await activeOf(service);
    return new URL(`../?model=studio-models/${encodeURIComponent(name)}/`, document.baseURI).href;
  };
  const home = takeHomeSection(bench, serve);
  const open = openSection(bench, references, serve);
  const steps = [training.element, race.element, home.element];
  for (const step of steps) step.hidden = true;

  let latest: LogState | undefined;
  async function opened(state: LogState, runs: readonly RestoredRun[]): Promise<void> {
    latest = state;
    for (const step of steps) step.hidden = false;
    race.element.hidden = state.heldOut === undefined;
    race.open(state);
    home.open();
    training.open(runs, state.heldOut !== undefined);
    for (const { row } of runs) {
      if (!row) continue;
      race.add(row);
      home.add(row);
    }
    try {
      race.setBusy(isTraining ? 'training' : 'counting');
      await bench.count();
    } catch (error) {
      log.messages.fail(error);
    } finally {
      if (latest === state) {
        log.progress.hide();
        race.setBusy(isTraining ? 'training' : undefined);
      }
    }
  }

  function take(files: readonly File[]): void {
    given(files).catch(notices.fail);
  }

  /** Files that were chosen or dropped: a log, or models. */
  async function given(files: readonly File[]): Promise<void> {
    const named = files.map((file) => ({ name: file.name, blob: file }));
    const archive = named.find(({ name }) => /\.zip$/i.test(name));
    const isWeights = named.some(({ name }) => WEIGHTS.test(name));
    if (named.length === 0) return;
    if (archive) await open.inspect(archive).then(() => open.element.scrollIntoView());
    else if (isWeights) await open.offer(named);
    else if (isTraining) log.messages.fail(new Error('A model trains on the log that is open. Pause it first.'));
    else await log.choose(named.sort((a, b) => (a.name < b.name ? -1 : 1)));
  }
  acceptDrops(take);

  async function eraseAll(): Promise<void> {
    await bench.erase();
    try {
      await (await navigator.serviceWorker.getRegistration(SERVICE))?.unregister();
    } finally {
      location.reload(); // a service worker that stays finds no files
    }
  }
  const erase = button(
    () => {
      if (!confirm('Remove the log, its models and everything else that the studio has stored in this browser?'))
        return;
      eraseAll().catch(notices.fail);
    },
    'link',
    'Erase everything here',
  );
  const kept = h('span');
  const showKept = (isPersistent: boolean): void =>
    setText(
      kept,
      isPersistent
        ? 'The browser keeps them until you erase them.'
        : 'The browser may remove them when its disk is full: take home what you want to keep.',
    );
  void navigator.storage.persisted().then(showKept, notices.fail);
  place.replaceChildren(
    h('a', { class: 'skip', href: '#log' }, 'Skip to the steps'),
    h(
      'header',
      { class: 'top' },
      h('a', { class: 'logo', href: '../' }, 'Aisle', h('span', {}, 'studio')),
      h('p', {}, 'From a click log to recommendations in your shop. Everything stays in this browser.'),
      h('a', { href: '../' }, 'To the demo shop'),
    ),
    h(
      'main',
      { id: 'main' },
      h('h1', { class: 'unseen' }, 'Aisle studio'),
      notices.element,
      log.element,
      ...steps,
      open.element,
    ),
    h(
      'footer',
      { class: 'bottom' },
      h(
        'p',
        {},
        threads > 1
          ? `This page may use ${threads} threads.`
          : 'Trainings run on one thread: more need a server that isolates this page (aisle demo does), and a second core.',
      ),
      h('p', {}, 'The log, trainings and models are in this browser’s private storage. ', kept, ' ', erase),
    ),
  );

  try {
    const before = await bench.restore();
    if (!before) return;
    log.show(before.log);
    await opened(before.log, before.runs);
  } catch (error) {
    notices.add('warning', 'What an earlier visit has left cannot be read any more. Erase it, or choose a log again.');
    notices.fail(error);
  }
}

/** Files that are dropped anywhere on the page. */
function acceptDrops(take: (files: readonly File[]) => void): void {
  /** A field for a file takes what is dropped on it by itself. */
  const isField = ({ target }: DragEvent): boolean =>
    target instanceof Element && target.closest('input[type=file]') !== null;
  const over = (event: DragEvent, isOver: boolean): void => {
    if (!isField(event)) event.preventDefault();
    document.body.classList.toggle('dropping', isOver);
  };
  document.addEventListener('dragover', (event) => over(event, true));
  document.addEventListener('dragleave', (event) => over(event, false));
  document.addEventListener('drop', (event) => {
    over(event, false);
    if (isField(event)) return;
    take([...(event.dataTransfer?.files ?? [])]);
  });
}
