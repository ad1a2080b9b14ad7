/**
 * Erases the database, for this tab and after an erasure by another tab. All other operations wait for it.
 *
 * An erasure must not delete what another tab stores afterwards. A database without events is therefore marked first, and a
 * tab that finds the mark writes nothing until that database is deleted.
 */
import { quiet } from '../errors';
import type { Database } from './database';
import { emptyOf } from './transactions';
import { sleep } from './waiting';

/** Milliseconds for another tab to notice the erasure and to delete what it wrote meanwhile. */
const LINGER = 1000;
/** Milliseconds for which a mark allows its tab to delete; the other tabs respect it for twice as long. */
const HOLDS = 1000;

export class Erasures {
  readonly #database: Database;
  #running: Promise<unknown> = Promise.resolve();
  #isEnded = false;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Settles when nothing is being erased. Never rejects. */
  get over(): Promise<unknown> {
    return this.#running;
  }

  erase(): Promise<void> {
    return this.#then(() => this.#database.delete());
  }

  /**
   * Cleans up after another tab has erased. Deletes what this tab may have written since, and a little later the database if
   * nothing is left.
   *
   * @param forgotten Settles when all writes beside the events have ended.
   */
  async sweep(forgotten: unknown, tab: string): Promise<void> {
    let left = await this.#then(async () => {
      await forgotten;
      return this.#database.runIfExists('readwrite', (records) => emptyOf(records, tab), true);
    });
    while (left !== false) {
      await sleep(LINGER).over;
      // A closed store does not know what was written since.
      if (this.#isEnded) return;
      left = await this.#then(() => this.#end());
    }
  }

  /** Marks and deletes a database without events. @returns False if there is nothing left to delete. */
  async #end(): Promise<boolean | undefined> {
    const now = Date.now();
    const left = await this.#database.runIfExists('readwrite', (records) => emptyOf(records, undefined, now), false);
    // A tab that was frozen meanwhile would delete what was stored since.
    if (!left || Date.now() - now > HOLDS) return left;
    await this.#database.drop();
    return false;
  }

  /** Stops the clean-up after erasures by other tabs. */
  end(): void {
    this.#isEnded = true;
  }

  #then<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#running;
    const run = (async () => {
      await before;
      return work();
    })();
    this.#running = quiet(() => run);
    return run;
  }
}
