/** Whether recording is paused, by this page's own setting and the mark on the device. */
export class Pause {
  #on = false;
  #due = false;
  /** Whether the device is known to hold the mark. */
  #marked = false;

  get on(): boolean {
    return this.#on;
  }

  /** Whether the setting has still to be written. Until then the mark on the device is ignored. */
  get due(): boolean {
    return this.#due;
  }

  set(on: boolean): void {
    this.#on = on;
    this.#due = true;
  }

  /** This page may write from now on: a pause, also one of before an erasure. */
  opened(): void {
    this.#due ||= this.#on;
  }

  /**
   * Takes over the mark on the device. A device that never held the mark does not end a pause that only this page knows.
   *
   * @returns The new setting if it changes.
   */
  update(isMarked: boolean): boolean | undefined {
    if (this.#due) return undefined;
    const before = this.#on;
    if (isMarked || this.#marked) this.#on = isMarked;
    this.#marked = isMarked;
    return this.#on === before ? undefined : this.#on;
  }

  /** Whether nothing may be written, because a tab that could not notify this one has paused the device. */
  forbids(isMarked: boolean): boolean {
    return isMarked && !this.#on && !this.#due;
  }

  written(on: boolean): void {
    this.#marked = on;
    this.#due = this.#on !== on;
  }

  /**
   * The device was erased, and the mark with it. The setting of this page stays.
   *
   * @param isDue Whether the setting has still to be written. Default false: it is older than the erasure.
   */
  erased(isDue = false): void {
    this.#due = isDue;
    this.#marked = false;
  }
}
