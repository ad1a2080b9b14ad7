/** The second step: which models, with which settings, and how their trainings go. */
import { button, h, setText } from '../demo/dom';
import type { TrainingEpoch } from '../pipeline/observer';
import { FIELDS, wholeNumber } from './fields';
import { details, duration, field, messages, progressBar, section, select } from './parts';
import { linePlot } from './plots';
import type { Bench } from './protocol';
import { timeLeft } from './time-left';
import { addEpoch, type Note, type RestoredRun, type Row, type SavedRun, type TrainRequest } from './types';

type Backend = NonNullable<TrainRequest['backend']>;

const BACKENDS: readonly { readonly value: Backend; readonly label: string }[] = [
  { value: 'auto', label: 'the fastest, by some steps on each' },
  { value: 'wasm', label: 'WebAssembly' },
  { value: 'webgpu', label: 'WebGPU' },
  { value: 'cpu', label: 'JavaScript' },
];
/** The same without a GPU, where WebAssembly always is the fastest. */
const OF_PROCESSOR = BACKENDS.filter(({ value }) => value === 'wasm' || value === 'cpu');
/** Chosen at first: it trains fastest. */
const FIRST = 'gru4rec';

interface TrainSection {
  readonly element: HTMLElement;
  /**
   * Begins again on a log, with the runs that an earlier visit has left.
   *
   * @param isMeasured Whether sessions of it are held out.
   */
  open(runs: readonly RestoredRun[], isMeasured: boolean): void;
  note(note: Note): void;
}

/**
 * @param architectures Names with their papers.
 * @param device What may compute: threads, 1 where the page is not isolated, and a GPU.
 * @param onBusy Called when a training begins, and when none runs any more.
 * @param onForget Called with a run that is forgotten.
 */
