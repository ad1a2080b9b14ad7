import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { seal, unseal } from '../../src/checkpoint/sealed-file';
import { sha256 } from '../../src/checkpoint/sha256';
import { RecommenderError } from '../../src/errors';
import { PATIENT, runs } from '../soak-slice';
import { tried } from '../tries';
import { mutated } from './mutations';

const CONTENT = new TextEncoder().encode('{"favourite":"🧦"}');
const PASSPHRASE = 'correct horse battery staple';
const MAX = 1000;

/** To seal takes its time: that is what it is for. */
let file: Uint8Array;
beforeAll(async () => {
  file = await seal(CONTENT, PASSPHRASE);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** The same file with other bytes in its header, and a sum at its end that is right all the same. */
async function resummed(whole: Uint8Array, at: number, ...bytes: readonly number[]): Promise<Uint8Array> {
  const changed = whole.slice();
  changed.set(bytes, at);
  const digest = await sha256(changed.subarray(0, -4));
  changed.set(
    [0, 2, 4, 6].map((i) => Number.parseInt(digest.slice(i, i + 2), 16)),
    changed.length - 4,
  );
  return changed;
}

const failure = (code: string, message: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });

describe('a sealed file', () => {
  test('opens with its passphrase, however a keyboard composes its letters', async () => {
    expect(await unseal(file, PASSPHRASE, MAX)).toEqual(CONTENT);
    expect(await unseal(await seal(new Uint8Array(), 'grün wie Gras'), 'gru\u0308n wie Gras', MAX)).toEqual(
      new Uint8Array(),
    );
  });

  test('says how it was sealed, and nothing of what is inside', async () => {
    const other = await seal(CONTENT, PASSPHRASE);
    expect(file).toHaveLength(44 + CONTENT.length + 16 + 4);
    expect(new TextDecoder().decode(file.subarray(0, 8))).toBe('AISLSEAL');
    expect([...file.subarray(8, 12)]).toEqual([1, 1, 1, 0]);
    expect(new DataView(file.buffer).getUint32(12, true)).toBe(600_000);
    expect(file.subarray(16, 44), 'salt and nonce are drawn again').not.toEqual(other.subarray(16, 44));
    expect(file.subarray(44, -4)).not.toEqual(other.subarray(44, -4));
  });

  test('is opened by any implementation of its description', async () => {
    const { createDecipheriv, pbkdf2Sync } = await import('node:crypto');
    const key = pbkdf2Sync(PASSPHRASE, file.subarray(16, 32), 600_000, 32, 'sha256');
    const cipher = createDecipheriv('aes-256-gcm', key, file.subarray(32, 44)).setAAD(file.subarray(0, 44));
    cipher.setAuthTag(file.subarray(-20, -4));
    expect(new Uint8Array([...cipher.update(file.subarray(44, -20)), ...cipher.final()])).toEqual(CONTENT);
  });

  test('does not open with another passphrase', async () => {
    for (const other of ['', 'Correct horse battery staple', `${PASSPHRASE} `]) {
      await expect(unseal(file, other, MAX)).rejects.toThrow(failure('wrong-passphrase', 'not the one'));
    }
  });

  test('is not made with a passphrase that anybody guesses', async () => {
    await expect(seal(CONTENT, 'seven77')).rejects.toThrow(RangeError);
  });

  test(
    'is refused where it was cut off or damaged, and distinguished from one with another passphrase',
    async () => {
      const derive = vi.spyOn(crypto.subtle, 'deriveKey');
      for (let seed = 0; seed < runs(500); seed++) {
        const error: unknown = await unseal(mutated(file, seed), PASSPHRASE, MAX).catch((thrown) => thrown);
        expect(error, `seed ${seed}`).toBeInstanceOf(RecommenderError);
        expect(error, `seed ${seed}`).toMatchObject({ code: 'bad-delta' });
      }
      expect(derive, 'nothing is computed for a damaged file').not.toHaveBeenCalled();
      tried(runs(500));
    },
    PATIENT.timeout,
  );

  test.each<[string, number, number[], string]>([
    ['of another version', 8, [2], 'is of version 2'],
    ['with another key derivation', 9, [2], 'in a way that this release does not know'],
    ['with another cipher', 10, [0], 'in a way that this release does not know'],
    ['with a byte that has no meaning yet', 11, [1], 'in a way that this release does not know'],
    ['that asks for no work', 12, [0, 0, 0, 0], 'asks for 0 rounds'],
    ['that asks for less work than is safe', 12, [0xbf, 0x27, 9, 0], 'asks for 599999 rounds'],
    ['that asks for hours of work', 12, [0xff, 0xff, 0xff, 0xff], 'asks for 4294967295 rounds'],
  ])('%s is refused before anything is computed, though its sum is right', async (_, at, bytes, message) => {
    const changed = await resummed(file, at, ...bytes);
    const derive = vi.spyOn(crypto.subtle, 'deriveKey');
    await expect(unseal(changed, PASSPHRASE, MAX)).rejects.toThrow(failure('bad-delta', message));
    expect(derive).not.toHaveBeenCalled();
  });

  test('whose salt, nonce, text or tag was exchanged by someone who mends the sum does not open', async () => {
    for (const at of [16, 43, 44, file.length - 5]) {
      const changed = await resummed(file, at, file[at]! ^ 1);
      await expect(unseal(changed, PASSPHRASE, MAX), `byte ${at}`).rejects.toThrow(failure('wrong-passphrase', ''));
    }
  });

  test('that is longer than what is expected is refused', async () => {
    await expect(unseal(file, PASSPHRASE, CONTENT.length - 1)).rejects.toThrow(failure('bad-delta', 'bytes long'));
  });
});

describe.each<[string, () => void]>([
  ['has no crypto', () => vi.stubGlobal('crypto', undefined)],
  ['has no crypto.subtle, as over plain http', () => vi.stubGlobal('crypto', { getRandomValues: () => {} })],
  [
    'hides crypto',
    () =>
      vi.stubGlobal(
        'crypto',
        new Proxy({}, { get: () => { throw new DOMException('forbidden', 'SecurityError'); } }), // biome-ignore format: one thing
      ),
  ],
])('a page that %s', (_, broken) => {
  test('is reported', async () => {
    broken();
    await expect(seal(CONTENT, PASSPHRASE)).rejects.toThrow(failure('insecure-context', 'https'));
    await expect(unseal(file, PASSPHRASE, MAX)).rejects.toThrow(failure('insecure-context', 'https'));
  });
});
