/**
 * Reads an artifact over HTTP: the one place that makes requests. They are GETs of files of an artifact or a catalogue, without
 * credentials and without a referrer, chosen by the manifest and never by what was clicked or recommended.
 */
import { abortable } from '../abort';
import type { OpenedArtifact } from '../checkpoint/artifact';
import { looksLikeHtml } from '../checkpoint/json';
import { MANIFEST } from '../checkpoint/manifest';
import { type OnManifest, openArtifact, tooLong } from '../checkpoint/open';
import { RecommenderError, reasonOf, throwIfAborted } from '../errors';
import { DOWNLOAD_SECONDS, LEAST_SPEED, MAX_ARTIFACT_BYTES } from '../limits';
import type { LoadProgress } from './types';

type FetchOptions = Pick<RequestInit, 'cache' | 'priority'>;

/**
 * How files are fetched: `fetch` in a page, a reader of folders on the command line. Rejects where nothing answers.
 *
 * @param options How the browser's cache is used; a priority for what comes later than the model, a catalogue.
 */
export type FetchFile = (url: string, signal: AbortSignal, options?: FetchOptions) => Promise<Response>;

/** `fetch` as the privacy promise wants it. */
export const fetchPrivately: FetchFile = (url, signal, options) =>
  fetch(url, {
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
    signal,
    ...options,
  });

export interface ArtifactLoaderOptions {
  /** Default `fetchPrivately`. */
  readonly fetchFile?: FetchFile;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
  readonly onManifest?: OnManifest;
  /** Most bytes of all files of the artifact together. Default `MAX_ARTIFACT_BYTES`. */
  readonly maxBytes?: number | undefined;
  /** Seconds without a byte after which a download has failed. Default 30. */
  readonly stallDeadline?: number;
  /** Seconds for the whole download, besides what its size needs at `LEAST_SPEED`. Default `DOWNLOAD_SECONDS`. */
  readonly deadline?: number;
}

/**
 * Loads and checks the artifact in a folder.
 *
 * @param baseUrl Absolute URL of the folder, ending in `/`, or with `{file}` in its path, in place of a file's name.
 * @throws RangeError if `baseUrl` is not such a URL.
 * @throws RecommenderError `bad-artifact` naming the file where one is missing, truncated, damaged, or a page instead of
 *   the file; `io` where the server or the network fails; `timeout` where a download stalls; `aborted`.
 */
export async function loadArtifact(baseUrl: string, options: ArtifactLoaderOptions = {}): Promise<OpenedArtifact> {
  if (!URL.canParse(baseUrl) || !/\/$|%7Bfile%7D/.test(new URL(baseUrl).pathname)) {
    throw new RangeError(`modelUrl: expected an absolute URL that ends in "/" or has {file}, got "${baseUrl}".`);
  }
  const { maxBytes = MAX_ARTIFACT_BYTES, deadline = DOWNLOAD_SECONDS, onManifest = () => [] } = options;
  /** Of all files that the artifact is opened with; those that are read later have their own. */
  let end: number | undefined = performance.now() + 1000 * deadline;
  const get = (name: string, maxBytes: number, fetchOptions: FetchOptions) =>
    download(baseUrl, name, maxBytes, { ...options, fetchOptions, end });
  // The manifest has the hash of every file: a browser need not ask for one that it has, unless it is an older one.
  const opened = await openArtifact(
    (name, maxBytes) => get(name, maxBytes, name === MANIFEST ? {} : { cache: 'force-cache' }),
    (manifest) => {
      const bytes = Object.values(manifest.files).reduce((sum, file) => sum + file.bytes, 0);
      if (bytes > maxBytes) {
        const message = `${MANIFEST} lists ${bytes} bytes, at most ${maxBytes} are read (maxModelBytes).`;
        throw new RecommenderError('bad-artifact', message);
      }
      end! += secondsOf(bytes) * 1000;
      return onManifest(manifest);
    },
    (name, maxBytes) => get(name, maxBytes, { cache: 'reload' }),
  );
  end = undefined;
  return opened;
}

/** What so many bytes need on a slow network. */
const secondsOf = (bytes: number): number => bytes / LEAST_SPEED;

/**
 * Downloads one file of a folder.
 *
 * @throws RecommenderError as `loadArtifact`.
 */
