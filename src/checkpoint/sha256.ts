import { loaded } from '../loaded';

/**
 * SHA-256 of bytes, or of a text in UTF-8, as 64 hexadecimal digits. `crypto.subtle` exists only in secure contexts (https and
 * localhost), and some pages hide or break it; there the same digest comes from a library, loaded only then.
 *
 * @throws RecommenderError `io` where that cannot be loaded.
 */
export async function sha256(data: Uint8Array | string): Promise<string> {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  const load = () => loaded(import('@noble/hashes/sha2.js'), 'SHA-256');
  const digest = (await nativeDigest(bytes)) ?? (await load()).sha256(bytes);
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function nativeDigest(bytes: Uint8Array): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  } catch {
    return undefined;
  }
}
