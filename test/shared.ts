/** Data that tests, benches and scripts read: golden files of the repository, and logs beside the checkout, which a fresh clone lacks. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Folder of the reference implementations' tensors. */
export const GOLDEN = fileURLToPath(new URL('golden', import.meta.url));

const root = fileURLToPath(new URL('../../shared/', import.meta.url));

/** Absolute path of a file or folder of `../shared`; undefined where it is missing. */
export function sharedPath(...parts: string[]): string | undefined {
  const path = root + parts.join('/');
  return existsSync(path) ? path : undefined;
}
