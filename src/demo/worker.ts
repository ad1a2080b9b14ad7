/**
 * The engine's worker, as the demo starts it: it tells the page what it requests, which a page cannot see by itself, and
 * can be cut off from the network for a trial. `#…` in its address names the channel to the page; servers do not see it.
 */
import { type NetworkMessage, observeRequests, watchedFetch } from './requests';

const channel = new BroadcastChannel(self.location.hash);
const tell = (message: NetworkMessage): void => channel.postMessage(message);
const fetchOnline = self.fetch.bind(self);
let offline = false;

self.fetch = watchedFetch(fetchOnline, {
  isOffline: () => offline,
  blocked: (url) => tell({ blocked: url }),
  sent: (bytes) => tell({ sent: bytes }),
});

/** The page answers with the address of the engine's worker, and nothing is fetched before it has. */
const answered = new Promise<string>((resolve) => {
  channel.onmessage = ({ data }: MessageEvent<NetworkMessage>) => {
    if (!('offline' in data)) return;
    offline = data.offline;
    if (data.engine !== undefined) resolve(data.engine);
  };
});
observeRequests('worker', (records) => tell({ records }));
tell({ hello: true });
await import(/* @vite-ignore */ await answered);
