/** Reference material beside the checkout: present for developers, absent on a fresh clone. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../shared/', import.meta.url));

/** Absolute path of a file or folder of the reference material; undefined where it is missing. */
export function sharedPath(...parts: string[]): string | undefined {
  const path = root + parts.join('/');
  return existsSync(path) ? path : undefined;
}

/** `sharedPath`, and one line that tells a reader of the test's output what was left out. */
export function sharedPathOrNote(...parts: string[]): string | undefined {
  const path = sharedPath(...parts);
  if (!path) console.info(`Not here, so left out of this test: ../shared/${parts.join('/')}`);
  return path;
}
