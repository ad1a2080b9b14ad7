/** The list of architectures: the only place that names them. */
import { gru4rec } from './gru4rec';
import type { SessionModel } from './model';
import { sasrec } from './sasrec';
import { transformers4rec } from './transformers4rec/model';

// biome-ignore lint/suspicious/noExplicitAny: every architecture has a configuration type of its own.
export const models: Readonly<Record<string, SessionModel<any>>> = { gru4rec, sasrec, transformers4rec };
