/**
 * How the engine's worker is started, on any page and behind any bundler.
 *
 * The worker's script and its lazy parts are plain assets. The page alone knows where they are, so it resolves all their
 * addresses and posts them to the worker (`WorkerSetup`). Where no worker can start, the page's own thread computes.
 */
import { builtFiles } from './files';
import type { EngineWorker } from './host';
import type { WorkerSetup } from './protocol';

/** Bundlers may answer with a path alone. */
const absolute = (url: string, base: string | undefined = globalThis.location?.href): string =>
  URL.canParse(url, base) ? new URL(url, base).href : url;

/**
 * The places where the worker may be, each with the addresses of its files; to be tried in this order.
 *
 * @param workerUrl The worker's script in a copy of the library's folder. Default: where the build or a shop's bundler put it.
 */
export function workerSetups(workerUrl?: string): WorkerSetup[] {
  const { worker, urls, wasm, installed } = builtFiles();
  function setupAt(script: string, addresses: WorkerSetup['urls']): WorkerSetup {
    const base = absolute(script);
    const urlOf = (name: string) => addresses[name] ?? absolute(name, base);
    return { worker: base, urls: addresses, wasm: { simd: urlOf(wasm.simd), plain: urlOf(wasm.plain) } };
  }
  if (workerUrl !== undefined) return [setupAt(workerUrl, {})];
  const placed = Object.fromEntries(Object.entries(urls).map(([name, url]) => [name, absolute(url)]));
  return [...(installed === undefined ? [] : [setupAt(installed, {})]), setupAt(worker, placed)];
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): unknown };
}

let policy: ReturnType<TrustedTypes['createPolicy']> | null | undefined;

/**
 * Under Trusted Types a bare `new Worker(url)` throws. One policy, named `aisle`, vouches for the worker's address; where
 * the page does not allow the policy, the worker cannot start and the caller goes on without.
 *
 * @see https://www.w3.org/TR/trusted-types/
 */
function trusted(url: string): string {
  if (policy === undefined) {
    const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
    try {
      policy = trustedTypes?.createPolicy('aisle', { createScriptURL: (address) => address }) ?? null;
    } catch {
      policy = null; // forbidden by the page's `trusted-types` directive
    }
  }
  return (policy ? policy.createScriptURL(url) : url) as string;
}

/**
 * A browser starts workers of the page's own origin only. A script of another origin, such as a CDN's, is imported by a
 * script of one line in a `blob:` address, where the page's `worker-src` allows that and the other origin sends CORS headers.
 *
 * @throws Where this environment has no workers, or its security policy forbids this one.
 */
export function openWorker(url: string): EngineWorker {
  if (typeof Worker !== 'function') throw new Error('there are no workers here');
  const isOwn = new URL(url, location.href).origin === location.origin;
  const script = isOwn
    ? url
    : URL.createObjectURL(new Blob([`import ${JSON.stringify(url)};`], { type: 'text/javascript' }));
  return new Worker(trusted(script), { type: 'module', name: 'aisle' });
}
