/** The studio's files in the browser's private storage, or in memory where that refuses. Runs in the worker. */
import { reasonOf } from '../errors';
import { FOLDER } from './places';

export class StudioFiles {
  /** What the storage has refused. */
  readonly #inMemory = new Map<string, Blob>();
  readonly #root: Promise<FileSystemDirectoryHandle | undefined>;
  #isWarned = false;
  readonly #writing = new Set<Promise<boolean>>();
  #isErased = false;

  /** @param warn Told once, in words, that what follows is in memory only. */
  constructor(private readonly warn: (text: string) => void) {
    this.#root = this.#open();
  }

  async #open(): Promise<FileSystemDirectoryHandle | undefined> {
    try {
      const storage = await navigator.storage.getDirectory();
      return await storage.getDirectoryHandle(FOLDER, { create: true });
    } catch (error) {
      this.#refused(error);
      return undefined;
    }
  }

  /** @param path Names separated by `/`. @returns Undefined where there is no such file, or an empty one. */
  async read(path: string): Promise<Blob | undefined> {
    return this.#inMemory.get(path) ?? this.#stored(path);
  }

  async #stored(path: string): Promise<Blob | undefined> {
    const handle = await this.#handle(path, false).catch(absent);
    const file = await handle?.getFile();
    return file?.size ? file : undefined; // a tab that was closed while it wrote may leave an empty one
  }

  /** Replaces a file, whole or not at all; nothing once all are erased. @returns Whether it stays when the tab is closed. */
  async write(path: string, content: Blob | Uint8Array<ArrayBuffer>): Promise<boolean> {
    if (this.#isErased) return false;
    const writing = this.#write(path, content);
    this.#writing.add(writing);
    return writing.finally(() => this.#writing.delete(writing));
  }

  async #write(path: string, content: Blob | Uint8Array<ArrayBuffer>): Promise<boolean> {
    try {
      const handle = await this.#handle(path, true);
      if (handle) {
        const stream = await handle.createWritable();
        try {
          await stream.write(content);
          await stream.close();
        } catch (error) {
          await stream.abort().catch(() => {}); // it has failed already
          throw error;
        }
        this.#inMemory.delete(path);
        return true;
      }
    } catch (error) {
      this.#refused(error);
      // The entry was made before its content was refused.
      if (!(await this.#stored(path).catch(() => undefined))) await this.remove(path).catch(() => {});
    }
    this.#inMemory.set(path, content instanceof Blob ? content : new Blob([content]));
    return false;
  }

  /** Removes a file, or a folder with its content, if there is one. */
  async remove(path: string): Promise<void> {
    for (const name of this.#inMemory.keys()) {
      if (name === path || name.startsWith(`${path}/`)) this.#inMemory.delete(name);
    }
    const folder = await this.#folder(path, false).catch(absent);
    await folder?.removeEntry(path.split('/').at(-1)!, { recursive: true }).catch(absent);
  }

  /** Removes everything, also what is being written; nothing is written any more. */
  async erase(): Promise<void> {
    this.#isErased = true;
    await Promise.all(this.#writing);
    this.#inMemory.clear();
    if (!(await this.#root)) return;
    const storage = await navigator.storage.getDirectory();
    await storage.removeEntry(FOLDER, { recursive: true }).catch(absent);
  }

  async #handle(path: string, create: boolean): Promise<FileSystemFileHandle | undefined> {
    return (await this.#folder(path, create))?.getFileHandle(path.split('/').at(-1)!, { create });
  }

  /** The folder that a path's file is in. */
  async #folder(path: string, create: boolean): Promise<FileSystemDirectoryHandle | undefined> {
    let folder = await this.#root;
    for (const name of path.split('/').slice(0, -1)) folder = await folder?.getDirectoryHandle(name, { create });
    return folder;
  }

  #refused(error: unknown): void {
    if (this.#isWarned) return;
    this.#isWarned = true;
    const why =
      (error as Error).name === 'QuotaExceededError'
        ? 'The browser’s storage for this page is full'
        : `The browser keeps no files for this page (${reasonOf(error)})`;
    this.warn(`${why}. The studio goes on in memory: what comes now is lost when this tab is closed.`);
  }
}

const absent = (error: unknown): undefined => {
  if ((error as Error).name !== 'NotFoundError') throw error;
  return undefined;
};
