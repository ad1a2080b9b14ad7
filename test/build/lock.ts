/** One process at a time does a piece of work, such as a build; one that was killed in it holds nobody up. */
import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';

/** No work lasts as long: a process that seems to hold a lock since then has the number of one that is dead. */
const LONGEST = 15 * 60_000;

/**
 * Runs work while nobody else does under the same lock, and waits until then.
 *
 * @param lock Path of a file, which holds its owner's process id while the work lasts.
 * @param abandoned Called before the lock of a dead owner is taken over: its work was left half-done.
 */
export async function withLock<T>(lock: string, work: () => T, abandoned: () => void): Promise<T> {
  while (!take(lock)) {
    const owner = ownerOf(lock);
    // Asked for again: an owner that is done frees its lock before it ends.
    if (owner !== undefined && isDead(owner, lock) && ownerOf(lock) === owner) {
      abandoned();
      free(lock, owner);
    } else await new Promise((next) => setTimeout(next, 100));
  }
  try {
    return work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** A link is there with its content, or not at all. */
function take(lock: string): boolean {
  const own = `${lock}.${process.pid}`;
  writeFileSync(own, `${process.pid}`);
  try {
    linkSync(own, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(own);
  }
}

function ownerOf(lock: string): string | undefined {
  try {
    return readFileSync(lock, 'utf8');
  } catch {
    return undefined; // it was free again
  }
}

function isDead(owner: string, lock: string): boolean {
  try {
    process.kill(Number(owner), 0);
    return Date.now() - statSync(lock).mtimeMs > LONGEST;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** Of several who wait, one may have taken the lock over since this one looked: then it goes back. */
function free(lock: string, owner: string): void {
  const aside = `${lock}.dead-${process.pid}`;
  try {
    renameSync(lock, aside);
  } catch {
    return; // it is free already
  }
  if (readFileSync(aside, 'utf8') === owner) rmSync(aside);
  else renameSync(aside, lock);
}
