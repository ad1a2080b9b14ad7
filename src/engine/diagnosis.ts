/** What is found out about a device, and why something does not work. Loaded when it is asked for. */
import type { ForeignIds, LoadedFile } from './types';

export { deviceHere } from '../compute/device-description';

/**
 * The files that the calling thread has loaded, as the browser measured them; in a page, those of other tools too.
 *
 * @see https://www.w3.org/TR/resource-timing/
 */
export function loadedFiles(): LoadedFile[] {
  return (performance.getEntriesByType('resource') as PerformanceResourceTiming[]).map((entry) => ({
    url: entry.name,
    bytes: entry.transferSize || 0,
    decodedBytes: entry.decodedBodySize || 0,
    status: entry.responseStatus || 0,
  }));
}

/** The longest id that is a part of this one, or that this one is a part of, in any case; else the first. */
export function nearest(id: string, ids: readonly string[]): string {
  const name = id.toLowerCase();
  const alike = ids.filter((own) => name.includes(own.toLowerCase()) || own.toLowerCase().includes(name));
  return alike.sort((a, b) => b.length - a.length)[0] ?? ids[0]!;
}

/** Says that ids of a page are not among the model's. */
export function foreignIds({ id, kind = 'id', tracked, known }: ForeignIds, ids: readonly string[]): string {
  const counts = `tracked ${tracked} id${tracked === 1 ? '' : 's'}, the model knows ${known}`;
  return `${counts}; the page says ${kind} '${id}', the model has '${nearest(id, ids)}', …; see docs/identity.md`;
}
