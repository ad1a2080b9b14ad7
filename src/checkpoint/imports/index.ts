/** Reference implementations whose weights can be imported: the only list. */
import { gru4rec } from './gru4rec';
import { gsasrec } from './gsasrec';
import type { Importer } from './importer';
import { sasrec } from './sasrec';

export const importers = { gru4rec, gsasrec, sasrec } satisfies Record<string, Importer>;
