/** What was requested, by the page or its worker, as the browser's own Resource Timing reports it. */

export interface RequestRecord {
  readonly url: string;
  readonly from: 'page' | 'worker';
  /** Its initiator, as Resource Timing names it: `fetch`, `script`, `beacon`. */
  readonly initiator: string;
  /** Bytes over the wire with headers; 0 where the browser had the file already; absent where its host lets no page know. */
  readonly transferred?: number;
  /** Bytes of the file itself; absent likewise. */
  readonly size?: number;
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly milliseconds: number;
}

/** What page and worker tell each other. */
export type NetworkMessage =
  | { readonly hello: true } // a worker has started, and asks whether it may fetch
  | { readonly offline: boolean }
  | { readonly loseGpu: true }
  | { readonly lostGpu: number } // devices and contexts of a worker
  | { readonly records: readonly RequestRecord[] }
  | { readonly blocked: string }
  | { readonly sent: number }; // bytes of a body

export const KINDS = ['page', 'script', 'wasm', 'model', 'catalogue', 'picture'] as const;
export type Kind = (typeof KINDS)[number];

/** Reports every request of this thread, those before the call included. */
export function observeRequests(from: RequestRecord['from'], report: (records: RequestRecord[]) => void): void {
  new PerformanceObserver((list) => {
    const entries = list.getEntries() as PerformanceResourceTiming[];
    report(entries.filter(({ name }) => /^https?:/.test(name)).map((entry) => recordOf(entry, from)));
  }).observe({ type: 'resource', buffered: true });
}

export function recordOf(entry: PerformanceResourceTiming, from: RequestRecord['from']): RequestRecord {
  const { transferSize, decodedBodySize } = entry;
  // Of another origin a browser tells no sizes, unless that allows it: https://w3c.github.io/resource-timing/#sec-timing-allow-origin
  const isHidden = transferSize === 0 && decodedBodySize === 0 && new URL(entry.name).origin !== location.origin;
  return {
    url: entry.name,
    from,
    initiator: entry.initiatorType,
    ...(!isHidden && { transferred: transferSize, size: decodedBodySize }),
    start: performance.timeOrigin + entry.startTime,
    milliseconds: entry.duration,
  };
}

/** How a thread's `fetch` is watched. */
export interface FetchWatch {
  /** Whether it is to fail, as without a network. */
  readonly isOffline: () => boolean;
  /** Called with an address whose request was refused. */
  readonly blocked: (url: string) => void;
  /** Called with the bytes of a body that is sent. */
  readonly sent: (bytes: number) => void;
}

/** A `fetch` that counts what it sends besides addresses, and can be switched off. */
export function watchedFetch(send: typeof fetch, { isOffline, blocked, sent }: FetchWatch): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    if (isOffline()) {
      blocked(request.url);
      throw new TypeError('Failed to fetch (the demo is switched offline)');
    }
    if (request.method === 'GET' || request.method === 'HEAD') return send(request); // they cannot have a body
    void request
      .clone()
      .arrayBuffer()
      .then(({ byteLength }) => sent(byteLength));
    return send(request);
  };
}

/** What can carry a body past a watched `fetch`; its size is unknown to the page. */
const UNWATCHED = ['beacon', 'ping', 'xmlhttprequest'];

/**
 * What has gone out with requests beyond the names of files.
 *
 * @param records The page's own first, whose address may hold settings of the demo.
 * @param bodies Bytes that watched fetches sent.
 * @returns `bytes` of bodies and queries, and how many requests may have had a body that is not counted.
 */
export function sentWith(
  records: readonly RequestRecord[],
  bodies: number,
): { readonly bytes: number; readonly uncounted: number } {
  const queries = records.slice(1).reduce((sum, { url }) => sum + new URL(url).search.length, 0);
  return {
    bytes: bodies + queries,
    uncounted: records.filter(({ initiator }) => UNWATCHED.includes(initiator)).length,
  };
}

/** The kind of a file, by its name; a picture also by what asked for it, as many have no ending. */
export function kindOf({ url, initiator }: Pick<RequestRecord, 'url' | 'initiator'>): Kind {
  const name = new URL(url).pathname.split('/').at(-1) ?? '';
  if (/^(img|image)$/.test(initiator) || /\.(png|jpe?g|webp|avif|gif|svg|ico)$/i.test(name)) return 'picture';
  if (/\.m?js$/.test(name)) return 'script';
  if (name.endsWith('.wasm')) return 'wasm';
  if (/\.(safetensors|bin)$|^(manifest|items|aliases|strategies|rules)\.json$/.test(name)) return 'model';
  return /^(catalogue(-\w+)?|cold-start)\.json$/.test(name) ? 'catalogue' : 'page';
}

/**
 * The policy that holds a page to what was requested, to be sent with it: a browser then refuses all else.
 *
 * @see docs/security-policy.md
 */
export function policyFor(records: readonly RequestRecord[]): string {
  const origins = (isPicture: boolean): string =>
    [
      ...new Set(
        records
          .filter((record) => (kindOf(record) === 'picture') === isPicture)
          .map(({ url }) => new URL(url).origin)
          .filter((origin) => origin !== location.origin),
      ),
    ]
      .map((origin) => ` ${origin}`)
      .join('');
  return [
    "default-src 'self'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    `connect-src 'self'${origins(false)}`,
    `img-src 'self' data:${origins(true)}`,
    "require-trusted-types-for 'script'",
    'trusted-types aisle',
  ].join('; ');
}

/**
 * All of it as text, to be kept or sent to somebody: the totals, the policy, and a line for each request.
 *
 * @param now Milliseconds since 1970.
 */
export function requestLog(records: readonly RequestRecord[], bodies: number, now: number): string {
  const { bytes, uncounted } = sentWith(records, bodies);
  const received = records.reduce((sum, { transferred = 0 }) => sum + transferred, 0);
  const line = ({ start, from, initiator, transferred, size, url }: RequestRecord): string =>
    [new Date(start).toISOString(), from, initiator || '-', transferred ?? '?', size ?? '?', url].join('\t');
  return [
    `Requests of ${location.origin}, as this browser reported them until ${new Date(now).toISOString()}.`,
    `${records.length} requests, ${received} bytes received, ${bytes} bytes sent in bodies and queries; ${uncounted} of unknown size.`,
    '',
    `Content-Security-Policy: ${policyFor(records)}`,
    '',
    ['time', 'from', 'initiator', 'transferred', 'size', 'address'].join('\t'),
    ...[...records].sort((a, b) => a.start - b.start).map(line),
    '',
  ].join('\n');
}
