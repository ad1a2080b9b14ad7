/** Reference implementations whose weights can be imported: the only list. */
import { gru4rec } from './gru4rec';
import type { Importer } from './importer';
import { sasrec } from './sasrec';
import { transformers4rec } from './transformers4rec';

export const importers = { gru4rec, sasrec, transformers4rec } satisfies Record<string, Importer>;
