/**
 * Policies under which the shop can be opened. What a page's policy forbids cannot be taken from it while it runs, so it is
 * opened again. A page cannot set the policy of its workers, which comes with their script: the one without WebAssembly has no
 * workers either, as they would still have it.
 *
 * @see https://www.w3.org/TR/CSP3/#meta-element
 */
import { h } from './dom';

export const POLICIES = {
  workers: "worker-src 'none'",
  wasm: "worker-src 'none'; script-src 'self'",
} as const;

export type PolicyName = keyof typeof POLICIES;

export const isPolicy = (name: string): name is PolicyName => Object.hasOwn(POLICIES, name);

/** From now on the browser holds this page to the policy. */
export function obey(name: PolicyName): void {
  document.head.append(h('meta', { 'http-equiv': 'Content-Security-Policy', content: POLICIES[name] }));
}
