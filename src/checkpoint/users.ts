/**
 * Whom a model knows: the first 128 bits of the SHA-256 of each user's id, so that an artifact, which anybody may download,
 * does not list ids. It is no secret all the same: whoever can guess an id can tell whether it is there.
 */
import type { NdArray } from '../types';
import { sha256 } from './sha256';

const PREFIX = 'aisle user ';
const WORDS = 4;

/** The digests of users, `[users, 4]` int32, in their order. @param known Digests that come first. */
export async function usersTensor(ids: readonly string[], known?: NdArray): Promise<NdArray<Int32Array>> {
  const digests = await Promise.all(ids.map(digest));
  const data = Int32Array.from([...(known?.data ?? []), ...digests.flat()]);
  return { data, shape: [data.length / WORDS, WORDS] };
}

/** Finds the number of a user by id; undefined for an unknown id, or where the model knows no users. */
export function userFinder(users: NdArray | undefined): (id: string) => Promise<number | undefined> {
  if (!users) return async () => undefined;
  const { data } = users;
  const numbers = new Map<string, number>();
  for (let user = 0; user * WORDS < data.length; user++) {
    numbers.set(data.slice(user * WORDS, (user + 1) * WORDS).join(), user);
  }
  return async (id) => numbers.get((await digest(id)).join());
}

async function digest(id: string): Promise<number[]> {
  const hex = await sha256(PREFIX + id);
  return Array.from({ length: WORDS }, (_, k) => Number.parseInt(hex.slice(8 * k, 8 * k + 8), 16) | 0);
}