export async function download(
  baseUrl: string,
  name: string,
  maxBytes: number,
  options: ArtifactLoaderOptions & {
    readonly fetchOptions?: FetchOptions;
    /** Hash of the file, for its address: then neither a browser nor a server between answers with another version. */
    readonly sha256?: string;
    /** When all must have come, by `performance.now()`. Default: by the size and `deadline`. */
    readonly end?: number | undefined;
  },
): Promise<Uint8Array<ArrayBuffer>> {
  const { fetchFile = fetchPrivately, signal, onProgress, stallDeadline = 30, fetchOptions, sha256 } = options;
  const { deadline = DOWNLOAD_SECONDS, end = performance.now() + 1000 * (deadline + secondsOf(maxBytes)) } = options;
  throwIfAborted(signal);
  const url = fileUrl(baseUrl, name, sha256);
  const watch = stallWatch(stallDeadline, end, signal);
  try {
    const response = await watch.unlessStalled(fetchFile(url, watch.signal, fetchOptions));
    const { body, status } = response;
    if (!response.ok || !body) throw notServed(url, status);
    const total = plainLength(response);
    const bytes = await readBody(body, maxBytes, watch, (loaded) =>
      onProgress?.({ stage: 'download', file: name, loaded, ...(total !== undefined && { total }) }),
    );
    if (isPage(name, response, bytes)) throw pageInstead(url);
    if (bytes.length > maxBytes) throw tooLong(name, maxBytes);
    return bytes;
  } catch (error) {
    throwIfAborted(signal);
    const { reason = error } = watch.signal;
    if (reason instanceof RecommenderError) throw reason;
    const message = `${url} could not be fetched: ${reasonOf(error)}. Check the address, the connection and CORS.`;
    throw new RecommenderError('io', message, { cause: error });
  } finally {
    watch.stop();
  }
}

/** `{file}`, as a URL has it. */
const FILE = '%7Bfile%7D';

/**
 * The address of a file of an artifact. The manifest names files beside itself, and nothing else: no folder above, no other host.
 *
 * @throws RecommenderError `bad-artifact` for another name.
 */
export function fileUrl(baseUrl: string, name: string, sha256?: string): string {
  if (!/^[\w][\w.-]*$/.test(name)) {
    throw new RecommenderError('bad-artifact', `manifest.json: "${name}" is not the name of a file beside it.`);
  }
  const url = new URL(baseUrl);
  // A version in the query (`?v=3`) stays.
  url.pathname = url.pathname.endsWith('/') ? url.pathname + name : url.pathname.replace(FILE, name);
  if (sha256 !== undefined) url.searchParams.set('sha256', sha256);
  return url.href;
}

/** Reads until more than `maxBytes` have come; the rest is not fetched. */
async function readBody(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  maxBytes: number,
  watch: StallWatch,
  loaded: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  try {
    while (length <= maxBytes) {
      const { done, value } = await watch.unlessStalled(reader.read());
      if (done) break;
      chunks.push(value);
      length += value.length;
      loaded(length);
    }
  } finally {
    reader.cancel().catch(() => {}); // the connection is of no more use
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** The length of the body, where the header counts the bytes that are read: not those of a compressed transfer. */
const plainLength = ({ headers }: Response): number | undefined =>
  headers.has('content-encoding') ? undefined : Number(headers.get('content-length')) || undefined;

/** Servers of single-page apps answer every unknown path with their page and status 200. */
function isPage(name: string, response: Response, bytes: Uint8Array): boolean {
  if (/\bhtml\b/i.test(response.headers.get('content-type') ?? '')) return true;
  return name.endsWith('.json') && looksLikeHtml(bytes);
}

const notServed = (url: string, status: number): RecommenderError =>
  status >= 500
    ? new RecommenderError('io', `${url} could not be fetched: the server answered ${status}. Try again later.`)
    : new RecommenderError(
        'bad-artifact',
        `${url} is not served: expected the file, got status ${status}. Upload the whole folder.`,
      );

const pageInstead = (url: string): RecommenderError =>
  new RecommenderError('bad-artifact', `${url} is an HTML page: the address answers with a web page.`);

interface StallWatch {
  /** Fires where the caller aborts, or the download stalls: then with that error. */
  readonly signal: AbortSignal;
  unlessStalled<T>(step: Promise<T>): Promise<T>;
  stop(): void;
}

/**
 * Ends a download if one of its steps does not settle in time. `fetch` itself waits as long as the connection is open.
 *
 * @param seconds For each step.
 * @param end When all must have come, by `performance.now()`.
 */
function stallWatch(seconds: number, end: number, outer: AbortSignal | undefined): StallWatch {
  const abort = new AbortController();
  const stop = (reason: unknown) => abort.abort(reason);
  outer?.addEventListener('abort', stop);
  const stalled = (why: string) => new RecommenderError('timeout', `The download stalled: ${why}. Try again.`);
  const last = setTimeout(stop, end - performance.now(), stalled('it takes too long'));
  return {
    signal: abort.signal,
    async unlessStalled(step) {
      const timer = setTimeout(stop, 1000 * seconds, stalled(`no byte in ${seconds} s`));
      try {
        return await abortable(step, abort.signal);
      } finally {
        clearTimeout(timer);
      }
    },
    stop() {
      clearTimeout(last);
      outer?.removeEventListener('abort', stop);
    },
  };
}
