import { text } from '../texts';
import type { Visit } from '../visit';
import { bytes } from './controls';

/** What computes, and where; or that nothing does yet. */
export function engineName({ status, failure, loading }: Visit): string {
  if (failure !== undefined && status?.engine === undefined) return text.engine.notLoaded;
  if (status?.engine === undefined) return text.engine.loading(loading === 0 ? undefined : bytes(loading));
  const { backend, thread } = status.engine;
  const name = text.panel.backends[backend];
  return thread === 'worker' ? text.engine.inWorker(name) : text.engine.inPage(name);
}
