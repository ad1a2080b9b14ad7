/** What a content security policy allows: https://www.w3.org/TR/CSP3/ */

/** Sources by directive. */
export type Policy = ReadonlyMap<string, readonly string[]>;

/** Directives in whose place the next one counts if the policy lacks them. */
export const CHAINS = {
  script: ['script-src-elem', 'script-src', 'default-src'],
  wasm: ['script-src', 'default-src'],
  worker: ['worker-src', 'child-src', 'script-src', 'default-src'],
  connect: ['connect-src', 'default-src'],
  img: ['img-src', 'default-src'],
} as const;
export type Chain = (typeof CHAINS)[keyof typeof CHAINS];

/** @param texts Values of the header, or of `<meta http-equiv>`; a comma parts policies, all of which count. */
export function policiesOf(texts: readonly string[]): Policy[] {
  return texts
    .flatMap((text) => text.split(','))
    .map((text) => {
      const policy = new Map<string, readonly string[]>();
      for (const part of text.split(';')) {
        const [name, ...sources] = part.trim().split(/\s+/);
        if (name && !policy.has(name.toLowerCase())) policy.set(name.toLowerCase(), sources);
      }
      return policy;
    })
    .filter(({ size }) => size > 0);
}

/** The sources that count; undefined where everything is allowed. */
const sourcesOf = (policy: Policy, chain: Chain): readonly string[] | undefined => {
  const name = chain.find((directive) => policy.has(directive));
  return name === undefined ? undefined : policy.get(name);
};

/**
 * Whether every policy allows an address.
 *
 * @param self The document's address.
 * @param nonce Of the script's tag. It covers what the script imports.
 */
export function allowsUrl(policies: readonly Policy[], chain: Chain, url: URL, self: URL, nonce?: string): boolean {
  return policies.every((policy) => {
    const sources = sourcesOf(policy, chain);
    if (sources === undefined) return true;
    if (nonce !== undefined && sources.includes(`'nonce-${nonce}'`)) return true;
    if (sources.includes("'strict-dynamic'")) {
      // A script that a trusted one starts is trusted. Of workers that holds where `script-src` speaks for them.
      return chain === CHAINS.worker && !policy.has('worker-src') && !policy.has('child-src');
    }
    return sources.some((source) => matches(source, url, self));
  });
}

/** Whether every policy has one of these words, such as `'wasm-unsafe-eval'`. */
export function allowsWord(policies: readonly Policy[], chain: Chain, ...words: readonly string[]): boolean {
  return policies.every((policy) => {
    const sources = sourcesOf(policy, chain);
    return sources === undefined || words.some((word) => sources.some((source) => source.toLowerCase() === word));
  });
}

const SOURCE = /^(?:([a-z][\w+.-]*):\/\/)?(\*|(?:\*\.)?[\w.-]+|\[[\da-f:]+\])(?::(\d+|\*))?(\/.*)?$/i;

function matches(source: string, url: URL, self: URL): boolean {
  const isWeb = /^https?:$/.test(url.protocol);
  const isScheme = (scheme: string) => url.protocol === scheme || (scheme === 'http:' && url.protocol === 'https:');
  if (source.toLowerCase() === "'self'") return url.host === self.host && isScheme(self.protocol);
  if (source === '*') return isWeb;
  if (/^[a-z][\w+.-]*:$/i.test(source)) return isScheme(source.toLowerCase());
  const [, scheme, host, port, path] = SOURCE.exec(source) ?? [];
  if (host === undefined || !isWeb) return false;
  if (!isScheme(scheme === undefined ? self.protocol : `${scheme.toLowerCase()}:`)) return false;
  const name = host.toLowerCase();
  const isHost = name === '*' || (name.startsWith('*.') ? url.hostname.endsWith(name.slice(1)) : url.hostname === name);
  const isPort = port === '*' || (port ?? '') === url.port || (port === DEFAULT_PORTS[url.protocol] && url.port === '');
  const isPath = path === undefined || (path.endsWith('/') ? url.pathname.startsWith(path) : url.pathname === path);
  return isHost && isPort && isPath;
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };
