/** What the studio's worker does for its page: reads a log, trains models on it, measures them side by side, packs them. */
import { RecommenderError, reasonOf, throwIfAborted } from '../errors';
import { summariseArtifact } from '../pipeline/artifact-summary';
import { logName, type NamedBlob, previewEvents } from '../pipeline/blob-source';
import { artifactFiles } from '../pipeline/build-model';
import { warnOfGaps } from '../pipeline/catalogue/products';
import { checkedConfiguration, configurationFrom } from '../pipeline/configuration';
import { defined } from '../pipeline/defined';
import { embeddingMap, type PlacedItem } from '../pipeline/embedding-map';
import { isAborted } from '../pipeline/errors';
import { fastestBackend } from '../pipeline/fastest-backend';
import {
  type AnswerTime,
  answerTime,
  onDevice,
  predictedSessions,
  replaySession,
  type Step,
  standingOf,
} from '../pipeline/held-out';
import type { TrainingHost } from '../pipeline/host';
import { importOn, REFERENCES } from '../pipeline/importing';
import { logShape } from '../pipeline/log-shape';
import { type Observer, startTask, warn } from '../pipeline/observer';
import type { ImportOptions, TrainOptions } from '../pipeline/options';
import { hasGpu } from '../pipeline/page-backend';
import { refuseLongLog } from '../pipeline/page-memory';
import { ARCHITECTURES, paperOf } from '../pipeline/paper';
import { columnsOfClicks, inspectLog } from '../pipeline/read-events';
import { sharesSteps, trainsBeside } from '../pipeline/thread-use';
import { SHARDS } from '../pipeline/threads';
import { decodeModel, encodeModel, type MeasuredModel } from '../pipeline/trained-model-file';
import { type Trained, trainOn } from '../pipeline/training';
import { trainingParts } from '../pipeline/training-parts';
import {
  countQuick,
  quickModels,
  rankValidation,
  slices,
  type ValidatedParts,
  validatedParts,
  verdict,
} from '../pipeline/validation';
import { writeZip } from '../pipeline/zip';
import type { Preview } from '../session/preview';
import { inspectArchive, type OpenedArchive, openArchive, readArchive, serveArchive, textIn } from './archives';
import { StudioFiles } from './files';
import { archiveOf, type ChosenFiles, checkpointOf, pageHost, pageMemory } from './training-host';
import {
  addEpoch,
  type LogState,
  type Notes,
  type ReadChoice,
  type RestoredRun,
  type Row,
  type SavedRun,
  type SavedState,
  type TrainRequest,
} from './types';

const STATE = 'state.json';
const logFile = (number: number): string => `log/${number}`;
const PRODUCTS = 'log/products';
const measuredOf = (run: string): string => `runs/${run}/measured.safetensors`;

/** A model that has ranked the held-out sessions. */
interface Racer extends MeasuredModel {
  readonly parts: ValidatedParts;
}

/** What an earlier visit has left. */
interface Restored {
  readonly log: LogState;
  readonly runs: readonly RestoredRun[];
}

/** Warns of items that are no products. @throws RecommenderError `bad-input` where all of them are none. */
function compareIds(
  file: string,
  products: readonly { readonly id: string }[],
  itemIds: readonly string[],
  observer: Observer,
): void {
  const known = new Set(products.map(({ id }) => id));
  const isKnown = itemIds.some((id) => known.has(id));
  if (isKnown) warnOfGaps(products, itemIds, file, observer);
  else
    throw new RecommenderError(
      'bad-input',
      `${file}: none of its products is in the log, which has items such as "${itemIds[0]}" where the products have ids such as ` +
        `"${products[0]?.id}". Choose the column of the log, or a file, with the same ids.`,
    );
}

