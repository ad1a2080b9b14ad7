/** The two places where the doctor looks: a folder, and the web. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf, throwIfAborted } from '../../errors';
import { systemCodeOf, systemMeaning } from '../../pipeline/errors';
import type { Answer, Site } from './types';

/** The address that stands for a folder; nothing is requested from it. */
export const FOLDER = new URL('http://folder.invalid/');
const MAX_REDIRECTS = 10;
/** Seconds in which a file must have come. */
const DEADLINE = 60;
const NOTHING = new Uint8Array();

/** The files of a folder, as if it were the root of a site. */
export function folderSite(root: string): Site {
  return {
    async get(url) {
      if (url.origin !== FOLDER.origin) return undefined;
      const path = decodeURIComponent(url.pathname);
      try {
        return { url, status: 200, bytes: await readFile(join(root, path.endsWith('/') ? `${path}index.html` : path)) };
      } catch (error) {
        const isMissing = ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(systemCodeOf(error) ?? '');
        const failure = isMissing
          ? 'is not there, with the folder as the root of the site'
          : `cannot be read: ${systemMeaning(error) ?? reasonOf(error)}`;
        return { url, status: isMissing ? 404 : 0, bytes: NOTHING, failure };
      }
    },
    name: (url) => (url.origin === FOLDER.origin ? decodeURIComponent(url.pathname.slice(1)) || './' : url.href),
  };
}

/** The web: GETs without credentials, each address once. */
export function webSite(signal: AbortSignal): Site {
  const answers = new Map<string, Promise<Answer>>();
  return {
    get(url, { from } = {}) {
      const isForeign = from !== undefined && from.origin !== url.origin;
      const key = `${url.href} ${isForeign}`;
      const known = answers.get(key);
      if (known !== undefined) return known;
      const answer = fetchOf(url, isForeign ? { origin: from.origin } : {}, signal);
      answers.set(key, answer);
      return answer;
    },
    name: (url) => url.href,
  };
}

async function fetchOf(start: URL, more: Readonly<Record<string, string>>, outer: AbortSignal): Promise<Answer> {
  const headers = { 'accept-encoding': 'br, gzip', 'user-agent': 'aisle-doctor', ...more };
  const seen = new Set<string>();
  let url = start;
  try {
    const signal = AbortSignal.any([outer, AbortSignal.timeout(1000 * DEADLINE)]);
    for (;;) {
      if (seen.has(url.href)) return failed(url, 'redirects in a circle');
      if (seen.size > MAX_REDIRECTS) return failed(url, `redirects more than ${MAX_REDIRECTS} times`);
      seen.add(url.href);
      const response = await fetch(url, { redirect: 'manual', credentials: 'omit', headers, signal });
      const to = response.headers.get('location');
      if (response.status >= 300 && response.status < 400 && to !== null) {
        await response.body?.cancel();
        if (!URL.canParse(to, url)) return failed(url, 'redirects to what is no address');
        url = new URL(to, url);
        continue;
      }
      const bytes = new Uint8Array(await response.arrayBuffer());
      return { url, status: response.status, headers: response.headers, bytes };
    }
  } catch (error) {
    throwIfAborted(outer);
    const { cause } = error as { cause?: unknown };
    return failed(url, `cannot be fetched: ${reasonOf(cause ?? error)}`);
  }
}

const failed = (url: URL, failure: string): Answer => ({ url, status: 0, bytes: NOTHING, failure });
