/** Starts compute backends. Each one is loaded on its first start. */
import { throwIfAborted } from '../../errors';
import { BackendFault } from '../backend-fault';
import { type RunningDevice, runningDevice, setRunning } from '../running';
import type { BackendName } from '../types';
import type { BackendOptions } from './options';

const BACKENDS: Readonly<
  Record<BackendName, () => Promise<{ start(options: BackendOptions): Promise<RunningDevice> }>>
> = {
  plan: () => import('./plan'),
  cpu: () => import('./cpu'),
  wasm: () => import('./wasm'),
  webgl: () => import('./webgl'),
  webgpu: () => import('./webgpu'),
};

/**
 * Loads a backend and makes it the active one. Calling it again for the active backend does nothing.
 *
 * @throws BackendFault `no-backend` if it cannot be started here, for example because the page's security policy
 *   forbids WebAssembly or the file cannot be fetched; the backend that was active before stays active.
 */
export async function startBackend(name: BackendName, options: BackendOptions = {}): Promise<RunningDevice> {
  const running = runningDevice(name);
  if (running) {
    await running.activate();
    return running;
  }
  try {
    const { start } = await BACKENDS[name]();
    const device = await start(options);
    throwIfAborted(options.signal);
    return setRunning(device);
  } catch (cause) {
    throwIfAborted(options.signal);
    const why = cause instanceof Error ? `: ${cause.message}` : '';
    const message = `The backend "${name}" could not be started${why}. ${HELP[name] ?? 'Use another browser or device.'}`;
    throw new BackendFault('no-backend', name, message, { cause });
  }
}

const HELP: Readonly<Partial<Record<BackendName, string>>> = {
  wasm: 'Check that its files can be fetched and that the Content-Security-Policy allows \'wasm-unsafe-eval\', or use "cpu".',
};
