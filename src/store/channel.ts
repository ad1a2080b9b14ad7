/** How tabs of one origin tell each other what happened. */
export interface Channel {
  tell(message: unknown): void;
  close(): void;
}

/** @returns Undefined where the browser has no channels, or this page may not have one. */
export function openChannel(name: string, hear: (message: unknown) => void): Channel | undefined {
  try {
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => hear(data);
    (channel as { unref?: () => void }).unref?.(); // Node would wait for it
    return {
      tell(message) {
        try {
          channel.postMessage(message);
        } catch {
          // Closed. What is stored will be read where it cannot be heard.
        }
      },
      close: () => channel.close(),
    };
  } catch {
    return undefined;
  }
}
