/** A file of the page's own making, handed to the visitor as a download: nothing is requested for it. */
import type { Host } from '../types';

/** Milliseconds until the browser has begun to read it. */
const BEGUN = 10_000;

export function saveFile({ node }: Pick<Host, 'node'>, name: string, type: string, content: BlobPart): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  node('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), BEGUN);
}
