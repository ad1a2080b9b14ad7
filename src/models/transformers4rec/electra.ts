/**
 * ELECTRA — Clark et al., "ELECTRA: Pre-training Text Encoders as Discriminators Rather Than Generators", ICLR 2020,
 * https://arxiv.org/abs/2003.10555.
 *
 * Its encoder is BERT's, embeddings and hidden vectors being equally wide here. What is its own, telling replaced clicks
 * from real ones, is the objective `rtd` and the head in `model.ts`, which bert and xlnet can have too.
 */
import { bert } from './bert';
import type { LanguageModel } from './language-model';

export const electra: LanguageModel = bert;
