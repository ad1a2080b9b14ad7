/** The worker's script as a worker of its own, which learns with the one that opened it. */
import { startInPage } from '../pipeline/page-backend';
import { type OpenThread, serveThread, type ThreadMessage, type ThreadTask } from '../pipeline/threads';

/** The name by which the script knows what it is. */
const NAME = 'aisle studio thread';
export const isThread = (): boolean => self.name === NAME;

/** Does what the worker that opened it has sent, and ends. */
export function serveThisThread(): void {
  self.onmessage = async ({ data }: MessageEvent<ThreadTask>) => {
    await serveThread(
      data,
      (slice, backend) => startInPage(slice, backend, {}),
      (message) => self.postMessage(message),
    );
    self.close();
  };
}

/** Opens one, by the script of this worker. */
export const openThread: OpenThread = (task, listen) => {
  const worker = new Worker(self.location.href, { type: 'module', name: NAME });
  worker.onmessage = ({ data }: MessageEvent<ThreadMessage>) => listen(data);
  worker.onerror = (event) => {
    event.preventDefault(); // else the page takes it for an error of the worker that opened it
    listen({ state: 'failed', message: event.message || 'its script could not be loaded' });
  };
  try {
    worker.postMessage(task);
  } catch (error) {
    worker.terminate(); // there is no room for a copy of the log
    throw error;
  }
  return () => worker.terminate();
};
