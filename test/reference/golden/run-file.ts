/** Runs one golden file and says how it came out: in Node, and in a page. */
import { decodeSafetensors } from '../../../src/checkpoint/safetensors';
import { type Comparison, type Computed, compare, type GoldenFile } from './compare';
import { gru4recGolden } from './gru4rec';
import { sasrecGolden } from './sasrec';
import { transformers4recGolden } from './transformers4rec';

export interface GoldenRow extends Omit<Comparison, 'state'> {
  readonly file: string;
  readonly state: Comparison['state'] | 'not-built' | 'unknown';
  /** Why there is no comparison. */
  readonly reason?: string;
}

/** Which code computes a file: told by the repository that its `reference` names. */
const CASES: readonly (readonly [repository: string, compute: (file: GoldenFile) => Promise<Computed>])[] = [
  ['hidasib/GRU4Rec_PyTorch_Official', gru4recGolden],
  ['pmixer/SASRec.pytorch', sasrecGolden],
  ['NVIDIA-Merlin/Transformers4Rec', transformers4recGolden],
];

/** References that this project will equal, but does not yet. */
const NOT_BUILT: Readonly<Record<string, string>> = {
  'graytowne/caser_pytorch': 'Caser',
  'YChen1993/CoSeRec': 'CL4SRec',
  'asash/gSASRec-pytorch': 'gSASRec',
  'CRIPAC-DIG/SR-GNN': 'SR-GNN',
  'rn5l/session-rec': 'session neighbours (SKNN, V-SkNN, STAN, VSTAN)',
};

/** A backend must be running, with training registered. */
export async function runFile(name: string, bytes: Uint8Array, gpu: boolean): Promise<GoldenRow> {
  const none = { file: name, compared: 0, total: 0 };
  let reference: string;
  let read: () => GoldenFile;
  try {
    if (name.endsWith('.json')) {
      reference = String((JSON.parse(new TextDecoder().decode(bytes)) as { reference?: unknown }).reference ?? '');
      read = () => {
        throw new Error('no JSON case is built.');
      };
    } else {
      const { tensors, metadata } = decodeSafetensors(bytes, name);
      reference = metadata?.reference ?? '';
      const config = JSON.parse(metadata?.config ?? '{}') as Readonly<Record<string, unknown>>;
      read = () => ({ name, tensors, reference, config });
    }
  } catch (error) {
    return { ...none, state: 'unknown', reason: (error as Error).message };
  }
  const built = CASES.find(([repository]) => reference.includes(repository));
  if (!built) {
    const missing = Object.entries(NOT_BUILT).find(([repository]) => reference.includes(repository));
    if (missing) return { ...none, state: 'not-built', reason: `${missing[1]} is not built yet.` };
    return {
      ...none,
      state: 'unknown',
      reason: reference ? `no code for the reference "${reference}".` : 'it names no reference.',
    };
  }
  try {
    const file = read();
    return { file: name, ...compare(file, await built[1](file), gpu) };
  } catch (error) {
    return { ...none, state: 'miss', reason: (error as Error).message };
  }
}
