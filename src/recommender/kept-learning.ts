/**
 * What was learnt, as this page knows it: in memory, on the device where events may be stored, and in what answers. Other
 * tabs, other models and damaged records are met here.
 */
import type { Delta } from '../checkpoint/delta';
import { decodeDelta, encodeDelta, MAX_DELTA_BYTES } from '../checkpoint/delta-file';
import { RecommenderError } from '../errors';
import { createDeltaStore } from '../store/delta-store';
import { ofDelta, UNLEARNT } from './learning-status';
import type { KeptLearningParts, LearningStatus } from './types';

type Kept = Omit<LearningStatus, 'state' | 'why' | 'latest'>;

export class KeptLearning {
  readonly #parts: KeptLearningParts;
  readonly #deltas;
  #delta: Delta | undefined;
  #since: number | undefined;
  /** Of the record that this page has read or written. */
  #name: string | undefined;
  #isMet = false;
  #bytes = 0;
  #isStored = false;
  /** What is on the device is to be forgotten, and could not be yet. */
  #isForgotten = false;
  /** Whether the engine may hold something of ours. */
  #isSet = false;
  /** Counts what was forgotten: what began before is over. */
  #life = 0;
  /** Settles when all that was asked for is read. */
  #reading: Promise<void> = Promise.resolve();

  constructor(parts: KeptLearningParts) {
    this.#parts = parts;
    this.#deltas = createDeltaStore(parts.store, MAX_DELTA_BYTES.full);
  }

  get delta(): Delta | undefined {
    return this.#delta;
  }

  /** Seconds since 1970; nothing of what happened up to then is to be learnt. */
  get since(): number {
    return this.#since ?? Number.NEGATIVE_INFINITY;
  }

  /** Whether something was found on the device, or learnt; also where it was set aside since. */
  get isMet(): boolean {
    return this.#isMet;
  }

  get life(): number {
    return this.#life;
  }

  get status(): Kept {
    const { state: _, latest: __, ...unlearnt } = UNLEARNT;
    if (!this.#delta) return unlearnt;
    return { ...ofDelta(this.#delta), bytes: this.#bytes, storage: this.#isStored ? 'indexeddb' : 'memory' };
  }

  /** Reads what is on the device, where it is not what this page knows. Never rejects. */
  read(): Promise<void> {
    // One that has begun may not see what has changed since.
    this.#reading = this.#reading.then(() => this.#read());
    return this.#reading;
  }

  async #read(): Promise<void> {
    const life = this.#life;
    const found = await this.#deltas.read().catch(() => undefined);
    // Nothing may be read, or nothing is there and never was: what this page has in memory is all there is.
    if (!found || life !== this.#life || found.name === this.#name) return;
    this.#name = found.name;
    if (this.#isForgotten) return;
    this.#isMet = true;
    this.#take(undefined);
    if ('reason' in found) return this.#setAside(found.reason);
    this.#since = found.since;
    if (!found.bytes) return;
    try {
      this.#take(decodeDelta(found.bytes), found.bytes.length);
      this.#isStored = true;
    } catch (error) {
      await this.#setAside((error as Error).message);
    }
  }

  /**
   * Lets what was learnt answer where its gate is open, and carries it over where the model is another than it was learnt on.
   * The model must be loaded. Never rejects: what cannot be used is set aside, and `status` says so.
   *
   * @param always Whether the engine is asked where there is nothing to set, too, so that it loads what it loads for those
   *   who have learnt.
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
      await engine.setAdapter(wanted);
      if (!wanted && life === this.#life) this.#isSet = false;
    } catch (error) {
      // What is wrong with the engine is told by whoever asks it for recommendations.
      if (life === this.#life) await this.refused(error);
    }
  }

  /**
   * The engine does not take what was learnt: it is set aside.
   *
   * @returns Whether that is what the error says.
   */
  async refused(error: unknown): Promise<boolean> {
    if (!(error instanceof RecommenderError && ['bad-delta', 'foreign-delta'].includes(error.code))) return false;
    await this.#setAside(error.message);
    return true;
  }

  /** The engine does not use the adapter that was set any more: it is set aside. */
  async distrust(why: string): Promise<void> {
    if (this.#isSet && this.#delta) await this.#setAside(why);
  }

  async #migrate(delta: Delta): Promise<void> {
    const life = this.#life;
    const answer = await this.#parts.engine.migrate(delta);
    if (life !== this.#life || delta !== this.#delta) return;
    if ('reason' in answer) return this.#setAside(answer.reason);
    this.#take(answer.delta, this.#bytes);
  }

  /** Something was learnt: from now on that is what is known. */
  replace(delta: Delta): void {
    this.#take(delta);
  }

  /**
   * Stores what is known, where that is allowed; otherwise it stays in memory, and `status` says why if it should not.
   *
   * @param isOver Asked in the last moment, with whether another tab has replaced what this page knows: what has ended is
   *   not written.
   */
  async save(isOver: (isReplaced: boolean) => boolean = () => false): Promise<void> {
    const { degrade, mend } = this.#parts;
    const [life, delta, since] = [this.#life, this.#delta, this.#since];
    const ends = (there: string | undefined) =>
      isOver(there !== this.#name) || life !== this.#life || delta !== this.#delta;
    try {
      const bytes = delta && encodeDelta(delta);
      this.#bytes = bytes?.length ?? 0;
      const name = await this.#deltas.write({ ...(bytes && { bytes }), ...(since !== undefined && { since }) }, ends);
      if (name === undefined || life !== this.#life) return;
      this.#name = name;
      this.#isStored = delta === this.#delta;
      this.#isForgotten = false;
      mend('learnt-not-stored');
    } catch (error) {
      const { name, message } = error as Error;
      degrade(
        'learnt-not-stored',
        `What was learnt is kept in this page's memory and ends with it: ${message || name}`,
      );
    }
  }

  /** Whether there is something that could be stored and is not. */
  get isUnsaved(): boolean {
    return (this.#delta !== undefined || this.#since !== undefined) && !this.#isStored;
  }

  /** Begins anew after that time, in seconds since 1970. */
  forget(since: number): void {
    this.drop();
    this.#since = since;
    this.#isForgotten = this.#parts.status().storage !== 'indexeddb';
  }

  /**
   * What was forgotten by a clock that was ahead is forgotten up to now, so that learning does not wait for that date.
   *
   * @param latest Seconds since 1970.
   * @returns Whether that is news, and to be saved.
   */
  notAfter(latest: number): boolean {
    if (this.since <= latest) return false;
    this.#since = latest;
    this.#isStored = false;
    return true;
  }

  /** Nothing is known any more, and nothing that is under way brings it back. */
  drop(): void {
    this.#life++;
    this.#take(undefined);
    this.#since = undefined;
    this.#name = undefined;
    this.#isForgotten = false;
  }

  #take(delta: Delta | undefined, bytes = 0): void {
    this.#delta = delta;
    this.#isMet ||= delta !== undefined;
    this.#bytes = bytes;
    this.#isStored = false;
  }

  async #setAside(reason: string): Promise<void> {
    const name = this.#name;
    this.#take(undefined);
    this.#parts.degrade('learnt-set-aside', `What was learnt is set aside, and learning begins anew: ${reason}`);
    this.#name = undefined;
    await Promise.all([
      this.setAdapter(), // at once: the next answer should be the model's own
      this.#deltas.setAside(name, reason).catch(() => {}), // it will be found again
    ]);
  }
}
