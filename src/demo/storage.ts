/** Takes the browser's storage away: fills what this origin may use, really, and frees it; or deletes what is stored. */

/** The database that takes the room. */
const FILLER = 'aisle-demo-filler';
/** Most bytes that are written: a browser on a large disk allows more than anybody wants to wait for. */
export const MOST = 500e6;
const LARGEST = 8 * 1024 ** 2;
const SMALLEST = 1;

let filled = false;
/** Whether this page has filled it, and not freed it. */
export const isFilled = (): boolean => filled;

/**
 * Stores bytes until the browser refuses a single one more.
 *
 * @param progress Called with the bytes so far.
 * @returns How many there are; 0 where `MOST` have not filled it: they are deleted again. What a browser estimates tells nothing,
 *   as some name the same room to every page.
 */
export async function fillStorage(progress: (bytes: number) => void): Promise<number> {
  const database = await opened();
  filled = true; // a part of it, even where the rest fails
  const noise = new Uint8Array(LARGEST);
  for (let at = 0; at < LARGEST; at += 65_536) crypto.getRandomValues(noise.subarray(at, at + 65_536)); // compresses to nothing less
  let written = 0;
  try {
    for (let size = LARGEST; size >= SMALLEST && written < MOST; ) {
      if (await isStored(database, noise.slice(0, size))) {
        written += size;
        progress(written);
      } else size /= 2;
    }
  } finally {
    database.close();
  }
  if (written < MOST) return written;
  await freeStorage();
  return 0;
}

/** Frees what this page, or one that was closed before it did, has filled. */
export async function freeStorage(): Promise<void> {
  await removed(FILLER);
  filled = false;
}

/** Deletes every database of this origin, as clearing a site's data does. @returns Their names. */
export async function wipeStorage(): Promise<string[]> {
  const names = (await indexedDB.databases()).flatMap(({ name }) => name ?? []);
  await Promise.all(names.map(removed));
  filled = false;
  return names;
}

function opened(): Promise<IDBDatabase> {
  const request = indexedDB.open(FILLER, 1);
  request.onupgradeneeded = () => request.result.createObjectStore('bytes', { autoIncrement: true });
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Whether there was room. */
function isStored(database: IDBDatabase, bytes: Uint8Array): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction('bytes', 'readwrite');
    transaction.oncomplete = () => resolve(true);
    transaction.onabort = () =>
      transaction.error?.name === 'QuotaExceededError' ? resolve(false) : reject(transaction.error);
    transaction.objectStore('bytes').add(bytes);
  });
}

function removed(name: string): Promise<void> {
  const request = indexedDB.deleteDatabase(name);
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
}
