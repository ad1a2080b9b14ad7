/** Most bytes, Brotli at its strongest, of what a page loads. The tests of the built files hold them; `docs/scale.md` counts with them. */
import type { BackendName } from '../../src/compute/types';

/** The script to embed. */
export const EMBED = 5_000;
/** What reads the page, by itself. It is in one file with what fills the slots, so that both are compiled apart from the rest. */
export const READERS = 3_780;
/** The script to embed with all that a page with a slot loads of our own. */
export const OWN = 29_000;
/** The engine path; that of a plan with the largest reader of sessions. */
export const ENGINE: Readonly<Record<BackendName, number>> = {
  plan: 24_600,
  cpu: 70_000,
  wasm: 180_000,
  webgl: 100_000,
  webgpu: 90_000,
};
/** What learns from the visitor by the adapter, and is loaded by every page once it has its suggestions. */
export const LEARNING = 24_500;
/** Trials of both GPU backends, beside a plan, with the largest architecture. */
export const TRIALS = 115_000;
/** The demo's model, its products and their pictures. */
export const DEMO_MODEL = 165_000;
