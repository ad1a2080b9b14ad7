/** The studio's worker: a workbench behind messages. */
import { RecommenderError, reasonOf } from '../errors';
import type { Answer, Call } from './protocol';
import { isThread, serveThisThread } from './thread';
import { Workbench } from './workbench';

function serveBench(): void {
  const bench = new Workbench((note) => self.postMessage({ note } satisfies Answer));

  self.onmessage = async ({ data: { id, method, args } }: MessageEvent<Call>) => {
    let answer: Answer;
    try {
      const call = bench[method] as (...args: readonly unknown[]) => unknown;
      answer = { id, result: await call.call(bench, ...args) };
    } catch (error) {
      const code = error instanceof RecommenderError ? error.code : undefined;
      answer = { id, error: { message: reasonOf(error), ...(code && { code }) } };
    }
    self.postMessage(answer);
  };
}

if (isThread()) serveThisThread();
else serveBench();
