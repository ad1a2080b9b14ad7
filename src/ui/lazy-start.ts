/** Starts to load the embed when the page is idle, or when a slot is near the window. */
import type { Host, Slot } from './types';

/** How far below or above the window a slot is worth loading for. */
const NEAR = '400px';
/** Milliseconds after which the page counts as loaded, and after which a busy one is idle enough. */
const PATIENCE = 3000;

/**
 * Calls `start` once: as soon as a slot is near the window, or when the page is loaded and idle. A browser without
 * IntersectionObserver or requestIdleCallback, or a page that has broken them, starts after a moment.
 *
 * @returns Watches a further slot.
 */
export function startLazily(guard: Host['guard'], start: () => void): (slot: Slot) => void {
  let observer: IntersectionObserver | undefined;
  let started = false;
  function go(): void {
    if (started) return;
    started = true;
    guard('The start', () => {
      start();
      observer?.disconnect();
    });
  }
  try {
    observer = new IntersectionObserver(
      (entries) => {
        for (let i = 0; i < entries.length; i++) if (entries[i]!.isIntersecting) go();
      },
      { rootMargin: NEAR },
    );
  } catch {
    // only the idle time counts
  }
  function whenIdle(): void {
    try {
      requestIdleCallback(go, { timeout: PATIENCE });
    } catch {
      setTimeout(go, 200);
    }
  }
  if (document.readyState === 'complete') whenIdle();
  else {
    addEventListener('load', whenIdle);
    setTimeout(whenIdle, PATIENCE); // the page may never finish loading
  }
  return ({ element }) => {
    if (!started) observer?.observe(element);
  };
}

/** Milliseconds after which what waits for a frame goes on without one: a page in the background draws none. */
const NO_FRAME = 200;

/** Calls `draw` once, in a task of its own, before the page is painted the next time. */
export function beforePaint(draw: () => void): void {
  let isDrawn = false;
  function once(): void {
    if (isDrawn) return;
    isDrawn = true;
    draw();
  }
  try {
    requestAnimationFrame(once);
  } catch {
    once(); // a page that has broken it
  }
  setTimeout(once, NO_FRAME);
}
