/// <reference types="vite/client" />
/** Where the worker's script is, and how to start it under a page's security policy. */
import type { EngineWorker } from './types';
import scriptUrl from './worker.ts?worker&url';

/** The script that the build put beside this one; resolved now, while `import.meta.url` is the script that the page loaded. */
export const defaultWorkerUrl: string = scriptUrl;

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

/** @throws Where this environment has no workers, or its security policy or the script's origin forbids this one. */
export function openWorker(url: string): EngineWorker {
  if (typeof Worker !== 'function') throw new Error('there are no workers here');
  return new Worker(trusted(url), { type: 'module', name: 'aisle' });
}
