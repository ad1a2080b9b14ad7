/** Reference implementations whose weights can be imported: the only list. */
import { caser } from './caser';
import { cl4srec } from './cl4srec';
import { gru4rec } from './gru4rec';
import { gsasrec } from './gsasrec';
import type { Importer } from './importer';
import { recboleGru4rec, recboleSrgnn } from './recbole';
import { sasrec } from './sasrec';
import { srgnn } from './srgnn';
import { transformers4rec } from './transformers4rec';

export const importers = {
  gru4rec,
  srgnn,
  sasrec,
  gsasrec,
  caser,
  cl4srec,
  transformers4rec,
  'recbole-gru4rec': recboleGru4rec,
  'recbole-srgnn': recboleSrgnn,
} satisfies Record<string, Importer>;
