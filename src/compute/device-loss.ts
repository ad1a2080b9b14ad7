/** Instances of backends that are gone. TensorFlow.js does not notice: a read from a lost device may never settle. */
import { BackendFault, type Device, stopped } from './backend-fault';
import { runningDevice } from './running';

interface Watch {
  readonly isLost: () => boolean;
  readonly isSound: () => boolean;
  readonly reply: () => Promise<unknown>;
  readonly listeners: Set<(what: string) => void>;
}

const watches = new WeakMap<object, Watch>();
/** The longest time in milliseconds that `lossReported` waits for a reply: on a machine with ten busy programs a second was too short. */
const REPLY_WITHIN = 5000;
/** Why a running instance was given up. */
const faults = new WeakMap<object, BackendFault>();

/**
 * Call it for each new instance of a backend on a GPU.
 *
 * @param lost Resolves to what happened, once the device is lost.
 * @param isLost Whether it is lost, perhaps before `lost` resolves.
 * @param isSound Called after a read: whether the numbers are the device's own, and not the zeros of a lost device.
 * @param reply Asks the device, whose reply comes after the report of a loss. Default: 20 ms, for a device without questions.
 */
export function watch(
  instance: object,
  lost: Promise<string>,
  isLost: () => boolean,
  isSound: () => boolean = () => true,
  reply: () => Promise<unknown> = () => new Promise((resolve) => setTimeout(resolve, 20)),
): void {
  const listeners = new Set<(what: string) => void>();
  watches.set(instance, { isLost, isSound, reply, listeners });
  lost.then((what) => {
    for (const listener of [...listeners]) listener(what);
  });
}

/** Why a device was given up, or that it was lost. */
export function deviceLossOf(device: Device): BackendFault | undefined {
  const { instance } = device;
  return faults.get(instance) ?? (watches.get(instance)?.isLost() ? lostFault(device) : undefined);
}

/** Why a device cannot be used any more: it was lost, or its backend was stopped. Undefined if it can be used. */
export function goneFault({ name, instance }: Device): BackendFault | undefined {
  const loss = deviceLossOf({ name, instance });
  if (loss) return loss;
  return runningDevice(name)?.instance === instance ? undefined : stopped({ name, instance });
}

/** Records why an instance must not be used any more. */
export function giveUp(instance: object, fault: BackendFault): void {
  faults.set(instance, fault);
}

export function lostFault({ name, instance }: Device, what = `the device of "${name}" was lost`): BackendFault {
  const message = `${what[0]!.toUpperCase()}${what.slice(1)}.`;
  return new BackendFault('engine-lost', name, message, { instance, isGone: true });
}

/** Whether the numbers of a device are its own, and not the zeros of a lost one. */
export const isSound = ({ instance }: Device): boolean => watches.get(instance)?.isSound() !== false;

/** Settles once a device has reported the loss that made a call fail: a browser may refuse the call a tenth of a second before. */
export async function lossReported(device: Device): Promise<void> {
  const watch = watches.get(device.instance);
  if (!watch || goneFault(device)) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, REPLY_WITHIN);
  });
  await Promise.race([watch.reply().catch(() => {}), late]);
  clearTimeout(timer);
}

/** @returns Stops listening. */
export function onLost(device: Device, listener: (fault: BackendFault) => void): () => void {
  const listeners = watches.get(device.instance)?.listeners;
  const tell = (what: string) => listener(lostFault(device, what));
  listeners?.add(tell);
  return () => void listeners?.delete(tell);
}
