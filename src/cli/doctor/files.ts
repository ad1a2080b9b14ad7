/** One file after another: whether it came, as what, and with which headers. */
import { looksLikeHtml } from '../../checkpoint/json';
import type { FileEntry } from '../../checkpoint/manifest';
import { sha256 } from '../../checkpoint/sha256';
import type { Add, Answer, Site } from './types';

/** What a file is for. `hashed`: its name changes with its content. */
export interface Wanted {
  readonly url: URL;
  readonly isHashed?: boolean;
  /** Whether a page compares it with its hash, and asks the server where a cache has another one. Default false. */
  readonly isCompared?: boolean;
  readonly entry?: FileEntry;
}

/** Files that are looked at side by side. */
const TOGETHER = 6;
/** Bytes below which compressing is not worth it: one packet. */
const SMALL = 1400;
const COMPRESSIBLE = /\.(js|json|wasm|safetensors|bin)$/;
/** A folder that is named by a version, of Aisle or of a model: what is in it never changes. */
const VERSIONED = /\/([^/]*\d+\.\d+\.\d+|[0-9a-f]{12})\//;
const SCRIPT = /^(text|application)\/(x-)?(java|ecma)script$/;
const HOUR = 3600;
const DAY = 24 * HOUR;
const MISSING = 'Copy the whole folder again.';

/** Looks at files of one folder. @returns Those that came. */
export async function checkFiles(
  site: Site,
  files: readonly Wanted[],
  page: URL | undefined,
  add: Add,
): Promise<ReadonlyMap<string, Answer>> {
  const found = new Map<string, Answer>();
  const waiting = [...files];
  async function work(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const answer = await checkFile(site, next, page, add);
      if (answer !== undefined) found.set(next.url.href, answer);
    }
  }
  await Promise.all(Array.from({ length: TOGETHER }, work));
  return found;
}

/** @returns What came, if it is the file. */
export async function checkFile(
  site: Site,
  { url, isHashed = false, isCompared = false, entry }: Wanted,
  page: URL | undefined,
  add: Add,
): Promise<Answer | undefined> {
  const answer = await site.get(url, page && { from: page });
  if (answer === undefined) return undefined;
  const name = site.name(url);
  if (!isThere(answer, name, add)) return undefined;
  const { bytes, headers } = answer;
  if (entry !== undefined) {
    const isSame = bytes.length === entry.bytes && (await sha256(bytes)) === entry.sha256;
    if (!isSame) {
      const what = 'has another content than the list of its folder says: damaged, or of another version.';
      add('error', 'other-version', name, what, `${MISSING} If a cache is in front of it, empty that.`);
      return undefined;
    }
  }
  if (headers === undefined) return answer;
  checkType(url, headers, name, add);
  if (page !== undefined && answer.url.origin !== page.origin) checkCors(headers, page, name, add);
  if (COMPRESSIBLE.test(url.pathname) && bytes.length > SMALL && !headers.has('content-encoding')) {
    add(
      'warning',
      'not-compressed',
      name,
      'is not compressed on its way.',
      'Compress .js, .json, .wasm, .safetensors and .bin by Brotli or gzip.',
    );
  }
  if (!isCompared) checkCache(headers, isHashed, VERSIONED.test(url.pathname), name, add);
  return answer;
}

/** Whether a file came, and is none of a server's pages in its place. */
function isThere({ status, bytes, headers, failure }: Answer, name: string, add: Add): boolean {
  if (failure !== undefined) {
    add(
      'error',
      status === 404 ? 'missing' : 'unreachable',
      name,
      `${failure}.`,
      status === 404 ? MISSING : 'Check the address.',
    );
  } else if (status === 401 || status === 403) {
    add(
      'error',
      'sign-in',
      name,
      `is refused with status ${status}.`,
      'Aisle sends no credentials: serve its files without a sign-in.',
    );
  } else if (status !== 200) {
    add(
      'error',
      'missing',
      name,
      `is answered with status ${status}.`,
      status >= 500 ? 'Look at the server’s log.' : MISSING,
    );
  } else if (/\bhtml\b/i.test(headers?.get('content-type') ?? '') || looksLikeHtml(bytes)) {
    const what = 'is an HTML page instead of the file: a sign-in page, or the page for unknown addresses.';
    add('error', 'html', name, what, 'Serve the file itself, without a sign-in.');
  } else return true;
  return false;
}

function checkType({ pathname }: URL, headers: Headers, name: string, add: Add): void {
  const type = (headers.get('content-type') ?? '').replace(/;.*/s, '').trim().toLowerCase();
  const got = type === '' ? 'no type' : type;
  if (pathname.endsWith('.js') && !SCRIPT.test(type)) {
    add(
      'error',
      'type',
      name,
      `is sent as ${got}: browsers run modules as text/javascript only.`,
      'Send .js as text/javascript.',
    );
  }
  if (pathname.endsWith('.wasm') && type !== 'application/wasm') {
    add('warning', 'type-wasm', name, `is sent as ${got}, which starts slower.`, 'Send .wasm as application/wasm.');
  }
}

function checkCors(headers: Headers, page: URL, name: string, add: Add): void {
  const allowed = headers.get('access-control-allow-origin');
  if (allowed === '*' || allowed === page.origin) return;
  const what = `is on another origin, and ${allowed === null ? 'has no CORS header' : `its CORS header allows ${allowed}`}.`;
  add('error', 'cors', name, what, `Send Access-Control-Allow-Origin: * (or ${page.origin}).`);
}

function checkCache(headers: Headers, isHashed: boolean, isVersioned: boolean, name: string, add: Add): void {
  const cache = headers.get('cache-control')?.toLowerCase();
  const age = Number(/(?:^|[\s,])max-age=(\d+)/.exec(cache ?? '')?.[1] ?? (cache?.includes('immutable') ? DAY : 0));
  const isRevalidated = /no-cache|no-store/.test(cache ?? '') || age === 0;
  if (isHashed) {
    if (isRevalidated || age < DAY) {
      const what = 'is named by its content, but asked for again on later visits.';
      add(
        'warning',
        'cache-short',
        name,
        what,
        'Send Cache-Control: public, max-age=31536000, immutable for all files of the folder but embed.js and worker.js.',
      );
    }
  } else if (!isRevalidated && age > HOUR && !isVersioned) {
    const what = `keeps its name in the next release, but browsers keep it for ${inWords(age)}: versions get mixed.`;
    add('warning', 'cache-long', name, what, 'Send Cache-Control: no-cache, or give each release a folder of its own.');
  } else if (cache === undefined && !headers.has('expires')) {
    const what = 'has no Cache-Control: each browser guesses how long to keep it.';
    add('warning', 'cache-none', name, what, 'Send Cache-Control: no-cache.');
  }
}

const inWords = (seconds: number): string =>
  seconds >= 2 * DAY ? `${Math.round(seconds / DAY)} days` : `${Math.round(seconds / HOUR)} hours`;
