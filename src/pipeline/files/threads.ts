/** Worker threads of Node that learn with this one. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { RecommenderError } from '../../errors';
import type { OpenThread, ThreadMessage } from '../threads';

export const openThread: OpenThread = (task, listen) => openThreadOf(threadScript())(task, listen);

/** Starts threads by a script of theirs. */
export const openThreadOf =
  (script: URL): OpenThread =>
  (task, listen) => {
    const worker = new Worker(script, { workerData: task });
    if (task.share) worker.unref(); // only a thread whose result is waited for keeps the program running
    worker.on('message', (message: ThreadMessage) => listen(message));
    worker.on('error', ({ message }) => listen({ state: 'failed', message }));
    worker.on('exit', () => listen({ state: 'failed', message: 'it ended.' }));
    return () => void worker.terminate();
  };

/** The script of a thread, beside the program. */
function threadScript(): URL {
  const script = new URL('./thread.js', import.meta.url);
  if (existsSync(fileURLToPath(script))) return script;
  throw new RecommenderError(
    'no-backend',
    'Threads run in the built program only, and its file thread.js is missing: build it again, or leave out `threads`.',
  );
}
