/** Ends the run with one sentence where no browser is installed; a skipped browser test would look like a passed one. */
import { findChromium, NO_CHROMIUM } from '../chromium';

export default function setup(): void {
  if (findChromium() !== undefined) return;
  const error = new Error(NO_CHROMIUM);
  delete error.stack; // where it was thrown helps nobody
  throw error;
}
