/** How vectors become scores (`scoring.ts`), of every architecture that offers a choice. */
import type { ConfigOf, OptionSpecs } from './model';
import { choice, number } from './options';

export const scoringOptions = {
  scoring: choice(
    'dot',
    ['dot', 'cosine'],
    'cosine: item vectors (as input and as output) and session vectors are scaled to length 1',
    'dot is the paper; cosine is NISER (2019): popular items cannot win by the length of their vectors alone',
  ),
  temperature: number(
    0,
    [0.001, 1000],
    'what products of session and item vectors are divided by; auto: 1, with cosine scoring 1/16',
    'NISER: a cosine alone is too flat for a softmax over thousands of items',
    { auto: 0 },
  ),
} satisfies OptionSpecs;

export type ScoringConfig = ConfigOf<typeof scoringOptions>;
