/** Whether the security policies of a page, and of the worker's script, allow what Aisle needs. */
import { CATALOGUE_MANIFEST } from '../../checkpoint/catalogue-folder';
import { MANIFEST } from '../../checkpoint/manifest';
import { fileUrl } from '../../engine/artifact-loader';
import { allowsUrl, allowsWord, CHAINS, policiesOf } from './policy';
import type { Add, Answer, Page, Site } from './types';

const HEADER = 'In the page’s Content-Security-Policy';

interface Needs {
  readonly embed: URL;
  readonly modelUrl: URL;
  /** Folders of catalogues that live apart. */
  readonly catalogues: readonly URL[];
  readonly workerUrl: URL;
  readonly worker: Answer | undefined;
  readonly images: readonly URL[];
}

/** Compares what the page's policy allows with what Aisle needs. */
export function checkPolicies(site: Site, page: Page, needs: Needs, add: Add): void {
  const { url: self, policies, nonce } = page;
  const { embed, workerUrl, images } = needs;
  const name = site.name(self);
  let isEnough = true;
  const lacks: Add = (...finding) => {
    isEnough = false;
    add(...finding);
  };
  if (!allowsUrl(policies, CHAINS.script, embed, self, nonce)) {
    lacks(
      'error',
      'policy-script',
      name,
      'has a security policy that forbids embed.js.',
      `${HEADER} add ${embed.origin} to script-src.`,
    );
  }
  const isForeign = workerUrl.origin !== self.origin;
  // A script of another origin is imported by one at a `blob:` address, and its own address counts, too.
  const started = isForeign ? [new URL(`blob:${self.origin}/x`), workerUrl] : [workerUrl];
  const forbidden = started.filter((url) => !allowsUrl(policies, CHAINS.worker, url, self));
  if (forbidden.length > 0) {
    const sources = forbidden.map(({ protocol, origin }) => (protocol === 'blob:' ? protocol : origin));
    const todo = `${HEADER} add ${sources.join(' ')} to worker-src.`;
    lacks(
      'warning',
      'policy-worker',
      name,
      'has a security policy that forbids the worker: the page’s own thread computes.',
      todo,
    );
  }
  const needsPolicy = policies.filter((policy) => policy.get('require-trusted-types-for')?.includes("'script'"));
  const isNamed = (sources: readonly string[] | undefined) =>
    sources === undefined || sources.includes('aisle') || sources.includes('*');
  if (needsPolicy.length > 0 && !policies.every((policy) => isNamed(policy.get('trusted-types')))) {
    const what = 'requires Trusted Types and does not allow the policy aisle: no worker can start.';
    lacks('warning', 'policy-trusted-types', name, what, `${HEADER} add aisle to trusted-types.`);
  }
  checkWorkerPolicies(site, page, needs, lacks);
  for (const image of images) {
    if (allowsUrl(policies, CHAINS.img, image, self)) continue;
    const source = image.protocol === 'data:' ? 'data:' : image.origin;
    lacks(
      'warning',
      'policy-img',
      name,
      `has a security policy that forbids pictures of ${source}.`,
      `${HEADER} add ${source} to img-src.`,
    );
  }
  if (isEnough) {
    const what =
      policies.length === 0
        ? 'has no security policy.'
        : 'has a security policy that allows all that Aisle needs; style-src needs nothing.';
    add('ok', 'policy', name, what);
  }
}

/** Compares what the worker's policy allows with what it computes with, and what it fetches. */
function checkWorkerPolicies(
  site: Site,
  { url: self, policies }: Page,
  { modelUrl, catalogues, workerUrl, worker }: Needs,
  lacks: Add,
): void {
  const name = site.name(self);
  const isForeign = workerUrl.origin !== self.origin;
  const folder = (url: URL) => new URL('.', url).href;
  // A worker from a blob: address has the page's policy, any other one that of its own answer.
  const own = policiesOf([worker?.headers?.get('content-security-policy') ?? '']);
  const inWorker = isForeign ? policies : own;
  const where = isForeign ? HEADER : 'In the Content-Security-Policy of worker.js';
  const ofWorker = isForeign ? name : site.name(workerUrl);
  if (!allowsWord(inWorker, CHAINS.wasm, "'wasm-unsafe-eval'", "'unsafe-eval'")) {
    const todo = `${where} add 'wasm-unsafe-eval' to script-src.`;
    lacks(
      'warning',
      'policy-wasm',
      ofWorker,
      'has a security policy that forbids WebAssembly: plain CPU computes, slower.',
      todo,
    );
  }
  const inside = isForeign ? self : workerUrl;
  const needed: readonly (readonly [URL, string])[] = [
    [new URL(fileUrl(modelUrl.href, MANIFEST)), 'the model'],
    ...catalogues.map(({ href }) => [new URL(fileUrl(href, CATALOGUE_MANIFEST)), 'the catalogue'] as const),
    [new URL('x.wasm', workerUrl), 'WebAssembly'],
  ];
  for (const [file, purpose] of needed) {
    if (!allowsUrl(inWorker, CHAINS.connect, file, inside)) {
      const todo = `${where} add ${folder(file)} to connect-src.`;
      lacks('error', 'policy-connect', ofWorker, `has a security policy that forbids to fetch ${purpose}.`, todo);
    } else if (!allowsUrl(policies, CHAINS.connect, file, self)) {
      const what = `has a security policy that forbids to fetch ${purpose}, which is needed where no worker can start.`;
      lacks('warning', 'policy-connect', name, what, `${HEADER} add ${folder(file)} to connect-src.`);
    }
  }
}
