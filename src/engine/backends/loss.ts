/** GPU devices and contexts that are gone. TensorFlow.js does not notice: reads from a lost one may never settle. */
import type { BackendName } from '../engine';

/** Of the device that runs, by backend: resolves to what happened, once it has. */
const losses = new Map<string, Promise<string>>();

/** To be called for each new device. */
export function watch(backend: BackendName, lost: Promise<string>): void {
  losses.set(backend, lost);
}

/** Resolves, with what happened, once the device or context of a backend is lost; never on a CPU. */
export function lossOf(backend: BackendName): Promise<string> {
  return losses.get(backend) ?? new Promise(() => {});
}
