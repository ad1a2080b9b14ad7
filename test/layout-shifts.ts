/** What moved in a page: the browser's own measure, from the first frame on. */
import type { Page } from 'playwright-core';

interface Shift {
  readonly value: number;
  /** Whether the visitor did something just before. */
  readonly hadRecentInput: boolean;
}

/** To be called before the page is loaded. */
export const watchShifts = (page: Page): Promise<unknown> =>
  page.addInitScript(() => {
    const shifts: Shift[] = [];
    Object.assign(globalThis, { shifts });
    new PerformanceObserver((list) => {
      for (const { value, hadRecentInput } of list.getEntries() as (PerformanceEntry & Shift)[]) {
        shifts.push({ value, hadRecentInput });
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });

/** The shifts since the page began, or since this was asked last, when all that was drawn is painted. */
export const takeShifts = (page: Page): Promise<Shift[]> =>
  page.evaluate(async () => {
    await new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)));
    return (globalThis as unknown as { shifts: Shift[] }).shifts.splice(0);
  });
