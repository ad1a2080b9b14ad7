import { text } from './texts';

/** Names in words: how each architecture is called in a sentence. */
const NAMES: Readonly<Record<string, string>> = {
  gru4rec: 'GRU4Rec',
  sasrec: 'SASRec',
  srgnn: 'SR-GNN',
  caser: 'Caser',
  cl4srec: 'CL4SRec',
  transformers4rec: 'Transformers4Rec',
  'item-knn': 'item-kNN',
};

export function architectureName(architecture: string): string {
  return NAMES[architecture] ?? text.models.architectures[architecture] ?? architecture;
}
