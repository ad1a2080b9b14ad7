/**
 * What each worker of the page runs first: it reports the requests of the worker to the page, and can cut the worker off from
 * the network and take its GPU away. The fragment of its address, which servers do not see, holds the channel to the page and the worker's own script.
 */
import { watchGpu } from './gpu';
import { type NetworkMessage, observeRequests, watchedFetch } from './requests';

const [name, script] = self.location.hash.slice(1).split(',');
const channel = new BroadcastChannel(name!);
const tell = (message: NetworkMessage): void => channel.postMessage(message);
const fetchOnline = self.fetch.bind(self);
const loseGpu = watchGpu();
let offline = false;

self.fetch = watchedFetch(fetchOnline, {
  isOffline: () => offline,
  blocked: (url) => tell({ blocked: url }),
  sent: (bytes) => tell({ sent: bytes }),
});

/** Nothing is fetched before the page has said whether it is offline. */
const answered = new Promise<void>((resolve) => {
  channel.onmessage = ({ data }: MessageEvent<NetworkMessage>) => {
    if ('loseGpu' in data) tell({ lostGpu: loseGpu() });
    if (!('offline' in data)) return;
    offline = data.offline;
    resolve();
  };
});
observeRequests('worker', (records) => tell({ records }));
tell({ hello: true });
await answered;
await import(/* @vite-ignore */ decodeURIComponent(script!));
