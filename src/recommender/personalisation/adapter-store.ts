/**
 * The adapter that this page knows: in memory, on the device if events may be stored, and in the engine. Handles changes by
 * other tabs, other models, and damaged records.
 */
import type { Delta } from '../../checkpoint/delta';
import { decodeDelta, encodeDelta, MAX_DELTA_BYTES } from '../../checkpoint/delta-file';
import { quiet, RecommenderError, reasonOf } from '../../errors';
import { createDeltaStore } from '../../store/delta-store';
import type { LearningStatus } from '../learning-types';
import type { AdapterStoreParts } from '../parts';
import { deltaStatus, UNLEARNT } from './status';

type AdapterStatus = Omit<LearningStatus, 'state' | 'why' | 'latest'>;

export class AdapterStore {
  readonly #parts: AdapterStoreParts;
  readonly #deltas;
  #delta: Delta | undefined;
  #since: number | undefined;
  /** Name of the record that this page has read or written. */
  #name: string | undefined;
  #wasFound = false;
  #bytes = 0;
  #isStored = false;
  /** Whether this page has replaced what is on the device, which `save` has still to write. */
  #isReplaced = false;
  /** Whether the engine may hold the adapter. */
  #isSet = false;
  /** Counts calls of the engine: an earlier one that ends late says nothing of what the engine holds. */
  #sets = 0;
  /** Counts erasures: earlier work does nothing afterwards. */
  #life = 0;
  /** Settles when all requested reads have ended. */
  #reading: Promise<void> = Promise.resolve();
  #wasRead = false;

  constructor(parts: AdapterStoreParts) {
    this.#parts = parts;
    this.#deltas = createDeltaStore(parts.store, MAX_DELTA_BYTES.full);
  }

  get delta(): Delta | undefined {
    return this.#delta;
  }

  /** Seconds since 1970: events up to then are not learnt. */
  get since(): number {
    return this.#since ?? Number.NEGATIVE_INFINITY;
  }

  /** Whether an adapter was ever found on the device or learnt, even if it is quarantined by now. */
  get wasFound(): boolean {
    return this.#wasFound;
  }

  get life(): number {
    return this.#life;
  }

