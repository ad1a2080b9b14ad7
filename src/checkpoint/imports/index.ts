/** Reference implementations whose weights can be imported: the only list. */
import { caser } from './caser';
import { gru4rec } from './gru4rec';
import type { Importer } from './importer';
import { sasrec } from './sasrec';
import { srgnn } from './srgnn';

export const importers = { gru4rec, sasrec, srgnn, caser } satisfies Record<string, Importer>;
