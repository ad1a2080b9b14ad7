/**
 * How the engine's worker is started, on any page and behind any bundler.
 *
 * The worker's script and its lazy parts are plain assets. Only the page knows their addresses, so it resolves
 * them and posts them to the worker (`WorkerSetup`). If no worker can start, the page's own thread computes.
 */
import { stringify } from '../captured';
import { builtWorkers } from './files';
import type { WorkerSetup } from './protocol';
import type { EngineWorker } from './types';

/**
 * The places where the worker may be, to be tried in this order.
 *
 * @param workerUrl The worker's script in a copy of the library's folder. Default: where the build or a shop's bundler put it.
 */
export function workerSetups(workerUrl?: string): WorkerSetup[] {
  const places = workerUrl === undefined ? builtWorkers() : [{ worker: workerUrl, urls: {} }];
  const { document, location } = globalThis as { document?: { baseURI: string }; location?: { href: string } };
  const base = document?.baseURI ?? location?.href ?? 'file:'; // Node has neither
  return places.map(({ worker, urls }) => ({ worker: new URL(worker, base).href, urls }));
}

interface Policy {
  createScriptURL(url: string): unknown;
}

const identity: Policy = { createScriptURL: (url) => url };
let policy: Policy | undefined;

/**
 * Under Trusted Types a bare `new Worker(url)` throws. A policy named `aisle` allows the worker's address. If
 * the page forbids the policy, the worker cannot start, and the caller continues without one.
 *
 * @see https://www.w3.org/TR/trusted-types/
 */
function trusted(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } };
  try {
    policy ??= trustedTypes?.createPolicy('aisle', identity);
  } catch {} // forbidden by the page's `trusted-types` directive
  policy ??= identity;
  return policy.createScriptURL(url) as string;
}

/**
 * A browser starts workers of the page's own origin only. A script of another origin, such as a CDN's, is imported by a
 * one-line script at a `blob:` address. The page's `worker-src` must allow that, and the other origin must send CORS headers.
 *
 * @param url Absolute.
 * @throws If this environment has no workers, or its security policy forbids this one.
 */
export function openWorker(url: string): EngineWorker {
  if (typeof Worker !== 'function') throw new Error('there are no workers here');
  // In a frame in a sandbox `origin` is 'null', and not that of its address; a page may use the name for something else.
  const isOwn = (origin as unknown) !== 'null' && url.startsWith(`${location.origin}/`);
  const script = isOwn
    ? url
    : URL.createObjectURL(new Blob([`import ${stringify(url)};`], { type: 'text/javascript' }));
  const worker = new Worker(trusted(script), { type: 'module', name: 'aisle' });
  if (!isOwn) worker.addEventListener('message', () => URL.revokeObjectURL(script), { once: true }); // it has been read
  return worker;
}