export class Workbench {
  readonly #files: StudioFiles;
  readonly #host: ReturnType<typeof pageHost>;
  #chosen: ChosenFiles = { log: [], others: [] };
  #state: SavedState = { log: [], read: {}, runs: [] };
  #parts: ValidatedParts | undefined;
  readonly #racers = new Map<string, Racer>();
  /** The best counting model. */
  #rival: string | undefined;
  #running: AbortController | undefined;
  #isReading = false;
  readonly #restoring = new AbortController();
  #restored: Promise<Restored | undefined> = Promise.resolve(undefined);
  #saving: Promise<void> = Promise.resolve();

  /** @param notes Tells the page what goes on. */
  constructor(private readonly notes: Notes) {
    this.#files = new StudioFiles((text) => notes({ kind: 'message', level: 'warning', text }));
    this.#host = pageHost(this.#files, () => this.#chosen);
  }

  get #observer(): Observer {
    return {
      onMessage: (message) => this.notes({ kind: 'message', ...message }),
      onProgress: (progress) => this.notes({ kind: 'progress', ...progress }),
    };
  }

  /**
   * The architectures that can be trained, with their papers; the references that weights are imported from; threads at most;
   * whether there is a GPU.
   */
  async models() {
    const described = ARCHITECTURES.map(async (name) => ({ name, paper: await paperOf(name) }));
    const [isGpu, ...architectures] = await Promise.all([hasGpu(), ...described]);
    return { architectures, references: REFERENCES, threads: SHARDS, hasGpu: isGpu };
  }

  /** What an earlier visit has left, read again; undefined where there is nothing, and once a log is read in its place. */
  restore(): Promise<Restored | undefined> {
    const { signal } = this.#restoring;
    this.#restored = this.#restore(signal).catch((error: unknown) => {
      if (signal.aborted) return undefined;
      throw error;
    });
    return this.#restored;
  }

  async #restore(signal: AbortSignal): Promise<Restored | undefined> {
    const saved = await this.#files.read(STATE);
    if (!saved) return undefined;
    const state = JSON.parse(await saved.text()) as SavedState;
    const file = async (path: string, name: string): Promise<NamedBlob | undefined> => {
      const blob = await this.#files.read(path);
      return blob && { name, blob };
    };
    const log = await Promise.all(state.log.map((name, i) => file(logFile(i), name)));
    const products = state.products === undefined ? undefined : await file(PRODUCTS, state.products);
    // What was kept in memory only is gone with the tab.
    if (log.length === 0 || !log.every((one) => one !== undefined)) return undefined;
    const read = await this.#read({ files: log, read: state.read, products }, signal);
    this.#state = state;
    const runs: RestoredRun[] = [];
    for (const saved of state.runs) {
      throwIfAborted(signal);
      const run = await this.#restoredRun(saved);
      if (run) runs.push(run);
    }
    throwIfAborted(signal);
    this.#state = { ...state, runs };
    return { log: read, runs };
  }

  /** A run with what there is of its model; undefined where that is gone. */
  async #restoredRun(saved: SavedRun): Promise<RestoredRun | undefined> {
    const { request, epochs, row } = saved;
    const { run } = request;
    if (await this.#hasCheckpoint(run)) return { ...saved, hasCheckpoint: true };
    if (!(await this.#files.read(archiveOf(run)))) {
      if (!row) return { request, epochs: [], hasCheckpoint: false };
      warn(this.#observer, `The model ${run} was kept in memory only, and is gone. Train it again.`);
      return undefined;
    }
    const measured = await this.#files.read(measuredOf(run));
    if (measured) await this.#join(run, new Uint8Array(await measured.arrayBuffer()));
    const ended = { ...saved, hasCheckpoint: false };
    if (row && (!row.standing || this.#racers.has(run))) return ended;
    if (this.#parts && !this.#racers.has(run))
      warn(this.#observer, `What ${run} reached was not stored: it can be taken home, but not raced.`);
    // The tab was closed before it was measured, or the storage has refused what was.
    const seconds = row?.seconds ?? epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
    return { ...ended, row: await this.#rowOf(run, seconds) };
  }

  /** Names of the runs that are stored, also of an earlier visit that is still being restored; none where that cannot be read. */
  async runs(): Promise<readonly string[]> {
    try {
      const saved = await this.#files.read(STATE);
      return saved ? (JSON.parse(await saved.text()) as SavedState).runs.map(({ request }) => request.run) : [];
    } catch {
      return [];
    }
  }

  /** The first rows of the log. @throws RecommenderError `bad-input` also for a log that a page cannot hold. */
  async preview(files: readonly NamedBlob[]): Promise<Preview> {
    const [first] = files;
    if (!first) throw new RecommenderError('bad-input', 'No file was chosen; choose the events of your shop.');
    const preview = await previewEvents(first);
    const size = files.reduce((sum, { blob }) => sum + blob.size, 0);
    refuseLongLog(logName(files), (preview.events * size) / Math.max(1, first.blob.size), pageMemory());
    return preview;
  }

  /**
   * Reads the log, in place of one that was read before, or is being restored; its runs are forgotten.
   *
   * @throws RecommenderError as `aisle train`, also while a model trains. The log that was open stays so.
   */
  async read(choice: ReadChoice): Promise<LogState> {
    if (this.#running)
      throw new RecommenderError('not-allowed', 'A model trains on the log that is open. Pause it first.');
    if (this.#isReading) throw new RecommenderError('not-allowed', 'Another log is being read. Wait until it is open.');
    const { files, read, products } = choice;
    this.#isReading = true;
    try {
      this.#restoring.abort();
      await this.#restored.catch(() => {}); // its files are replaced
      const state = await this.#read(choice);
      const saved: SavedState = { log: files.map(({ name }) => name), products: products?.name, read, runs: [] };
      this.#state = saved;
      for (const path of [STATE, 'runs', 'log']) await this.#files.remove(path);
      // From here on the copies are read: the visitor's files may change, or go.
      const kept = async (path: string, { name, blob }: NamedBlob): Promise<NamedBlob> => {
        await this.#files.write(path, blob);
        return { name, blob: (await this.#files.read(path)) ?? blob };
      };
      const log: NamedBlob[] = [];
      for (const [i, file] of files.entries()) log.push(await kept(logFile(i), file));
      this.#chosen = { log, others: products ? [await kept(PRODUCTS, products)] : [] };
      await this.#save(saved);
      return state;
    } finally {
      this.#isReading = false;
    }
  }

  async #read(choice: ReadChoice, signal?: AbortSignal): Promise<LogState> {
    const before = this.#chosen;
    this.#chosen = { log: choice.files, others: choice.products ? [choice.products] : [] };
    try {
      return await this.#readChosen(choice, { ...this.#observer, ...defined({ signal }) });
    } catch (error) {
      this.#chosen = before;
      throw error;
    }
  }

  async #readChosen({ files, read, products }: ReadChoice, observer: Observer): Promise<LogState> {
    const name = logName(files);
    const shop = products && (await this.#host.readCatalogue(products.name, read.columns?.item, observer)); // bad ones are refused now
    // Sessions of one event are a part of what a log is like.
    const { onProgress, signal } = observer;
    const { readLog } = this.#host;
    const everything = { minLength: 1, minItems: 1, ...read };
    const all = await readLog(name, everything, defined({ onProgress, signal }));
    const [summary, shape] = [inspectLog(all, name), logShape(all)];
    const parts = await trainingParts(name, { readLog, read, holdout: 0 }, observer);
    if (products && shop) compareIds(products.name, shop.products, parts.whole.itemIds, observer);
    this.#parts = validatedParts(parts);
    this.#racers.clear();
    this.#rival = undefined;
    const sessions = this.#parts && predictedSessions(this.#parts);
    return {
      ...{ name, read, summary, shape },
      ...defined({ products: products?.name }),
      ...(sessions && { heldOut: { sessions: new Set(sessions).size, predictions: sessions.length } }),
    };
  }

  /** Counts and measures the models that need no training, until another log is read. */
  async count(): Promise<void> {
    const parts = this.#parts;
    if (!parts) return;
    const observer = this.#observer;
    const rows: { readonly name: string; readonly seconds: number; readonly mrr: number }[] = [];
    const quick = quickModels(parts, observer);
    const predictions = predictedSessions(parts).length;
    const label = 'Measuring models that count';
    const task = startTask(observer, { label, total: quick.length * predictions, unit: 'predictions' });
    await onDevice(observer, async () => {
      for (const [i, name] of quick.entries()) {
        const started = performance.now();
        const model = await countQuick(name, parts, observer);
        const seconds = (performance.now() - started) / 1000;
        const { ranks, metrics } = await rankValidation(model, parts, observer, (done) =>
          task.update(i * predictions + done),
        );
        if (this.#parts !== parts) return;
        this.#racers.set(name, { model, ranks, parts });
        rows.push({ name, seconds, mrr: metrics['mrr@20']! });
        this.notes({ kind: 'racer', row: { ...this.#row(name), seconds } });
      }
    });
    task.finish();
    if (this.#parts !== parts) return;
    this.#rival = rows.sort((a, b) => b.mrr - a.mrr)[0]?.name;
    for (const { name, seconds } of rows) this.notes({ kind: 'racer', row: { ...this.#row(name), seconds } });
  }

  /** What a racer reaches, beside the best counting model. */
  #row(name: string): Omit<Row, 'seconds'> {
    const { model, ranks, parts } = this.#racers.get(name)!;
    const rival = this.#rival === undefined || this.#rival === name ? undefined : this.#racers.get(this.#rival);
    const row = {
      ...{ name, architecture: model.architecture, isCounted: model.epochs.length === 0 },
      standing: standingOf(predictedSessions(parts), ranks, rival?.ranks),
    };
    return rival ? { ...row, rival: this.#rival!, slices: slices({ ranks }, rival, parts) } : row;
  }

  /** Keeps a training that is to begin later, also when the tab is closed. */
  async wait(request: TrainRequest): Promise<void> {
    if (!this.#runOf(request.run)) await this.#keepRun({ request, epochs: [] });
  }

  /** Keeps no training any more that was to begin; one that has learnt something stays. */
  async leaveOut(run: string): Promise<void> {
    if (!(await this.#hasCheckpoint(run)) && !(await this.#files.read(archiveOf(run)))) await this.discard(run);
  }

  /**
   * Trains a model, or goes on with its run from the checkpoint, where there is one.
   *
   * @returns The model, or, of a training that was paused, whether there is a checkpoint.
   * @throws RecommenderError as `aisle train`.
   */
  async train(request: TrainRequest): Promise<Row | { readonly hasCheckpoint: boolean }> {
    if (this.#isReading) throw new RecommenderError('not-allowed', 'A log is being read. Train once it is open.');
    const { run } = request;
    const running = new AbortController();
    this.#running = running;
    try {
      const isResumed = await this.#hasCheckpoint(run);
      const epochs = isResumed ? [...(this.#runOf(run)?.epochs ?? [])] : [];
      let kept = (isResumed && this.#runOf(run)?.request) || request; // it goes on as it began
      const keep = (row?: Row) => this.#keepRun({ request: kept, epochs, ...(row && { row }) });
      await keep();
      let task = await this.#taskOf(kept, running.signal);
      if (kept.backend === 'auto' && !isResumed && (await hasGpu())) {
        const fastest = await fastestBackend(this.#host, task, ['wasm', 'webgpu']);
        throwIfAborted(running.signal); // what was not measured to its end is measured again
        kept = { ...kept, ...defined({ backend: fastest }) };
        task = await this.#taskOf(kept, running.signal);
        await keep();
      }
      const options: TrainOptions = {
        ...task,
        ...(isResumed ? { resume: true } : { restart: true }),
        onEpoch: (epoch) => {
          addEpoch(epochs, epoch);
          this.notes({ kind: 'epoch', run, epoch });
          void keep();
        },
      };
      const trained = await trainOn(this.#host, options, true);
      await this.#race(run, trained);
      const { result, validation } = trained;
      const row: Row = {
        ...(await this.#rowOf(run, result.seconds)),
        epochs: result.epochs,
        ...(validation && { verdict: verdict(validation, result) }),
        ...(result.auto && { auto: result.auto.why }),
      };
      await keep(row);
      const timed = { ...row, ...defined({ answer: await this.#answerTime(run) }) };
      await keep(timed);
      this.notes({ kind: 'racer', row: timed });
      return timed;
    } catch (error) {
      const hasCheckpoint = await this.#hasCheckpoint(run);
      if (running.signal.aborted && isAborted(error)) return { hasCheckpoint };
      await this.leaveOut(run); // it would be refused again
      throw error;
    } finally {
      this.#running = undefined;
    }
  }

  /** A request with the log that is open, and threads where they can do anything for it. */
  async #taskOf({ run, threads, ...settings }: TrainRequest, signal: AbortSignal): Promise<TrainOptions> {
    const task = {
      ...settings,
      ...this.#observer,
      data: logName(this.#chosen.log),
      read: this.#state.read,
      out: run,
      signal,
      ...defined({ catalogue: this.#chosen.others[0]?.name }),
    };
    const isThreaded = threads !== undefined && settings.backend !== 'webgpu' && (await this.#usesThreads(task));
    return { ...task, ...(isThreaded && { threads }) };
  }

  async #usesThreads(task: TrainOptions): Promise<boolean> {
    try {
      const { given, preset } = await configurationFrom(task, this.#host, {});
      const { config } = await checkedConfiguration(task.model, given, preset);
      if (await sharesSteps(task.model, config)) return true;
      return this.#parts !== undefined && task.epochs === undefined && (await trainsBeside(task.model, config));
    } catch {
      return true; // the training says what is wrong
    }
  }

  async #race(run: string, { trained, parts, validation }: Trained): Promise<void> {
    const own = validatedParts(parts);
    if (!validation || !own) return;
    const racer = { model: trained, ranks: validation.ranks };
    this.#racers.set(run, { ...racer, parts: columnsOfClicks(trained.features).length > 0 ? own : this.#parts! });
    await this.#files.write(measuredOf(run), encodeModel(racer));
  }

  /** What its archive says of a network, beside what it reaches. */
  async #rowOf(run: string, seconds: number): Promise<Row> {
    const about = summariseArtifact(await openArchive(await this.archive(run), run));
    const { architecture, bytes, parameters } = about;
    const reached = this.#racers.has(run) ? this.#row(run) : { name: run, architecture, isCounted: false };
    return { ...reached, seconds, bytes, parameters };
  }

  /** A model that is not timed is trained all the same. */
  async #answerTime(run: string): Promise<AnswerTime | undefined> {
    try {
      return await answerTime(await openArchive(await this.archive(run), run));
    } catch (error) {
      warn(this.#observer, `How fast ${run} answers could not be measured: ${reasonOf(error)}`);
      return undefined;
    }
  }

  /** Ends the training that runs, with a checkpoint. */
  pause(): void {
    this.#running?.abort();
  }

  /** Forgets a run, its checkpoint and its model. */
  async discard(run: string): Promise<void> {
    this.#racers.delete(run);
    await this.#files.remove(`runs/${run}`);
    await this.#save({ ...this.#state, runs: this.#state.runs.filter(({ request }) => request.run !== run) });
  }

  /** A held-out session, click by click. @returns Its answers with the models that have given them: those that are still there. */
  async replay(
    wanted: readonly string[],
    session: number,
  ): Promise<{ readonly names: readonly string[]; readonly steps: readonly Step[] }> {
    const names = wanted.filter((name) => this.#racers.has(name));
    const racers = names.map((name) => this.#racers.get(name)!);
    const models = racers.map(({ model }) => model);
    const parts = racers.find(({ model }) => model.features)?.parts ?? this.#parts!;
    return {
      names,
      steps: await onDevice(this.#observer, () => replaySession(models, parts, session, this.#observer)),
    };
  }

  /** Where a network has its items; undefined for a model that counts. @throws RecommenderError `io` for one that is gone. */
  async map(name: string): Promise<readonly PlacedItem[] | undefined> {
    const racer = this.#racers.get(name);
    if (!racer) {
      throw new RecommenderError(
        'io',
        `What ${name} has learnt is not in the browser’s storage any more. Train it again.`,
      );
    }
    const { model, parts } = racer;
    const { itemIds, support } = parts.log;
    return onDevice(this.#observer, () => embeddingMap(model, itemIds, support));
  }

  /** Titles and categories of the products that were chosen. */
  async products(): Promise<Readonly<Record<string, { readonly title?: string; readonly category?: string }>>> {
    const [file] = this.#chosen.others;
    const shop = file && (await this.#host.readCatalogue(file.name, this.#state.read.columns?.item));
    return Object.fromEntries(
      (shop?.products ?? []).map(({ id, title, category }) => [id, defined({ title, category: category?.[0] })]),
    );
  }

  /** The archive of a model, to be kept. */
  archive(run: string): Promise<Blob> {
    return readArchive(this.#files, run);
  }

  /** A file of a model, such as `report.html`; undefined where it has none. */
  async file(run: string, name: string): Promise<string | undefined> {
    return textIn(await this.archive(run), run, name);
  }

  /** Puts the files of a model where the service worker finds them: of an archive, or else of a run. */
  async serve(run: string, archive?: Blob): Promise<void> {
    await serveArchive(this.#files, run, archive);
  }

  /** An archive made elsewhere, with every check. */
  inspect(file: NamedBlob): Promise<OpenedArchive> {
    return inspectArchive(file);
  }

  /** Imports weights of a reference implementation, and packs them. @returns The archive with what it holds; nothing is stored. */
  async importWeights(
    files: readonly NamedBlob[],
    options: Pick<ImportOptions, 'from' | 'weights' | 'config' | 'items'>,
    run: string,
  ): Promise<OpenedArchive & { readonly archive: Blob }> {
    const host = pageHost(this.#files, () => ({ log: [], others: files })); // a training may read its own meanwhile
    let archive = new Blob();
    const writeArtifact: TrainingHost['writeArtifact'] = async (_, artifact) => {
      archive = new Blob([writeZip(await artifactFiles(artifact))]);
    };
    await importOn({ ...host, writeArtifact }, { ...options, ...this.#observer, out: run });
    return { ...(await inspectArchive({ name: run, blob: archive })), archive };
  }

  /** Removes everything that the studio has stored; the page is to be opened again. */
  async erase(): Promise<void> {
    this.pause(); // what it would still write is refused
    await this.#files.erase();
  }

  async #join(run: string, bytes: Uint8Array): Promise<void> {
    const measured = decodeModel(bytes, run);
    const columns = columnsOfClicks(measured.model.features);
    const parts = columns.length > 0 ? await this.#partsWith(columns) : this.#parts!;
    if (parts) this.#racers.set(run, { ...measured, parts });
  }

  async #partsWith(columns: readonly string[]): Promise<ValidatedParts | undefined> {
    const { readLog } = this.#host;
    const name = logName(this.#chosen.log);
    const read = { ...this.#state.read, featuresIfAny: columns };
    return validatedParts(await trainingParts(name, { readLog, read, holdout: 0 }, {}));
  }

  #runOf(run: string): SavedRun | undefined {
    return this.#state.runs.find(({ request }) => request.run === run);
  }

  async #keepRun(run: SavedRun): Promise<void> {
    const runs = [...this.#state.runs];
    const at = runs.findIndex(({ request }) => request.run === run.request.run);
    runs.splice(at < 0 ? runs.length : at, 1, run);
    await this.#save({ ...this.#state, runs });
  }

  /** One after the other: the last state is the one that stays. */
  async #save(state: SavedState): Promise<void> {
    this.#state = state;
    this.#saving = this.#saving.then(
      async () => void (await this.#files.write(STATE, new Blob([JSON.stringify(state)]))),
    );
    await this.#saving;
  }

  #hasCheckpoint = async (run: string): Promise<boolean> => (await this.#files.read(checkpointOf(run))) !== undefined;
}
