/** Reference implementations whose weights can be imported: the only list. */
import { cl4srec } from './cl4srec';
import { gru4rec } from './gru4rec';
import { gsasrec } from './gsasrec';
import type { Importer } from './importer';
import { sasrec } from './sasrec';

export const importers = { cl4srec, gru4rec, gsasrec, sasrec } satisfies Record<string, Importer>;
