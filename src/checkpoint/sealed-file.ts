/**
 * Bytes that only a passphrase opens, as one file:
 *
 *     8 bytes    "AISLSEAL"
 *     1 byte     1, the version of this format
 *     1 byte     1, the key derivation: PBKDF2 with HMAC-SHA-256
 *     1 byte     1, the cipher: AES-GCM with a key of 256 bits and a tag of 128
 *     1 byte     0
 *     4 bytes    iterations of the key derivation, unsigned little-endian
 *     16 bytes   salt
 *     12 bytes   nonce
 *     n bytes    the cipher's text, n being the length of the content, then its tag of 16 bytes
 *     4 bytes    the first four of the SHA-256 of all before them
 *
 * The first 44 bytes are the cipher's additional data: a change is detected, as in the content. The last
 * four tell a damaged file from a wrong passphrase, which the cipher alone cannot; they depend on nothing that is secret.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8018#section-5.2 (PBKDF2)
 * @see https://csrc.nist.gov/pubs/sp/800/38/d/final (GCM)
 */
import { RecommenderError } from '../errors';
import { MAX_KEY_ROUNDS } from '../limits';
import { sha256 } from './sha256';

/**
 * What OWASP asks of PBKDF2 with HMAC-SHA-256: a guess costs an attacker as much, and a phone still derives in a second or so.
 *
 * @see https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#pbkdf2
 */
const ITERATIONS = 600_000;
/** Fewest characters of a passphrase. https://pages.nist.gov/800-63-3/sp800-63b.html#memsecret */
const MIN_PASSPHRASE = 8;

const MAGIC = 'AISLSEAL';
const VERSION = 1;
const PBKDF2_SHA256 = 1;
const AES_GCM_256 = 1;
const HEADER = 44;
const TAG = 16;
const CHECK = 4;

/** @throws RangeError for one that `seal` does not take. */
export function checkPassphrase(passphrase: unknown): void {
  if (typeof passphrase === 'string' && passphrase.length >= MIN_PASSPHRASE) return;
  throw new RangeError(`passphrase: expected at least ${MIN_PASSPHRASE} characters.`);
}

/**
 * Seals bytes. Every call draws a salt and a nonce of its own, so that no key seals twice.
 *
 * @throws RangeError for a passphrase of fewer than 8 characters; RecommenderError `insecure-context` where the page has
 *   no cryptography.
 */
export async function seal(content: Uint8Array, passphrase: string): Promise<Uint8Array> {
  checkPassphrase(passphrase);
  const subtle = cryptography();
  const header = new Uint8Array(HEADER);
  header.set(new TextEncoder().encode(MAGIC));
  header.set([VERSION, PBKDF2_SHA256, AES_GCM_256, 0], 8);
  new DataView(header.buffer).setUint32(12, ITERATIONS, true);
  crypto.getRandomValues(header.subarray(16));
  const key = await keyOf(subtle, passphrase, header, 'encrypt');
  const sealed = new Uint8Array(await subtle.encrypt(cipherOf(header), key, content as Uint8Array<ArrayBuffer>));
  const file = new Uint8Array(HEADER + sealed.length + CHECK);
  file.set(header);
  file.set(sealed, HEADER);
  file.set(await checkOf(file), HEADER + sealed.length);
  return file;
}

/**
 * Opens what `seal` has sealed.
 *
 * @param maxSize Most bytes that the content may have; a longer file is refused before anything is derived.
 * @throws RecommenderError `bad-delta` where the file is none of ours, of another version, cut off or damaged;
 *   `wrong-passphrase`; `insecure-context` where the page has no cryptography.
 */
export async function unseal(file: Uint8Array, passphrase: string, maxSize: number): Promise<Uint8Array> {
  if (typeof passphrase !== 'string') throw new RangeError('passphrase: expected a text.');
  if (file.length < HEADER + TAG + CHECK || new TextDecoder().decode(file.subarray(0, 8)) !== MAGIC) {
    throw bad('is not a file that was sealed with a passphrase');
  }
  const [version, derivation, cipher, reserved] = file.subarray(8, 12);
  if (version !== VERSION) throw bad(`is of version ${version}, this release reads ${VERSION}`);
  if (file.length > HEADER + maxSize + TAG + CHECK) {
    throw bad(`is ${file.length} bytes long; at most ${HEADER + maxSize + TAG + CHECK} are read`);
  }
  const subtle = cryptography();
  const check = await checkOf(file);
  if (check.some((byte, i) => byte !== file[file.length - CHECK + i])) throw bad('is cut off or damaged');
  const iterations = new DataView(file.buffer, file.byteOffset).getUint32(12, true);
  if (derivation !== PBKDF2_SHA256 || cipher !== AES_GCM_256 || reserved !== 0) {
    throw bad('is sealed in a way that this release does not know');
  }
  if (iterations < ITERATIONS || iterations > MAX_KEY_ROUNDS) {
    throw bad(`asks for ${iterations} rounds of key derivation; ${ITERATIONS} to ${MAX_KEY_ROUNDS} are done`);
  }
  const header = file.slice(0, HEADER);
  const key = await keyOf(subtle, passphrase, header, 'decrypt');
  const sealed = file.slice(HEADER, file.length - CHECK);
  try {
    return new Uint8Array(await subtle.decrypt(cipherOf(header), key, sealed));
  } catch (cause) {
    const message = 'The passphrase is not the one that the file was sealed with. Mind upper and lower case.';
    throw new RecommenderError('wrong-passphrase', message, { cause });
  }
}

const cipherOf = (header: Uint8Array<ArrayBuffer>): AesGcmParams => ({
  name: 'AES-GCM',
  iv: header.subarray(32),
  additionalData: header,
});

/** One text has one form, whichever keyboard wrote it. https://www.rfc-editor.org/rfc/rfc8265#section-4.2 */
async function keyOf(
  subtle: SubtleCrypto,
  passphrase: string,
  header: Uint8Array<ArrayBuffer>,
  use: 'encrypt' | 'decrypt',
): Promise<CryptoKey> {
  const text = new TextEncoder().encode(passphrase.normalize('NFC'));
  const secret = await subtle.importKey('raw', text, 'PBKDF2', false, ['deriveKey']);
  const iterations = new DataView(header.buffer).getUint32(12, true);
  const derivation = { name: 'PBKDF2', hash: 'SHA-256', salt: header.subarray(16, 32), iterations };
  return subtle.deriveKey(derivation, secret, { name: 'AES-GCM', length: 256 }, false, [use]);
}

async function checkOf(file: Uint8Array): Promise<Uint8Array> {
  const digest = await sha256(file.subarray(0, file.length - CHECK));
  return Uint8Array.from({ length: CHECK }, (_, i) => Number.parseInt(digest.slice(2 * i, 2 * i + 2), 16));
}

/** Only secure contexts have it; some pages hide or break it. https://www.w3.org/TR/WebCryptoAPI/#crypto-interface */
function cryptography(): SubtleCrypto {
  try {
    const { subtle } = crypto;
    if (typeof subtle?.deriveKey === 'function') return subtle;
  } catch {
    // As where there is none.
  }
  throw new RecommenderError(
    'insecure-context',
    'This page has no cryptography (crypto.subtle), which a passphrase needs. Serve it over https or from localhost.',
  );
}

function bad(text: string): RecommenderError {
  return new RecommenderError('bad-delta', `The file ${text}. Export it again, and copy it whole.`);
}
