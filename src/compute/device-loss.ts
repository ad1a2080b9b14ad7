/** GPU devices and contexts that are gone. TensorFlow.js does not notice: a read from a lost one may never settle. */
import { engine } from '@tensorflow/tfjs-core';

/** The numbers that came, or did not come, mean nothing: the device was lost meanwhile. */
export class DeviceLost extends Error {}

/** Milliseconds. */
const TOLD_WITHIN = 20;

interface Watch {
  readonly isLost: () => boolean;
  readonly isSound: () => boolean;
  readonly listeners: Set<(what: string) => void>;
}

const watches = new WeakMap<object, Watch>();

/**
 * To be called for each new instance of a backend on a GPU.
 *
 * @param lost Resolves to what happened, once the device is lost.
 * @param isLost Whether it is lost, maybe sooner than `lost` resolves.
 * @param isSound Asked after work whose result has come: whether that is the device's, and not what a dead one hands out.
 */
export function watch(
  backend: object,
  lost: Promise<string>,
  isLost: () => boolean,
  isSound: () => boolean = () => true,
): void {
  const listeners = new Set<(what: string) => void>();
  watches.set(backend, { isLost, isSound, listeners });
  lost.then((what) => {
    for (const listener of [...listeners]) listener(what);
  });
}

/** The instance that runs under a name: another one after a restart. */
export const runningBackend = (name: string): object | undefined => engine().registry[name];

/** Whether the device of this instance is lost already, or the instance was stopped. */
export const isGone = (name: string, backend: object): boolean =>
  runningBackend(name) !== backend || (watches.get(backend)?.isLost() ?? false);

/**
 * Work on an instance of a backend that ends as soon as its device is lost, which the work itself might never notice.
 *
 * @throws DeviceLost
 */
export async function unlessLost<T>(name: string, backend: object, work: () => Promise<T>): Promise<T> {
  const listeners = watches.get(backend)?.listeners;
  let lose: (what: string) => void = () => {};
  const lost = new Promise<never>((_, reject) => {
    lose = (what) => reject(new DeviceLost(`${what[0]!.toUpperCase()}${what.slice(1)}.`));
    listeners?.add(lose);
  });
  const gone = () => new DeviceLost(`The device of "${name}" was lost.`);
  try {
    if (isGone(name, backend)) throw gone();
    const result = await Promise.race([work(), lost]);
    if (isGone(name, backend) || watches.get(backend)?.isSound() === false) throw gone(); // it hands out zeros
    return result;
  } catch (error) {
    if (error instanceof DeviceLost) throw error;
    // A call that fails on a lost device may do so before the loss is told.
    if (listeners && !isGone(name, backend)) await new Promise((next) => setTimeout(next, TOLD_WITHIN));
    throw isGone(name, backend) ? gone() : error;
  } finally {
    listeners?.delete(lose);
  }
}
