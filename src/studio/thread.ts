/** The worker's script as a worker of its own, which shares each step of a training. */
import { startInPage } from '../pipeline/page-backend';
import { shareTraining, type ThreadMessage, type ThreadTask, threadFailed } from '../pipeline/threads';

/** The name by which the script knows what it is. */
const NAME = 'aisle studio thread';
export const isThread = (): boolean => self.name === NAME;

/** Does what the worker that opened it has sent, and ends. */
export function serveThread(): void {
  self.onmessage = async ({ data: { backend, ...task } }: MessageEvent<ThreadTask>) => {
    await shareTraining(
      task,
      (slice) => startInPage(slice, backend, {}),
      (message) => self.postMessage(message),
    );
    self.close();
  };
}

/** Opens one, by the script of this worker. */
export function openThread(task: ThreadTask): Promise<void> {
  const worker = new Worker(self.location.href, { type: 'module', name: NAME });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<ThreadMessage>) => {
      if (data.state === 'ready') resolve();
      else reject(threadFailed(data.message));
    };
    worker.onerror = ({ message }) => reject(threadFailed(message || 'its script could not be loaded'));
    worker.postMessage(task);
  });
}
