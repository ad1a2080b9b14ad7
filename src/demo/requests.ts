/** What was requested, by the page or its worker, as the browser's own Resource Timing reports it. */

export interface RequestRecord {
  readonly url: string;
  readonly from: 'page' | 'worker';
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
  | { readonly records: readonly RequestRecord[] }
  | { readonly blocked: string };

export const KINDS = ['Page and styles', 'Scripts', 'WebAssembly', 'Model', 'Catalogue', 'Pictures'] as const;
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
    ...(!isHidden && { transferred: transferSize, size: decodedBodySize }),
    start: performance.timeOrigin + entry.startTime,
    milliseconds: entry.duration,
  };
}

/** The kind of a file, by its name. */
export function kindOf(url: string): Kind {
  const name = new URL(url).pathname.split('/').at(-1) ?? '';
  if (/\.m?js$/.test(name)) return 'Scripts';
  if (name.endsWith('.wasm')) return 'WebAssembly';
  if (/\.(png|jpe?g|webp|avif|gif|svg|ico)$/i.test(name)) return 'Pictures';
  if (/\.safetensors$|^(manifest|items)\.json$/.test(name)) return 'Model';
  return name === 'catalogue.json' ? 'Catalogue' : 'Page and styles';
}
