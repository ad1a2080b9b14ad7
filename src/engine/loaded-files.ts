/** The files that a thread has loaded, as the browser measured them: https://www.w3.org/TR/resource-timing/ */
import type { LoadedFile } from './types';

/** Of the thread that calls it, without other tools' files only in a worker of ours. */
export function loadedFiles(): LoadedFile[] {
  return (performance.getEntriesByType('resource') as PerformanceResourceTiming[]).map((entry) => ({
    url: entry.name,
    bytes: entry.transferSize || 0,
    decodedBytes: entry.decodedBodySize || 0,
    status: entry.responseStatus || 0,
  }));
}
