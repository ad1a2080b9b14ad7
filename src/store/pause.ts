/** Whether recording is paused: what this page was told, what the device says, and which of the two counts. */
export class Pause {
  #on = false;
  #due = false;
  /** Whether the device is known to say that it is paused. */
  #marked = false;

  get on(): boolean {
    return this.#on;
  }

  /** Whether it has still to be written. Until then the device's word does not count. */
  get due(): boolean {
    return this.#due;
  }

  /** @param stores Whether this page may write to the device. */
  set(on: boolean, stores: boolean): void {
    this.#on = on;
    this.#due = stores;
  }

  /** The page may write from now on. */
  opened(): void {
    this.#due ||= this.#on;
  }

  /**
   * What the device says. One that never said "paused" says nothing about a pause of which only this page knows.
   *
   * @returns What changes by it, if anything.
   */
  meet(says: boolean): boolean | undefined {
    if (this.#due) return undefined;
    const before = this.#on;
    if (says || this.#marked) this.#on = says;
    this.#marked = says;
    return this.#on === before ? undefined : this.#on;
  }

  /** Whether a record must not be written: the device has been paused by a tab that could not tell this one. */
  forbids(says: boolean): boolean {
    return says && !this.#on && !this.#due;
  }

  written(on: boolean): void {
    this.#marked = on;
    this.#due = this.#on !== on;
  }

  /**
   * The device was erased, and its mark with it. This page stays as it is.
   *
   * @param isDue Whether it has still to be written. Default false: it was said before the erasure.
   */
  erased(isDue = false): void {
    this.#due = isDue;
    this.#marked = false;
  }
}
