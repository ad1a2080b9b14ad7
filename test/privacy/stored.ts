/** Everything that an origin has on a device, as one text: two dumps are equal where every byte is. */
import type { Page } from 'playwright-core';

/** What each storage area of the page's origin holds, its keys in order. An area that holds nothing is an empty list. */
export interface Stored {
  /** `database/store/key`, and what is there. */
  readonly indexedDB: readonly (readonly [name: string, value: string])[];
  readonly localStorage: readonly (readonly [key: string, value: string])[];
  readonly sessionStorage: readonly (readonly [key: string, value: string])[];
  /** `cache/url`, and the body. */
  readonly caches: readonly (readonly [name: string, body: string])[];
  /** Paths in the origin's private file system, and what is there. */
  readonly files: readonly (readonly [path: string, content: string])[];
  readonly cookies: readonly (readonly [name: string, value: string])[];
  readonly serviceWorkers: readonly string[];
}

export const NOTHING: Stored = {
  indexedDB: [],
  localStorage: [],
  sessionStorage: [],
  caches: [],
  files: [],
  cookies: [],
  serviceWorkers: [],
};

/** Reads it in the page, and adds the cookies that no script sees. */
export async function storedIn(page: Page): Promise<Stored> {
  const cookies = await page.context().cookies(page.url());
  const inPage = await page.evaluate(readAll);
  return { ...inPage, cookies: cookies.map(({ name, value }) => [name, value] as const).sort() };
}

async function readAll(): Promise<Omit<Stored, 'cookies'>> {
  type Pair = readonly [string, string];
  const hex = (bytes: ArrayBuffer | ArrayBufferView): string =>
    [
      ...(ArrayBuffer.isView(bytes)
        ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        : new Uint8Array(bytes)),
    ]
      .map((byte) => byte.toString(16).padStart(2, '0'))
      .join('');
  const text = (value: unknown): string =>
    JSON.stringify(value, (_, part: unknown) =>
      part instanceof ArrayBuffer || ArrayBuffer.isView(part) ? { bytes: hex(part) } : part,
    ) ?? 'undefined';
  const settled = <T>(request: IDBRequest<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });

  async function databases(): Promise<Pair[]> {
    const found: Pair[] = [];
    for (const { name = '' } of await indexedDB.databases()) {
      const opening = indexedDB.open(name);
      opening.onupgradeneeded = () => opening.transaction!.abort(); // deleted a moment ago, and not to be made again
      const database = await settled(opening).catch(() => undefined);
      if (database === undefined) continue;
      found.push([name, `version ${database.version}`]);
      for (const storeName of database.objectStoreNames) {
        const store = database.transaction(storeName).objectStore(storeName);
        const [keys, values] = await Promise.all([settled(store.getAllKeys()), settled(store.getAll())]);
        for (const [i, key] of keys.entries()) found.push([`${name}/${storeName}/${text(key)}`, text(values[i])]);
      }
      database.close();
    }
    return found.sort();
  }
  async function cached(): Promise<Pair[]> {
    const found: Pair[] = [];
    for (const name of await caches.keys()) {
      found.push([name, '']);
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        found.push([`${name}/${request.url}`, hex(await (await cache.match(request))!.arrayBuffer())]);
      }
    }
    return found.sort();
  }
  async function files(folder: FileSystemDirectoryHandle, path = ''): Promise<Pair[]> {
    const found: Pair[] = [];
    for await (const [name, handle] of folder as unknown as AsyncIterable<[string, FileSystemHandle]>) {
      if (handle.kind === 'directory')
        found.push(...(await files(handle as FileSystemDirectoryHandle, `${path}${name}/`)));
      else found.push([path + name, hex(await (await (handle as FileSystemFileHandle).getFile()).arrayBuffer())]);
    }
    return found.sort();
  }
  return {
    indexedDB: await databases(),
    localStorage: Object.entries({ ...localStorage }).sort(),
    sessionStorage: Object.entries({ ...sessionStorage }).sort(),
    caches: await cached(),
    files: await files(await navigator.storage.getDirectory()),
    serviceWorkers: (await navigator.serviceWorker.getRegistrations()).map(({ scope }) => scope),
  };
}
