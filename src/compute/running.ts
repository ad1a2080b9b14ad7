/** The backends that run on this thread. No tensors: a page whose model has a plan loads no TensorFlow.js. */
import type { Device } from './backend-fault';
import type { BackendName } from './types';

/** A backend that has been started. */
export interface RunningDevice extends Device {
  /** How far a score may be off a model's golden one, as a share of the largest: sums run in another order on each backend. */
  readonly tolerance: number;
  /** What is held on it. */
  memory(): Memory;
  /** Makes it compute what comes next. */
  activate(): Promise<unknown>;
  /** Frees what it holds. */
  stop(): void;
}

export interface Memory {
  readonly tensors: number;
  readonly bytes: number;
}

const running = new Map<string, RunningDevice>();

/** The device that runs under a name. */
export const runningDevice = (name: string): RunningDevice | undefined => running.get(name);

export const runningBackends = (): BackendName[] => [...running.keys()] as BackendName[];

export function setRunning(device: RunningDevice): RunningDevice {
  running.set(device.name, device);
  return device;
}

/** Stops an instance of a backend, unless another one has taken its place. */
export function stopDevice({ name, instance }: Device): void {
  if (running.get(name)?.instance === instance) stopBackend(name);
}

/** Stops a backend and frees its memory, what models hold there included. It can be started again. */
export function stopBackend(name: string): void {
  const device = running.get(name);
  running.delete(name);
  device?.stop();
}
