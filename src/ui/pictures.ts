/**
 * Gives pictures their addresses one at a time. A browser reads an SVG picture that is inside an address at once, in the
 * page's own thread: eight of them in a row would hold it up for longer than anything else that is done here.
 */
import type { Host } from './types';

const waiting: (() => void)[] = [];

/** Sets the picture in a task of its own, after those that wait already. */
export function loadPicture(host: Pick<Host, 'guard'>, image: HTMLElement, address: string): void {
  waiting.push(() => image.setAttribute('src', address));
  if (waiting.length > 1) return;
  const next = (): void =>
    host.guard('A picture', () => {
      try {
        waiting[0]?.();
      } finally {
        waiting.shift(); // one that the page does not let in stops no other
        if (waiting.length > 0) setTimeout(next, 0);
      }
    });
  setTimeout(next, 0);
}
