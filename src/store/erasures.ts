/**
 * How a database is erased, here and where another tab does it; whatever else is done with it waits for that.
 *
 * What another tab stores after an erasure must not go with what is left of the time before: a database that holds no event
 * is marked first, and whoever finds the mark writes nothing before that database is gone.
 */
import type { Database } from './database';
import { emptyOf } from './transactions';
import { sleep } from './waiting';

/** Milliseconds that another tab may take to notice, and to delete what it wrote meanwhile. */
const LINGER = 1000;
/** Milliseconds after which whoever has set a mark may not delete by it any more; others heed it for twice as long. */
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
   * After another tab has erased: what this tab was writing meanwhile may have come after that, so it goes, and where
   * nothing is left, a while later the database.
   *
   * @param forgotten Settles when nothing more is being written beside the events.
   */
  async sweep(forgotten: unknown, tab: string): Promise<void> {
    let left = await this.#then(async () => {
      await forgotten;
      return this.#database.runIfExists('readwrite', (records) => emptyOf(records, tab), true);
    });
    while (left !== false) {
      await sleep(LINGER).over;
      // Whoever has left knows nothing of what is written since.
      if (this.#isEnded) return;
      left = await this.#then(() => this.#end());
    }
  }

  /** Deletes a database without events, by a mark of its own. @returns False where there is nothing left to delete. */
  async #end(): Promise<boolean | undefined> {
    const now = Date.now();
    const left = await this.#database.runIfExists('readwrite', (records) => emptyOf(records, undefined, now), false);
    // One that was frozen meanwhile would delete what was stored since.
    if (!left || Date.now() - now > HOLDS) return left;
    await this.#database.drop();
    return false;
  }

  /** From now on nothing is deleted that was not asked for. */
  end(): void {
    this.#isEnded = true;
  }

  #then<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#running.then(work);
    this.#running = run.catch(() => {});
    return run;
  }
}
