/// <reference types="vite/client" />
/**
 * The requests of the page and of its workers: reported as they happen, and made to fail to try being offline. The workers
 * themselves can be ended, and the GPU be taken away from all.
 */
import { watchGpu } from './gpu';
import { type NetworkMessage, observeRequests, type RequestRecord, recordOf, watchedFetch } from './requests';
import scriptUrl from './worker.ts?worker&url';

export interface Network {
  /** Every request so far, in the order in which they were reported. */
  readonly records: readonly RequestRecord[];
  /** Addresses of requests that were refused while the network was switched off. */
  readonly blocked: readonly string[];
  /** Bytes that fetches of the page and its workers had in their bodies. */
  readonly sent: number;
  /** Whether every `fetch` of the page and its workers fails as it would without a network. */
  offline: boolean;
  /** Tells the page that something of it is to be shown again. */
  readonly changed: () => void;
  /** Whether a worker runs. */
  readonly hasWorkers: boolean;
  /** Terminates every worker, of which no event tells the library. */
  endWorkers(): void;
  /** Destroys the GPU devices, and loses the WebGL contexts, of the page and its workers. @returns Whether there were any. */
  loseGpu(): Promise<boolean>;
}

/** Milliseconds in which a worker answers that its GPU is gone. */
const PATIENCE = 1000;

/** @param changed Called after every change of what a `Network` shows. */
export function watchNetwork(changed: () => void): Network {
  const name = `aisle-demo-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  const channel = new BroadcastChannel(name);
  const tell = (message: NetworkMessage): void => channel.postMessage(message);
  const fetchOnline = window.fetch.bind(window);
  const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
  const records = navigation ? [recordOf(navigation, 'page')] : [];
  const blocked: string[] = [];
  const workers = reportWorkers(name);
  const loseGpu = watchGpu();
  let lostGpu = (_count: number): void => {};
  let offline = false;
  let sent = 0;

  function add(more: readonly RequestRecord[]): void {
    records.push(...more);
    changed();
  }
  function block(url: string): void {
    blocked.push(url);
    changed();
  }

  function count(bytes: number): void {
    sent += bytes;
    changed();
  }

  window.fetch = watchedFetch(fetchOnline, { isOffline: () => offline, blocked: block, sent: count });
  channel.onmessage = ({ data }: MessageEvent<NetworkMessage>) => {
    if ('hello' in data) tell({ offline });
    else if ('records' in data) add(data.records);
    else if ('blocked' in data) block(data.blocked);
    else if ('sent' in data) count(data.sent);
    else if ('lostGpu' in data) lostGpu(data.lostGpu);
  };
  observeRequests('page', add);

  return {
    records,
    blocked,
    changed,
    get sent() {
      return sent;
    },
    get offline() {
      return offline;
    },
    set offline(value) {
      offline = value;
      tell({ offline });
      changed();
    },
    get hasWorkers() {
      return workers.size > 0;
    },
    endWorkers() {
      for (const worker of workers) worker.terminate();
    },
    async loseGpu() {
      let lost = loseGpu();
      const answers = new Promise<void>((resolve) => {
        let left = workers.size;
        if (left === 0) resolve();
        lostGpu = (count) => {
          lost += count;
          left--;
          if (left === 0) resolve();
        };
        setTimeout(resolve, PATIENCE); // a worker that is starting or busy
      });
      tell({ loseGpu: true });
      await answers;
      return lost > 0;
    },
  };
}

/**
 * A page cannot see the requests of its workers, so each starts with `worker.ts`, which reports them and loads the script.
 *
 * @returns Those that run.
 */
function reportWorkers(channel: string): ReadonlySet<Worker> {
  const { Worker } = window;
  const running = new Set<Worker>();
  if (!Worker) return running; // the library then computes in the page's own thread
  window.Worker = class extends Worker {
    constructor(script: string | URL, options?: WorkerOptions) {
      const url = new URL(scriptUrl, document.baseURI);
      url.hash = `${channel},${encodeURIComponent(String(script))}`;
      super(url, options);
      running.add(this);
    }
    override terminate(): void {
      running.delete(this);
      super.terminate();
    }
  };
  return running;
}
