/** Takes the browser's storage away: fills what this origin may use, really, and frees it; or deletes what is stored. */

/**
 * The cache that takes the room, the same room as every storage of the origin has. A database of that size would not do: it gets
 * smaller by itself when it is tidied up.
 */
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
  const noise = new Uint8Array(LARGEST); // what is alike would be stored once, or compressed
  for (let at = 0; at < LARGEST; at += 65_536) crypto.getRandomValues(noise.subarray(at, at + 65_536));
  const cache = await caches.open(FILLER);
  filled = true; // a part of it, even where the rest fails
  let written = 0;
  for (let size = LARGEST, file = 0; size >= SMALLEST && written < MOST; ) {
    if (await isStored(cache, `${FILLER}/${file++}`, noise.subarray(0, size))) {
      written += size;
      progress(written);
    } else size >>= 1;
  }
  if (written < MOST) return written;
  await freeStorage();
  return 0;
}

/** Frees what this page, or one that was closed before it did, has filled. */
export async function freeStorage(): Promise<void> {
  await caches.delete(FILLER);
  filled = false;
}

/** Deletes every database of this origin, as clearing a site's data does. @returns Their names. */
export async function wipeStorage(): Promise<string[]> {
  const names = (await indexedDB.databases()).flatMap(({ name }) => name ?? []);
  await Promise.all(names.map(removed));
  return names;
}

/** Whether there was room. */
async function isStored(cache: Cache, name: string, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  try {
    await cache.put(name, new Response(bytes));
    return true;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'QuotaExceededError') return false;
    throw error;
  }
}

function removed(name: string): Promise<void> {
  const request = indexedDB.deleteDatabase(name);
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
}