  get status(): AdapterStatus {
    const { state: _, latest: __, ...unlearnt } = UNLEARNT;
    if (!this.#delta) return unlearnt;
    return { ...deltaStatus(this.#delta), bytes: this.#bytes, storage: this.#isStored ? 'indexeddb' : 'memory' };
  }

  /** Reads the record on the device if this page does not know it. Never rejects. */
  read(): Promise<void> {
    const before = this.#reading;
    this.#reading = quiet(async () => {
      await before; // it may not see the latest change
      await this.#read();
    });
    return this.#reading;
  }

  /** Reads it unless that has been done. */
  readOnce(): Promise<void> {
    return this.#reading.then(() => (this.#wasRead ? undefined : this.read()));
  }

  async #read(): Promise<void> {
    const life = this.#life;
    const found = await this.#deltas.read();
    this.#wasRead ||= found !== undefined;
    // Nothing may be read, or there is no record: only this page's memory counts.
    if (!found || life !== this.#life || found.name === this.#name) return;
    this.#name = found.name;
    if (this.#isReplaced) {
      if ('since' in found) this.#since ??= found.since;
      return;
    }
    this.#wasFound = true;
    this.#take(undefined);
    if ('reason' in found) return this.#quarantine(found.reason);
    this.#since = found.since;
    if (!found.bytes) return;
    try {
      this.#take(decodeDelta(found.bytes), found.bytes.length);
      this.#isStored = true;
    } catch (error) {
      await this.#quarantine((error as Error).message);
    }
  }

  /**
   * Sets the adapter in the engine if its gate is open, and migrates it if it was learnt on another model. The model must be
   * loaded. Never rejects: an adapter that cannot be used is quarantined, and `status` says so.
   *
   * @param always Whether to call the engine without an adapter, too, so that it loads the same code for every visitor.
   */
  async setAdapter(always = false): Promise<void> {
    const { engine, status } = this.#parts;
    const life = this.#life;
    try {
      const { model } = status();
      if (this.#delta && model && this.#delta.base.hash !== model.hash) await this.#migrate(this.#delta);
      if (life !== this.#life) return;
      const wanted = this.#delta?.gate.isOpen ? this.#delta : null;
      if (!wanted && !this.#isSet && !always) return;
      this.#isSet = true;
      const mine = ++this.#sets;
      await engine.setAdapter(wanted);
      if (!wanted && mine === this.#sets) this.#isSet = false;
    } catch (error) {
      // A failure of the engine is reported by the call for recommendations.
      if (life === this.#life) await this.refused(error);
    }
  }

  /**
   * Quarantines the adapter if the error says that the engine does not accept it.
   *
   * @returns Whether the error says so.
   */
  async refused(error: unknown): Promise<boolean> {
    if (!(error instanceof RecommenderError && ['bad-delta', 'foreign-delta'].includes(error.code))) return false;
    await this.#quarantine(error.message);
    return true;
  }

  /** Quarantines the active adapter, which the engine has stopped using. */
  async quarantineActive(why: string): Promise<void> {
    if (this.#isSet && this.#delta) await this.#quarantine(why);
  }

  async #migrate(delta: Delta): Promise<void> {
    const life = this.#life;
    const answer = await this.#parts.engine.migrate(delta);
    if (life !== this.#life || delta !== this.#delta) return;
    if ('reason' in answer) return this.#quarantine(answer.reason);
    this.#take(answer.delta, this.#bytes);
  }

  /** Replaces the adapter after a slice of learning. */
  replace(delta: Delta): void {
    this.#take(delta);
  }

  /** Replaces the adapter by one from elsewhere. What is stored is not read until `save` has replaced it. */
  import(delta: Delta): void {
    this.#take(delta);
    this.#isReplaced = true;
  }

  /**
   * Stores the adapter if that is allowed. Otherwise it stays in memory, and `status` gives the reason if storing failed.
   *
   * @param isOver Called inside the transaction, with whether another tab has replaced the record. If it returns true, nothing
   *   is written.
   * @returns Why storing failed.
   */
  async save(isOver: (isReplaced: boolean) => boolean = () => false): Promise<RecommenderError | undefined> {
    const { degrade, mend } = this.#parts;
    const [life, delta, since] = [this.#life, this.#delta, this.#since];
    const ends = (there: string | undefined) =>
      isOver(there !== this.#name) || life !== this.#life || delta !== this.#delta;
    try {
      const bytes = delta && encodeDelta(delta);
      this.#bytes = bytes?.length ?? 0;
      const name = await this.#deltas.write({ ...(bytes && { bytes }), ...(since !== undefined && { since }) }, ends);
      if (name === undefined || life !== this.#life) return undefined;
      this.#name = name;
      this.#isStored = delta === this.#delta;
      this.#isReplaced = false;
      mend('learnt-not-stored');
      return undefined;
    } catch (cause) {
      const what = delta
        ? "What was learnt is kept in this page's memory and ends with it"
        : 'What was learnt is forgotten in this page, but not yet on the device';
      const message = `${what}: ${reasonOf(cause)}`;
      degrade('learnt-not-stored', message);
      return new RecommenderError('io', message, { cause });
    }
  }

  /** Whether there is something to store. */
  get isUnsaved(): boolean {
    return (this.#delta !== undefined || this.#since !== undefined) && !this.#isStored;
  }

  /** Forgets the adapter and all events up to that time, in seconds since 1970. What is stored is not read until `save` has replaced it. */
  forget(since: number): void {
    this.drop();
    this.#since = since;
    this.#isReplaced = true;
  }

  /**
   * Limits `since` to the present, because a clock that was ahead would keep learning waiting for that date.
   *
   * @param latest Seconds since 1970.
   * @returns Whether `since` has changed and must be saved.
   */
  notAfter(latest: number): boolean {
    if (this.since <= latest) return false;
    this.#since = latest;
    this.#isStored = false;
    return true;
  }

  /** Forgets everything; work in progress cannot restore it. */
  drop(): void {
    this.#life++;
    this.#wasRead = false;
    this.#take(undefined);
    this.#since = undefined;
    this.#name = undefined;
    this.#isReplaced = false;
    for (const over of ['learnt-not-stored', 'learnt-set-aside'] as const) this.#parts.mend(over);
  }

  #take(delta: Delta | undefined, bytes = 0): void {
    this.#delta = delta;
    this.#wasFound ||= delta !== undefined;
    this.#bytes = bytes;
    this.#isStored = false;
  }

  async #quarantine(reason: string): Promise<void> {
    const name = this.#name;
    this.#take(undefined);
    this.#parts.degrade('learnt-set-aside', `What was learnt is set aside, and learning starts over: ${reason}`);
    this.#name = undefined;
    await Promise.all([
      this.setAdapter(), // at once, so that the next answer is the base model's
      this.#deltas.quarantine(name, reason).catch(() => {}), // the next read finds it again
    ]);
  }
}
