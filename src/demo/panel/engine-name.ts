import type { Visit } from '../visit';
import { bytes } from './controls';
import { text } from './texts';

/** What computes, and where; or that nothing does yet. */
export function engineName({ status, failure, loading }: Visit): string {
  if (failure !== undefined && status?.engine === undefined) return text.engine.notLoaded;
  if (status?.engine === undefined) return text.engine.loading(loading === 0 ? undefined : bytes(loading));
  const { backend, thread } = status.engine;
  const name = text.frame.backends[backend];
  return thread === 'worker' ? text.engine.inWorker(name) : text.engine.inPage(name);
}
