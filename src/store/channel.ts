/** Messages between the tabs of one origin. */
export interface Channel {
  post(message: unknown): void;
  close(): void;
}

/** @returns Undefined if the browser has no channels or forbids them to this page. */
export function openChannel(name: string, onMessage: (message: unknown) => void): Channel | undefined {
  try {
    const channel = new BroadcastChannel(name);
    channel.onmessage = (event) => {
      try {
        onMessage(event.data);
      } catch {
        // The page has broken what this needs; what other tabs store is read later.
      }
    };
    (channel as { unref?: () => void }).unref?.(); // so that Node can exit
    return {
      post(message) {
        try {
          channel.postMessage(message);
        } catch {
          // The channel is closed; the other tabs read what is stored.
        }
      },
      close: () => channel.close(),
    };
  } catch {
    return undefined;
  }
}
