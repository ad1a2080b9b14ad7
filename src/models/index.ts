/** The list of architectures: the only place that names them. */
import { caser } from './caser';
import { gru4rec } from './gru4rec';
import type { SessionModel } from './model';
import { sasrec } from './sasrec';
import { srgnn } from './srgnn';

// biome-ignore lint/suspicious/noExplicitAny: every architecture has a configuration type of its own.
export const models: Readonly<Record<string, SessionModel<any>>> = { gru4rec, sasrec, srgnn, caser };
