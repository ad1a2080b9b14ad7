/** The page's side of the studio's worker. */
import { RecommenderError } from '../errors';
import type { Answer, Bench, Call, Method } from './protocol';
import type { Notes } from './types';

/**
 * Starts the worker.
 *
 * @param onLost Called once with why it ended: nothing answers any more.
 */
export function openBench(notes: Notes, onLost: (why: string) => void): Bench {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'aisle studio' });
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let calls = 0;
  let lost: RecommenderError | undefined;
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    if ('note' in data) {
      notes(data.note);
      return;
    }
    const call = waiting.get(data.id);
    waiting.delete(data.id);
    if ('result' in data) call?.resolve(data.result);
    else if (data.error.code) call?.reject(new RecommenderError(data.error.code, data.error.message));
    else call?.reject(new Error(data.error.message));
  };
  worker.onerror = ({ message }) => {
    if (lost) return;
    const why = `The studio’s worker has ended: ${message || 'its script could not be loaded'}. Open the page again.`;
    lost = new RecommenderError('engine-lost', why);
    for (const { reject } of waiting.values()) reject(lost);
    waiting.clear();
    onLost(why);
  };
  const call = (method: Method, args: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (lost) throw lost;
      waiting.set(++calls, { resolve, reject });
      worker.postMessage({ id: calls, method, args } satisfies Call);
    });
  return new Proxy({} as Bench, {
    get:
      (_, method: Method) =>
      (...args: unknown[]) =>
        call(method, args),
  });
}
