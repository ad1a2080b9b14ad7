/** How a database is erased, here and where another tab does it; whatever else is done with it waits for that. */
import type { Database } from './database';
import { deleteOf } from './transactions';
import { sleep } from './waiting';

/** Milliseconds that another tab may take to notice, and to delete what it wrote meanwhile. */
const LINGER = 1000;

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
    let isEmpty = false;
    const own = async (): Promise<void> => {
      await forgotten;
      isEmpty = await this.#database.inside('readwrite', (records) => deleteOf(records, tab), true);
    };
    await this.#then(own);
    if (!isEmpty) return;
    await sleep(LINGER).over;
    // Whoever has left knows nothing of what is written since.
    if (this.#isEnded) return;
    if (await this.#database.inside('readwrite', (records) => deleteOf(records), false)) await this.erase();
  }

  /** From now on nothing is deleted that was not asked for. */
  end(): void {
    this.#isEnded = true;
  }

  #then(work: () => Promise<void>): Promise<void> {
    const run = this.#running.then(work);
    this.#running = run.catch(() => {});
    return run;
  }
}
