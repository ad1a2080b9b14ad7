/** The backends, and the order in which they are tried. */
import { type BackendChoice, type BackendName, isGpu } from './types';

/** From the fastest to the one that always works. */
const FALLBACK_ORDER: readonly BackendName[] = ['webgpu', 'webgl', 'plan', 'wasm', 'cpu'];

/** Backends that answer first under `auto`, because they start at once. `plan` is for artifacts that have one. */
const FIRST: readonly BackendName[] = ['plan', 'wasm', 'cpu'];

/** The last fallback, which is never left out. */
const LAST: BackendName = 'cpu';

/**
 * The backends to try for a choice, in this order.
 *
 * @param avoid Left out under `auto`, except the last one.
 * @throws RangeError for an unknown name.
 */
export function startOrder(choice: BackendChoice, avoid: readonly BackendName[] = []): readonly BackendName[] {
  if (choice === 'auto') return FIRST.filter((name) => name === LAST || !avoid.includes(name));
  if (FALLBACK_ORDER.includes(choice)) return [choice];
  throw new RangeError(`No backend is called "${String(choice)}"; use auto, ${FALLBACK_ORDER.join(', ')}.`);
}

/**
 * The backends to try after one has failed, in this order.
 *
 * @param isLeftOut Called for each but the last one.
 */
export function fallbacks(failed: BackendName, isLeftOut: (name: BackendName) => boolean): readonly BackendName[] {
  const below = FALLBACK_ORDER.slice(FALLBACK_ORDER.indexOf(failed) + 1);
  return below.filter((name) => name === LAST || (!isLeftOut(name) && HAS[name]()));
}

/**
 * The backends that may be the fastest for a model here; only a start shows whether they work.
 *
 * @param hasPlan Then a plan computes what the other backends of the processor would, and faster.
 */
export const rivals = (hasPlan: boolean): readonly BackendName[] =>
  FALLBACK_ORDER.filter((name) => HAS[name]() && (isGpu(name) || (name === 'plan') === hasPlan));

const HAS: Readonly<Record<BackendName, () => boolean>> = {
  webgpu: () => {
    try {
      return Boolean((globalThis.navigator as { gpu?: unknown } | undefined)?.gpu);
    } catch {
      return false; // a page may forbid reading the property
    }
  },
  webgl: () => 'OffscreenCanvas' in globalThis || 'document' in globalThis,
  plan: () => 'WebAssembly' in globalThis,
  wasm: () => 'WebAssembly' in globalThis,
  cpu: () => true,
};
