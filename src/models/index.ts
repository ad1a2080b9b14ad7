/** The list of architectures: the only place that names them. */
import { cl4srec } from './cl4srec';
import { gru4rec } from './gru4rec';
import type { SessionModel } from './model';
import { sasrec } from './sasrec';

// biome-ignore lint/suspicious/noExplicitAny: every architecture has a configuration type of its own.
export const models: Readonly<Record<string, SessionModel<any>>> = { cl4srec, gru4rec, sasrec };