export function trainSection(
  bench: Bench,
  architectures: readonly { readonly name: string; readonly paper: string }[],
  { threads, hasGpu }: { readonly threads: number; readonly hasGpu: boolean },
  onBusy: (isBusy: boolean) => void,
  onForget: (run: string) => void,
): TrainSection {
  const boxes = architectures.map(({ name, paper }) => {
    const box = h('input', { type: 'checkbox', value: name });
    box.checked = name === FIRST;
    return { box, label: h('label', { class: 'check', title: paper }, box, name) };
  });
  const preset = select(
    [
      { value: 'auto', label: 'auto: suits the log' },
      { value: 'none', label: 'none: its defaults' },
    ],
    'auto',
  );
  const seed = h('input', { type: 'number', min: 0, value: 1 });
  const epochs = h('input', { type: 'number', min: 1, placeholder: 'as many as help' });
  const backend = hasGpu ? select(BACKENDS, 'auto') : select(OF_PROCESSOR, 'wasm');
  const counts = Array.from({ length: threads }, (_, i) => ({ value: String(i + 1), label: String(i + 1) }));
  const threadCount = select(counts, String(threads));
  const own = h('textarea', { rows: 3, spellcheck: 'false', placeholder: 'layers=100\nbatchSize=64' });
  const runs = new Map<string, Run>();
  /** Runs that follow the one that trains, or, where none does, the next one that is started. */
  const queue: Run[] = [];
  let running: Run | undefined;
  let isPaused = false;
  let isMeasured = false;
  const notices = messages();
  const list = h('div', { class: 'runs' });

  const start = button(
    () => {
      notices.clear();
      try {
        const chosen = boxes.filter(({ box }) => box.checked);
        if (chosen.length === 0) throw new RangeError('Networks: none is chosen; choose at least one.');
        for (const { box } of chosen) enqueue(makeRun({ request: requestOf(box.value), epochs: [] }));
      } catch (error) {
        notices.fail(error);
      }
    },
    'button',
    'Train',
  );
  const element = section(
    'train',
    '2. Train',
    h(
      'p',
      {},
      'Models that count are ready in seconds; networks learn in minutes. Each ends by itself once it no longer gets better.',
    ),
    h('fieldset', { class: 'choices' }, h('legend', {}, 'Networks'), ...boxes.map(({ label }) => label)),
    details(
      'Settings',
      h(
        'div',
        { class: 'fields' },
        field(FIELDS.preset, preset),
        field(
          FIELDS.epochs,
          epochs,
          'without a number, held-out sessions decide; with one, all sessions are learnt, and the model is not in the race',
        ),
        field(FIELDS.seed, seed),
        field(FIELDS.backend, backend),
        threads > 1 &&
          field(
            FIELDS.threads,
            threadCount,
            'each step is shared; of GRU4Rec, whose steps cannot be, a second thread learns all sessions meanwhile; 1 gives the weights of the command line without --threads',
          ),
        field('Single settings', own, 'one key=value a line'),
      ),
    ),
    h('p', {}, start),
    notices.element,
    list,
  );

  function requestOf(model: string): TrainRequest {
    let run = model;
    for (let i = 2; runs.has(run); i++) run = `${model}-${i}`;
    const config = Object.fromEntries(
      own.value.split('\n').flatMap((line) => {
        const [, key, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
        if (key !== undefined) return [[key, value] as const];
        if (line.trim() === '') return [];
        throw new RangeError(`Single settings: expected key=value, got "${line.trim()}".`);
      }),
    );
    const count = Number(threadCount.value);
    const passes = wholeNumber(epochs, FIELDS.epochs, 1);
    return {
      run,
      model,
      preset: preset.value,
      seed: seed.valueAsNumber,
      backend: backend.value as Backend,
      ...(count > 1 && { threads: count }),
      ...(passes !== undefined && { epochs: passes }),
      ...(Object.keys(config).length > 0 && { config }),
    };
  }

  function makeRun(saved: SavedRun): Run {
    const repeats = isMeasured && saved.request.epochs === undefined;
    const run = runView(saved, repeats, {
      pause: () => {
        const at = queue.indexOf(run);
        if (at >= 0) {
          queue.splice(at, 1);
          run.stop('Left out.');
          void bench.leaveOut(saved.request.run).catch(notices.fail);
        } else {
          isPaused = true; // also where it comes too late, and the model is done
          void bench.pause();
        }
      },
      resume: () => enqueue(run),
      discard: () => {
        const at = queue.indexOf(run);
        if (at >= 0) queue.splice(at, 1);
        runs.delete(saved.request.run);
        run.element.remove();
        onForget(saved.request.run);
        void bench.discard(saved.request.run).catch(notices.fail);
      },
    });
    runs.set(saved.request.run, run);
    list.append(run.element);
    return run;
  }

  function enqueue(run: Run): void {
    const at = queue.indexOf(run);
    if (at >= 0) queue.splice(at, 1);
    void bench.wait(run.request).catch(notices.fail);
    if (running) {
      queue.push(run);
      run.wait();
      return;
    }
    queue.unshift(run);
    void work();
  }

  /** Runs that wait for the visitor. */
  function hold(): void {
    for (const run of queue) run.stop('Waits. Go on with it, or with any other: those that wait follow.');
  }

  async function work(): Promise<void> {
    onBusy(true);
    isPaused = false;
    for (let next = queue.shift(); next; next = isPaused ? undefined : queue.shift()) {
      running = next;
      for (const run of queue) run.wait();
      running.begin();
      try {
        const trained = await bench.train(running.request);
        if (!('hasCheckpoint' in trained)) running.end(trained);
        else if (trained.hasCheckpoint) running.stop('Paused. Everything is kept: go on whenever you like.');
        else running.stop('Paused before there was anything to keep: it starts over.');
      } catch (error) {
        running.fail(error);
      }
    }
    running = undefined;
    hold();
    onBusy(false);
  }

  return {
    element,
    open(saved, hasHeldOut) {
      isMeasured = hasHeldOut;
      runs.clear();
      queue.length = 0;
      list.replaceChildren();
      notices.clear();
      for (const one of saved) {
        const run = makeRun(one);
        if (one.row) run.end(one.row);
        else if (one.hasCheckpoint) run.stop('Interrupted. Everything is kept: it goes on from where it was.');
        else queue.push(run);
      }
      hold();
    },
    note(note) {
      if (note.kind === 'epoch') runs.get(note.run)?.epoch(note.epoch);
      else if (note.kind === 'progress') running?.progress(note);
      else if (note.kind === 'message') running?.message(note.level, note.text);
    },
  };
}

interface Run {
  readonly element: HTMLElement;
  readonly request: TrainRequest;
  begin(): void;
  wait(): void;
  stop(text: string): void;
  progress(note: Extract<Note, { kind: 'progress' }>): void;
  message(level: 'info' | 'warning', text: string): void;
  epoch(epoch: TrainingEpoch): void;
  end(row: Row): void;
  fail(error: unknown): void;
}

interface RunActs {
  pause(): void;
  resume(): void;
  discard(): void;
}

/** One training: how far it is, and its curves. @param repeats As of `timeLeft`. */
function runView({ request, epochs: before }: SavedRun, repeats: boolean, acts: RunActs): Run {
  const epochs: TrainingEpoch[] = [...before];
  let hasModel = false;
  let left = timeLeft(repeats);
  const status = h('p', { class: 'soft' });
  const notices = messages();
  const bar = progressBar();
  const plots = h('div', { class: 'plots' });
  const pause = button(acts.pause, 'button quiet small', 'Pause');
  const resume = button(acts.resume, 'button small', 'Go on');
  const forget = (): void => {
    const what = hasModel ? `the model ${request.run}` : `what ${request.run} has learnt so far`;
    if ((!hasModel && epochs.length === 0) || confirm(`Remove ${what} from this browser?`)) acts.discard();
  };
  const discard = button(forget, 'button quiet small', 'Forget it');
  const element = h(
    'article',
    { class: 'run stack', 'aria-label': `Training of ${request.run}` },
    h('div', { class: 'run-head' }, h('h3', {}, request.run), h('div', { class: 'acts' }, pause, resume, discard)),
    status,
    bar.element,
    notices.element,
    plots,
  );
  const show = (canPause: boolean, canResume: boolean, canDiscard: boolean): void => {
    pause.hidden = !canPause;
    resume.hidden = !canResume;
    discard.hidden = !canDiscard;
  };
  const draw = (): void => {
    const first = epochs.filter((epoch) => !epoch.refit);
    const again = epochs.filter((epoch) => epoch.refit);
    const losses = [
      { name: 'training', points: first.map(({ epoch, loss }) => [epoch, loss] as const) },
      { name: 'on everything', points: again.map(({ epoch, loss }) => [epoch, loss] as const) },
    ];
    const valid = first.flatMap(({ epoch, valid }) => (valid ? [[epoch, valid['mrr@20']!] as const] : []));
    plots.replaceChildren(
      ...(epochs.length > 0
        ? [
            linePlot(
              'Loss',
              losses.filter(({ points }) => points.length > 0),
              'epoch',
            ),
          ]
        : []),
      ...(valid.length > 0
        ? [linePlot('MRR@20 on the held-out sessions', [{ name: 'MRR@20', points: valid }], 'epoch')]
        : []),
    );
  };
  draw();
  return {
    element,
    request,
    begin() {
      notices.clear();
      left = timeLeft(repeats);
      setText(status, 'Trains.');
      setText(pause, 'Pause');
      show(true, false, false);
    },
    wait() {
      setText(status, 'Waits for its turn.');
      setText(pause, 'Leave out');
      show(true, false, false);
    },
    stop(text) {
      bar.hide();
      setText(status, text);
      show(false, true, true);
    },
    progress(note) {
      const seconds = left(note, epochs);
      bar.show(note, seconds === undefined ? '' : `${duration(seconds)} left at most`);
    },
    message: notices.add,
    epoch(epoch) {
      addEpoch(epochs, epoch);
      draw();
    },
    end({ seconds, verdict, auto }) {
      bar.hide();
      hasModel = true;
      const about = [
        `Trained in ${duration(seconds)}.`,
        verdict,
        auto !== undefined && `Settings: ${auto}.`,
        request.epochs !== undefined && 'It has learnt all sessions, so that none is left to race it on.',
      ];
      setText(status, about.filter(Boolean).join(' '));
      show(false, false, true);
    },
    fail(error) {
      bar.hide();
      setText(status, 'It ended with an error.');
      notices.fail(error);
      show(false, true, true);
    },
  };
}
