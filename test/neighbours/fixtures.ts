import type { Sessions } from '../../src/types';
import { logOf } from '../train/helpers';

/** Sessions from lists of item indices, event t of session s at second 1000 s + t. */
export const sessionsOf = (lists: readonly (readonly number[])[]): Sessions => ({
  ...logOf(lists),
  times: Float64Array.from(lists.flatMap((list, s) => list.map((_, t) => 1000 * s + t))),
});

const [A, B, C, D, E] = [1, 2, 3, 4, 5];

/** The training sessions of the worked example: A B C, B C D, A C E, B A D; one day apart. */
export const worked: Sessions = {
  ...sessionsOf([
    [A, B, C],
    [B, C, D],
    [A, C, E],
    [B, A, D],
  ] as number[][]),
  times: Float64Array.from([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3].map((day) => day * 86_400)),
};
